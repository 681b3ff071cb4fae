"""The parts of the experiment that decide what its numbers mean."""

from minitransformer.inference.completion.completer import Suggestion
from scripts.experiments.email_completion import Mail, Place, Trie, is_right, mails, places_of, shown_at

MAIL = Mail("a", ["let me know today", "thanks for it"])


def test_places_are_the_word_boundaries_after_two_words(tmp_path):
    (tmp_path / "mails.tsv").write_text("mailbox\tsubject\tbody\na\thi\tlet me know today \\n thanks for it\n")
    assert mails(tmp_path / "mails.tsv") == [MAIL]
    assert [*places_of(MAIL)] == [
        Place("a", "let me ", "let me ", ["know", "today"]),
        Place("a", "let me know ", "let me know ", ["today"]),
        Place("a", "let me know today\nthanks for ", "thanks for ", ["it"]),
    ]


def test_the_trie_says_what_followed_most_often():
    trie = Trie([Mail("a", ["let me know if."]), Mail("b", ["let me know if.", "let me see."])])
    assert trie.suggest(Place("c", "let me ", "let me ", [])) == Suggestion("know if.", 0.5)
    assert trie.suggest(Place("c", "who is ", "who is ", [])) is None


def test_a_suggestion_is_right_if_all_its_words_came():
    place = Place("a", "let me ", "let me ", ["know", "today."])
    assert is_right(Suggestion("know", 0.1), place)
    assert is_right(Suggestion("know today.", 0.1), place)
    assert not is_right(Suggestion("know today", 0.1), place)
    assert not is_right(Suggestion("know today. thanks", 0.1), place)


def test_the_surest_are_shown_and_no_more_than_the_coverage():
    suggestions = [Suggestion("a", 0.2), None, Suggestion("b", 0.9), Suggestion("c", 0.5)]
    assert shown_at(0.5, suggestions) == [2, 3]
    assert shown_at(0.2, suggestions) == []
    assert shown_at(1.0, suggestions) == [2, 3, 0]
