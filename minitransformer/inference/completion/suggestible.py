"""What may be suggested: whole words, and none that a machine had better not put into somebody's mouth.

A name or a number that the model suggests may come from another person's mail, and a pronoun from a prejudice: in Smart
Compose's first version an investor was "him" and a nurse "her" (Chen et al. 2019, arXiv 1906.00080, section 7). So a
suggestion ends before the first of them.
"""

import re

PRONOUNS = frozenset(f"{who}{end}" for who in ("he", "she") for end in ("", "'s", "'ll", "'d")) | frozenset(
    ["him", "his", "himself", "her", "hers", "herself"]
)
CAPITALISED = frozenset(["I", "I'm", "I'll", "I've", "I'd"])  # words that are no names
_WORD = re.compile(r"\S+\s*")
_SENTENCE_END = re.compile(r"[.!?\n]\s*$")


def suggestible_part(typed: str, suggestion: str) -> str:
    """The longest beginning of the suggestion that may follow the typed text; "" if there is none.

    The end of a suggestion that doesn't end a sentence may be half a word, which is left out.

    >>> suggestible_part("Let me kn", "ow if she calls.")
    'ow if'
    >>> suggestible_part("Please call ", "Jeff at 5"), suggestible_part("Thanks", " for your help.")
    ('', ' for your help.')
    >>> suggestible_part("See you ", "next wee")
    'next'
    """
    text, place = typed + suggestion, len(typed)
    first = max(typed.rfind(" "), typed.rfind("\n")) + 1  # a word that was begun by the typist counts as a whole
    end = place
    for word in _WORD.finditer(text, first):
        is_whole = word.end() < len(text) or word[0] != word[0].rstrip() or _SENTENCE_END.search(word[0])
        if not is_whole or is_masked(word[0].strip(), starts_sentence=is_sentence_start(text[: word.start()])):
            break
        end = word.start() + len(word[0].rstrip())
    return text[place : max(end, place)]


def is_sentence_start(before: str) -> bool:
    return not before.strip() or bool(_SENTENCE_END.search(before))


def is_masked(word: str, starts_sentence: bool) -> bool:
    """Whether a word is a name (capitalised within a sentence), a number, or a pronoun with a gender."""
    bare = word.strip(".,;:!?\"'()")
    if any(character.isdigit() for character in bare) or bare.lower() in PRONOUNS:
        return True
    return bare[:1].isupper() and not starts_sentence and bare not in CAPITALISED
