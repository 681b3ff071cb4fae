import json
import os
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minitransformer.errors import UserError
from minitransformer.interop import safetensors_files
from minitransformer.interop.safetensors_files import INDEX_FILE, WEIGHTS_FILE, open_tensors, save_tensors

VALUES = np.array([[1.5, -2.25, 0.0], [384.0, 2.0**-8, -1.0]])  # exact in every format, BF16 too


def write_raw(file, header, data=b"", header_size=None):
    """A safetensors file byte for byte: what the library itself wouldn't write."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text) if header_size is None else header_size) + text + data)


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_of_every_width_are_read(tmp_path, dtype):
    save_file({"a": VALUES.astype(dtype)}, tmp_path / WEIGHTS_FILE)
    tensors = open_tensors(tmp_path)
    assert tensors.shapes == {"a": (2, 3)}
    assert tensors["a"].dtype == (np.float64 if dtype == np.float64 else np.float32)
    assert (tensors["a"] == VALUES).all()


def test_bfloat16_is_read_as_float32(tmp_path):
    bits = (VALUES.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    header = {"first": entry("F32", [1], 0, 4), "a": entry("BF16", [2, 3], 4, 16)}
    write_raw(tmp_path / WEIGHTS_FILE, header, b"\0" * 4 + bits)
    tensor = open_tensors(tmp_path)["a"]
    assert tensor.dtype == np.float32
    assert (tensor == VALUES).all()


def test_a_tensor_of_many_blocks_is_copied_whole_and_transposed(tmp_path, monkeypatch):
    monkeypatch.setattr(safetensors_files, "_BLOCK", 7)
    values = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    save_file({"a": values}, tmp_path / WEIGHTS_FILE)
    transposed = np.empty((3, 10))
    open_tensors(tmp_path).copy_to("a", transposed.T)
    np.testing.assert_array_equal(transposed, values.T)


def test_several_files_are_read_through_their_index(tmp_path):
    save_file({"a": VALUES}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"b": -VALUES}, tmp_path / "model-00002-of-00002.safetensors")
    weight_map = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (tmp_path / INDEX_FILE).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    tensors = open_tensors(tmp_path)
    assert {name: tensors[name].sum() for name in tensors} == {"a": VALUES.sum(), "b": -VALUES.sum()}


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({}, "needs a weight_map"),
        ({"weight_map": {}}, "needs a weight_map"),
        ({"weight_map": ["a"]}, "needs a weight_map"),
        ({"weight_map": {"a": 3}}, "needs a weight_map"),
        ({"weight_map": {"a": "../outside.safetensors"}}, "leaves the folder"),
        ({"weight_map": {"a": "/etc/passwd"}}, "leaves the folder"),
        ({"weight_map": {"a": "lost.safetensors"}}, "lost.safetensors, which isn't in the folder"),
    ],
)
def test_a_broken_index_is_refused(tmp_path, index, message):
    (tmp_path / INDEX_FILE).write_text(json.dumps(index))
    with pytest.raises(UserError, match=message):
        open_tensors(tmp_path)


def test_one_name_in_two_files_is_refused(tmp_path):
    save_file({"a": VALUES}, tmp_path / "1.safetensors")
    save_file({"a": VALUES}, tmp_path / "2.safetensors")
    (tmp_path / INDEX_FILE).write_text(json.dumps({"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}))
    with pytest.raises(UserError, match=r"both .* hold a tensor a"):
        open_tensors(tmp_path)


HOSTILE = {
    "empty file": b"",
    "header size only": struct.pack("<Q", 20),
    "header larger than the file": struct.pack("<Q", 1 << 40) + b"{}",
    "header of the largest size": b"\xff" * 8 + b"{}",
    "header that is no JSON": struct.pack("<Q", 3) + b"abc",
    "header that is a list": struct.pack("<Q", 2) + b"[]",
    "header of brackets": struct.pack("<Q", 100_000) + b"[" * 100_000,
}
HOSTILE_HEADERS = {
    "hole": ({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 8, 12)}, 12),
    "overlap": ({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)}, 12),
    "tensor past the end": ({"a": entry("F32", [4], 0, 16)}, 12),
    "bytes after the last tensor": ({"a": entry("F32", [1], 0, 4)}, 12),
    "shape of more bytes than its place": ({"a": entry("F32", [1000], 0, 12)}, 12),
    "shape of more bytes than there are": ({"a": entry("F32", [1 << 62, 1 << 62], 0, 12)}, 12),
    "negative shape": ({"a": entry("F32", [-3], 0, 12)}, 12),
    "unknown dtype": ({"a": entry("F12", [3], 0, 12)}, 12),
    "no dtype": ({"a": {"shape": [3], "data_offsets": [0, 12]}}, 12),
    "metadata of numbers": ({"__metadata__": {"a": 1}, "a": entry("F32", [3], 0, 12)}, 12),
}


@pytest.mark.parametrize("name", [*HOSTILE, *HOSTILE_HEADERS])
def test_a_hostile_file_is_refused_by_name(tmp_path, name):
    file = tmp_path / WEIGHTS_FILE
    if name in HOSTILE:
        file.write_bytes(HOSTILE[name])
    else:
        header, size = HOSTILE_HEADERS[name]
        write_raw(file, header, b"\0" * size)
    with pytest.raises(UserError, match="not a whole safetensors file") as error:
        open_tensors(tmp_path)
    assert str(file) in str(error.value)


@pytest.mark.parametrize(("dtype", "size"), [("I64", 8), ("F8_E4M3", 1), ("BOOL", 1)])
def test_a_tensor_that_holds_no_floats_is_refused_when_it_is_wanted(tmp_path, dtype, size):
    write_raw(tmp_path / WEIGHTS_FILE, {"a": entry(dtype, [1], 0, size)}, b"\0" * size)
    tensors = open_tensors(tmp_path)
    with pytest.raises(UserError, match=f"the tensor a holds {dtype}"):
        tensors["a"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_tensor_with_nan_or_infinity_is_refused(tmp_path, value):
    save_file({"a": np.array([1.0, value, 2.0])}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(UserError, match="the tensor a holds nan or infinity"):
        open_tensors(tmp_path)["a"]


@pytest.mark.parametrize("value", [1e11, -1e30, 3e38, 1e300])
def test_a_weight_that_no_training_gives_is_refused(tmp_path, value):
    """The third is as large as float32 goes, the fourth is beyond it: neither may become infinity without a word."""
    save_file({"a": np.array([1.0, value, 2.0])}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(UserError, match=f"{WEIGHTS_FILE}: the tensor a holds {abs(value):g}".replace("+", r"\+")):
        open_tensors(tmp_path)["a"]


@pytest.mark.parametrize("names", [["pytorch_model.bin"], ["pytorch_model-00001-of-00002.bin", "pytorch_model-2.bin"]])
def test_a_pickle_is_refused_with_the_way_out(tmp_path, names):
    for name in [*names, "training_args.bin", "optimizer.pt"]:
        (tmp_path / name).write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(UserError, match=r"only pickle files \((.*)\): reading.*converts the weights.*import") as error:
        open_tensors(tmp_path)
    assert all(name in str(error.value) for name in names)
    assert "training_args" not in str(error.value)


@pytest.mark.parametrize("name", ["model.pt", "model.pkl"])
def test_a_pickle_that_may_hold_anything_is_refused_without_advice(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(UserError, match=rf"only pickle files \({name}\).*ask for a safetensors file$"):
        open_tensors(tmp_path)


def test_what_is_no_ordinary_file_of_weights_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / WEIGHTS_FILE)
    with pytest.raises(UserError, match=f"{WEIGHTS_FILE} must be an ordinary file"):
        open_tensors(tmp_path)
    (tmp_path / WEIGHTS_FILE).unlink()
    (tmp_path / WEIGHTS_FILE).symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match=f"{WEIGHTS_FILE} must be an ordinary file; is it a link"):
        open_tensors(tmp_path)


def test_an_empty_folder_or_none_says_what_it_lacks(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match=r"has no model.safetensors"):
            open_tensors(folder)


def test_what_is_written_is_sorted_float32_with_the_format_that_transformers_wants(tmp_path):
    file = tmp_path / WEIGHTS_FILE
    save_tensors({"b": VALUES.T, "a": VALUES[:, 0]}, file)
    content = file.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert list(header) == ["__metadata__", "a", "b"]
    assert header["__metadata__"] == {"format": "pt"}
    assert header["b"]["dtype"] == "F32"
    assert (load_file(file)["b"] == VALUES.T).all()


def test_the_file_can_be_read_by_whom_the_umask_lets(tmp_path):
    (tmp_path / "ordinary").touch()
    save_tensors({"a": VALUES}, tmp_path / WEIGHTS_FILE)
    assert (tmp_path / WEIGHTS_FILE).stat().st_mode == (tmp_path / "ordinary").stat().st_mode
