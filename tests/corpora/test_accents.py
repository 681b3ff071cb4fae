import pytest

from minitransformer.corpora.accents import note_lost_accents


@pytest.mark.parametrize(
    ("sentence", "share"),
    [
        ("Ich möchte es.", "7.1% of the characters, such as ö,"),
        ("が", "100.0% of the characters, such as が,"),
        ("한국", "100.0%"),
    ],
)
def test_letters_that_an_uncased_vocabulary_changes_are_noted(sentence, share):
    with pytest.warns(UserWarning, match=f"^{share}.* lose their accents or are taken apart; with --cased they stay$"):
        assert list(note_lost_accents([sentence, ""])) == [sentence, ""]


@pytest.mark.parametrize(
    "sentence", ["My dog is cute.", "“Naïve” texts have an accent here or there. " + "a" * 200, "我爱你。", ""]
)
def test_other_text_is_not_worth_a_note(sentence, recwarn):
    assert list(note_lost_accents([sentence])) == [sentence]
    assert not recwarn.list
