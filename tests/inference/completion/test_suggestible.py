import pytest

from minitransformer.inference.completion.suggestible import is_masked, suggestible_part


@pytest.mark.parametrize(
    ("typed", "suggestion", "kept"),
    [
        ("Let me kn", "ow if you have any questions.", "ow if you have any questions."),
        ("Ask if ", "she can come.", ""),
        ("Please tell ", "Jeff about it.", ""),
        ("Thanks. ", "Please call me.", "Please call me."),  # a sentence begins with a capital
        ("as ", "I said.", "I said."),
        ("meet at ", "the office at 5 pm.", "the office at"),
        ("I will be the", "re tomor", "re"),  # the end may be half a word
        ("See ", "you", ""),
        ("Let me know", "", ""),
        ("Call J", "eff now.", ""),  # the name was begun by hand, but the model would end it
    ],
)
def test_what_is_kept_of_a_suggestion(typed, suggestion, kept):
    assert suggestible_part(typed, suggestion) == kept


@pytest.mark.parametrize("word", ["he", "Her", "himself,", "she'll", "12", "3rd", "(555)"])
def test_numbers_and_pronouns_with_a_gender_are_masked(word):
    assert is_masked(word, starts_sentence=True)


@pytest.mark.parametrize("word", ["the", "I'm", "they", "there", "shell", "Thehe"[:3]])
def test_other_words_are_not(word):
    assert not is_masked(word, starts_sentence=True)
