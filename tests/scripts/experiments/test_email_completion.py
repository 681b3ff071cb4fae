"""The parts of the experiment that decide what its numbers mean."""

from minitransformer.inference.completion.completer import Suggestion
from scripts.experiments.email_completion import Mail, Place, Trie, is_right, mails, places_of, shown_at, whole

MAIL = Mail("a", ["let me know today", "thanks for it"])


def test_places_are_the_word_boundaries_after_two_words(tmp_path):
    (tmp_path / "mails.tsv").write_text("mailbox\tsubject\tbody\na\thi\tlet me know today \\n thanks for it\n")
    assert mails(tmp_path / "mails.tsv") == [MAIL]
    assert [*places_of(MAIL)] == [
        Place("a", "let me ", "let me ", ["know", "today"]),
        Place("a", "let me know ", "let me know ", ["today"]),
        Place("a", "let me know today\nthanks for ", "thanks for ", ["it"]),
    ]


def test_the_trie_says_what_followed_most_often_and_how_often_each_word_did():
    trie = Trie([Mail("a", ["let me know if."]), Mail("b", ["let me know if.", "let me see.", "let me know."])])
    said = [Suggestion("know", 0.4), Suggestion("know if.", 0.4)]
    assert trie.suggest(Place("c", "let me ", "let me ", [])) == said
    assert trie.suggest(Place("c", "who is ", "who is ", [])) == []


def test_a_suggestion_is_right_if_all_its_words_came():
    place = Place("a", "let me ", "let me ", ["know", "today."])
    assert is_right(Suggestion("know", 0.1), place)
    assert is_right(Suggestion("know today.", 0.1), place)
    assert not is_right(Suggestion("know today", 0.1), place)
    assert not is_right(Suggestion("know today. thanks", 0.1), place)


def test_as_many_places_get_a_suggestion_as_the_coverage_says_and_as_many_words_as_are_as_sure():
    b, bc = Suggestion("b", 0.9), Suggestion("b c", 0.6)
    results = [[Suggestion("a", 0.2)], [], [b, bc], [Suggestion("c", 0.5)]]
    assert shown_at(0.25, results) == {2: bc}
    assert shown_at(0.5, results) == {2: bc, 3: Suggestion("c", 0.5)}
    assert shown_at(0.2, results) == {}
    assert set(shown_at(1.0, results)) == {0, 2, 3}
    assert whole([b, bc])[0].confidence == 0.6**0.5
