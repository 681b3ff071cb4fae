import json
import os
from pathlib import Path

import pytest

from minitransformer.errors import UserError
from minitransformer.interop import hub
from minitransformer.interop.model_files import ModelFiles

CONFIG = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["query"]}


@pytest.fixture
def base(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base/config.json").write_text("{}")
    return tmp_path / "base"


@pytest.fixture
def adapter_of(tmp_path):
    def adapter_of(name, folder="adapter"):
        (tmp_path / folder).mkdir(exist_ok=True)
        config = {**CONFIG, "base_model_name_or_path": name}
        (tmp_path / folder / "adapter_config.json").write_text(json.dumps(config))
        return tmp_path / folder

    return adapter_of


def test_the_files_of_a_model_are_in_its_folder(base):
    files = ModelFiles.of(base)
    assert (files.folder, files.base, files.are_adapted) == (base, base, False)
    assert os.fspath(files) == str(base)
    assert ModelFiles.of(files) is files


def test_an_adapter_names_its_model_by_a_whole_path_or_one_from_here_or_from_its_own_folder(
    base, adapter_of, tmp_path, monkeypatch
):
    assert ModelFiles.of(adapter_of(str(base))).base == base
    assert ModelFiles.of(adapter_of("../base")).base.resolve() == base
    monkeypatch.chdir(tmp_path)
    files = ModelFiles.of(adapter_of("base"))
    assert files.base == Path("base")
    assert files.are_adapted


def test_an_adapter_may_name_a_model_on_the_hub(base, adapter_of, monkeypatch):
    monkeypatch.setattr(hub, "_download", lambda name: {"owner/model": base}[name])
    assert ModelFiles.of(adapter_of("owner/model")).base == base


def test_what_an_adapter_has_comes_from_its_folder_and_the_rest_from_its_models(base, adapter_of):
    files = ModelFiles.of(adapter_of(str(base)))
    (base / "vocab.txt").touch()
    assert files.folder_with("tokenizer.json", "vocab.txt") == base
    (files.folder / "tokenizer.json").touch()
    assert files.folder_with("tokenizer.json", "vocab.txt") == files.folder


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (None, r"adapter_config.json: base_model_name_or_path doesn't say which model the adapter changes"),
        ("/no/where", r"is an adapter of /no/where, which can't be found: the folder '/no/where' does not exist"),
        ("/no/where", r"Put right base_model_name_or_path in .*adapter_config.json"),
    ],
)
def test_a_model_that_is_not_there_is_named_with_the_file_that_asks_for_it(adapter_of, name, message):
    with pytest.raises(UserError, match=message):
        ModelFiles.of(adapter_of(name))


def test_an_adapter_of_an_adapter_is_refused(base, adapter_of):
    other = adapter_of(str(base), "other")
    with pytest.raises(UserError, match=r"is an adapter of .*other, which is an adapter itself; merge that one first"):
        ModelFiles.of(adapter_of(str(other)))
