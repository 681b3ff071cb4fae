import json

import pytest

from minitransformer.errors import UserError
from minitransformer.settings_file import SettingsFile


@pytest.fixture
def settings(tmp_path):
    content = {"size": 3, "name": "a", "is_on": True, "absent": None, "odd": [1]}
    (tmp_path / "config.json").write_text(json.dumps(content))
    return SettingsFile.read(tmp_path / "config.json")


def test_a_value_is_of_the_kind_that_was_asked_for_and_null_is_not_given(settings):
    assert settings.get("size", int) == 3
    assert settings.get("absent", int, 7) == settings.get("nowhere", int, 7) == 7
    assert "absent" not in settings
    assert settings["absent"] is None
    assert settings.one_of("name", ["a", "b"]) == "a"
    assert settings.one_of("absent", ["a", "b"], "b") == "b"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda settings: settings.get("name", int), "config.json: name must be a whole number, found 'a'"),
        (lambda settings: settings.get("is_on", int), "config.json: is_on must be a whole number, found True"),
        (lambda settings: settings.get("absent", int), "config.json: absent must be a whole number, found None"),
        (lambda settings: settings.one_of("odd", ["a", "b"]), r"config.json: odd is \[1\], expected a or b"),
        (lambda settings: settings.only("size", 4, "why"), "config.json: size is 3, expected 4: why"),
    ],
)
def test_anything_else_is_refused_and_the_file_named(settings, ask, message):
    with pytest.raises(UserError, match=message):
        ask(settings)


def test_what_nobody_asked_for_is_named_unless_it_is_harmless(settings, recwarn):
    settings.get("size", int)
    with pytest.warns(UserWarning, match=r"config.json: these settings are unknown .*: is_on \(True\), odd \(\[1\]\)$"):
        settings.warn_of_the_rest({"name"})
    recwarn.clear()
    settings.warn_of_the_rest({"name", "is_on", "odd"})
    assert not recwarn.list


def test_a_file_that_is_not_there_gives_nothing_unless_it_is_required(tmp_path):
    assert SettingsFile.read(tmp_path / "config.json").given == {}
    with pytest.raises(UserError, match=r"config.json can't be read: No such file"):
        SettingsFile.read(tmp_path / "config.json", required=True)
