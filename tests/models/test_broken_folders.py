"""Folders broken at random: each is read, or refused in a sentence; nothing else happens.

MINITRANSFORMER_BROKEN_FOLDERS=20000 runs 20,000 cases instead of a few hundred.
"""

import json
import os
import random
import shutil
import struct
import tracemalloc
import warnings
from pathlib import Path

import pytest

from minitransformer import (
    BertForPreTraining,
    BertForSequenceClassification,
    CharacterTokenizer,
    ClassifierSettings,
    Gpt,
    SentenceEncoder,
    generate,
)
from minitransformer.cli._models import load_gpt
from minitransformer.errors import UserError
from minitransformer.inference.prediction import load_predictor
from minitransformer.models.sentence_encoder_settings import DenseSettings
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.objectives.classification import ClassificationObjective
from tests.small_encoders import small_encoder
from tests.small_models import small_gpt_config

CASES = int(os.environ.get("MINITRANSFORMER_BROKEN_FOLDERS", "400"))
CASES_A_TEST = 100
MOST_MEMORY = 20_000_000  # bytes; the folder has 50,000
SCALARS = [None, True, False, 0, 1, -1, 2, 7, 10**6, 10**12, 2**63, 2**64, 10**400, 0.5, -0.1, 1e308, 1e-320, "", "a"]
SCALARS += ["../x", "/etc/passwd", "\ud800", "\0", "bert", "gelu", "mean", "[CLS]", "F16", "BF16", "x" * 5000]
VALUES = [*SCALARS, [], {}, [[]], [1, "a", None], {"a": {"b": []}}, [10**12] * 2, [0, 10**9], {"content": 1}]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    head = (DenseSettings(24, 5), "normalise")
    small_encoder(pooling=("cls", "mean"), head=head, prompts={"query": "my "}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def whole_classifiers(tmp_path_factory):
    """A folder with two classifiers: a pair's beside its encoder, and BERT's own."""
    folder = tmp_path_factory.mktemp("classifiers")
    encoder = small_encoder()
    SiameseNetwork(encoder, ClassificationObjective(12, 3), ("a", "b", "c")).save_pretrained(folder / "pairs")
    head = ClassifierSettings(("a", "b"), hidden_sizes=(5,))
    BertForSequenceClassification(encoder.config, head).save_pretrained(folder / "texts")
    encoder.tokenizer.save_pretrained(folder / "texts")
    return folder


@pytest.fixture(scope="module")
def whole_gpt(tmp_path_factory):
    """A decoder with a head of its own and its tokenizer."""
    folder = tmp_path_factory.mktemp("gpt")
    tokenizer = CharacterTokenizer.train("to be or not to be")
    sizes = {"vocab_size": tokenizer.vocab_size, "eos_token_id": tokenizer.eos_token_id}
    Gpt(small_gpt_config(**sizes, tie_word_embeddings=False)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


# -- ways to break a file ----------------------------------------------------------------------------------------------


def flip_bits(content, rng):
    broken = bytearray(content)
    for _ in range(rng.choice([1, 1, 3, 30])):
        broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
    return bytes(broken)


def cut(content, rng):
    return content[: rng.randrange(len(content))]


def lengthen(content, rng):
    return content + rng.randbytes(rng.choice([1, 100]))


def swap_parts(content, rng):
    a, b, c = sorted(rng.randrange(len(content) + 1) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def overwrite(content, rng):
    start = rng.randrange(len(content))
    return content[:start] + rng.choice([b"\0", b"\xff", b"[", b'"', b"9"]) * rng.choice([1, 9, 500])


def change_value(content, rng):
    """A field of a JSON file, or of a safetensors header, is lost, renamed, or gets a value of another kind."""
    if content[:1] in b"{[":
        return json.dumps(with_changed_value(json.loads(content), rng)).encode()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.dumps(with_changed_value(json.loads(content[8 : 8 + size]), rng)).encode()
    return struct.pack("<Q", len(header)) + header + content[8 + size :]


def with_changed_value(tree, rng):
    places = [place for place in all_places(tree) if rng.random() < 0.5 or not isinstance(place[0], list)]
    container, key = rng.choice(places or [([tree], 0)])
    change = rng.random()
    if change < 0.2:
        del container[key]
    elif change < 0.3 and isinstance(container, dict):
        container[rng.choice(["a", "", *container])] = container.pop(key)
    else:
        container[key] = rng.choice(VALUES)
    return tree


def all_places(tree):
    """(container, key) of every value inside a list or an object."""
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else []
    for key in list(keys):
        yield tree, key
        yield from all_places(tree[key])


def break_folder(folder, rng, only=None):
    """Break one file, or sometimes several; returns what was done. `only` are the files to choose from."""
    done = []
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        files = sorted(file for file in folder.rglob("*") if file.is_file() and file.stat().st_size)
        file = rng.choice([file for file in sorted(only or files) if file in files] or files)
        is_structured = file.suffix in (".json", ".safetensors")
        ways = [flip_bits, cut, lengthen, swap_parts, overwrite] + [change_value] * (6 if is_structured else 0)
        way = rng.choice([*ways, None, None])
        done.append((file.relative_to(folder).as_posix(), way.__name__ if way else "lose or exchange"))
        if way:
            try:
                file.write_bytes(way(file.read_bytes(), rng))
            except (ValueError, KeyError, IndexError, struct.error):  # broken before: there is no field to change
                file.write_bytes(cut(file.read_bytes(), rng))
        elif rng.random() < 0.5:
            file.unlink()
        else:
            file.write_bytes(rng.choice(files).read_bytes())
    return done


# -- what must happen --------------------------------------------------------------------------------------------------


def read_and_use(folder, rng):
    if rng.random() < 0.8:
        SentenceEncoder.from_pretrained(folder).encode(["my dog is cute", "", "he likes playing " * 5])
    else:
        BertForPreTraining.from_pretrained(folder)


def write(folder, rng):
    gpt, tokenizer = load_gpt(folder)
    generate(gpt, tokenizer.encode("to be"), max_new_tokens=9, temperature=1.0, eos_token_id=tokenizer.eos_token_id)


def predict(folder, rng):
    texts = ["my dog is cute", "", "he likes playing " * 5]
    load_predictor(folder / "pairs").scores((texts, texts))
    load_predictor(folder / "texts").scores((texts, texts))


@pytest.mark.parametrize("first", range(0, CASES, CASES_A_TEST))
def test_a_broken_folder_is_read_or_refused_in_a_sentence(whole, tmp_path, first):
    assert_each_is_read_or_refused(whole, tmp_path, first, read_and_use, break_folder)


@pytest.mark.parametrize("first", range(0, CASES // 2, CASES_A_TEST))
def test_a_broken_classifier_answers_or_is_refused_in_a_sentence(whole_classifiers, tmp_path, first):
    assert_each_is_read_or_refused(whole_classifiers, tmp_path, first, predict, break_classifier)


@pytest.mark.parametrize("first", range(0, CASES // 2, CASES_A_TEST))
def test_a_broken_gpt_writes_or_is_refused_in_a_sentence(whole_gpt, tmp_path, first):
    assert_each_is_read_or_refused(whole_gpt, tmp_path, first, write, break_folder)


def break_classifier(folder, rng):
    """Break a file of a classifier's own; its other files are BERT's, which the test above breaks."""
    own = [*(folder / "pairs").glob("minitransformer_head.*"), folder / "texts" / "config.json"]
    own.append(folder / "texts" / "model.safetensors")
    return break_folder(folder, rng, own)


def assert_each_is_read_or_refused(whole, tmp_path, first, use, break_it):
    for case in range(first, min(first + CASES_A_TEST, CASES)):
        rng = random.Random(case)
        folder = Path(shutil.copytree(whole, tmp_path / str(case)))
        done = break_it(folder, rng)
        tracemalloc.start()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                use(folder, rng)
        except UserError as error:
            assert 10 < len(str(error)) < 8000, (case, done, str(error))  # noqa: PT017
        except BaseException as error:
            raise AssertionError(f"case {case}, {done}: {type(error).__name__}: {error}") from error
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < MOST_MEMORY, (case, done)
        shutil.rmtree(folder)
