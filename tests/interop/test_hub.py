import builtins

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from minitransformer.errors import UserError
from minitransformer.interop.hub import model_folder


@pytest.fixture
def no_network(monkeypatch):
    """The hub's client answers as it does without a network; importing it for a folder is an error."""

    def unreachable(name, **options):
        raise LocalEntryNotFoundError("Name or service not known\nPlease check your connection")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)


def test_a_folder_never_touches_the_network(tmp_path, monkeypatch):
    real_import = builtins.__import__

    def guarded(name, *rest):
        assert not name.startswith("huggingface_hub")
        return real_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", guarded)
    assert model_folder(tmp_path) == tmp_path
    assert model_folder(str(tmp_path)) == tmp_path


def test_a_hub_name_is_downloaded_without_what_is_not_needed(monkeypatch, tmp_path):
    asked = {}

    def download(name, **options):
        asked.update(options, name=name)
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert model_folder("sentence-transformers/all-MiniLM-L6-v2") == tmp_path
    assert asked["name"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert asked["allow_patterns"] == ["*.json", "*.txt", "*.safetensors"]


def test_without_a_network_a_hub_name_is_a_sentence(no_network):
    with pytest.raises(UserError, match=r"owner/model is not a folder here, and .* \(Name or service not known\)"):
        model_folder("owner/model")


@pytest.mark.parametrize("name", ["/no/such/folder", "./model", "a/b/c", "../model", "model folder", ""])
def test_what_is_no_hub_name_is_a_missing_folder(no_network, name):
    with pytest.raises(UserError, match="does not exist"):
        model_folder(name)


def test_a_file_is_not_a_folder(tmp_path):
    file = tmp_path / "model.safetensors"
    file.touch()
    with pytest.raises(UserError, match="is a file; give its folder"):
        model_folder(file)


def test_the_folder_of_an_unfinished_run_says_how_to_finish_it(tmp_path):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "settings.json").write_text("{}")
    with pytest.raises(UserError, match="holds an unfinished training run, not a model; finish it with --resume"):
        model_folder(tmp_path)
