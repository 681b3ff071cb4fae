"""What a text loses in an uncased vocabulary, which knows no accents: möchte becomes mochte, が becomes か."""

import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator

MUCH = 0.005  # of the characters: German and French have more, English has less


def note_lost_accents(sentences: Iterable[str]) -> Iterator[str]:
    """The sentences; after the last one, a note if many of their letters lose an accent or are taken apart."""
    others: Counter[str] = Counter()
    num_characters = 0
    for sentence in sentences:
        num_characters += len(sentence)
        if not sentence.isascii():
            others.update(character for character in sentence if not character.isascii())
        yield sentence
    lost = {character: count for character, count in others.items() if _is_changed(character)}
    if sum(lost.values()) > MUCH * num_characters:
        share = (
            f"{sum(lost.values()) / num_characters:.1%} of the characters, such as {max(lost, key=lost.__getitem__)},"
        )
        warnings.warn(f"{share} lose their accents or are taken apart; with --cased they stay", stacklevel=3)


def _is_changed(character: str) -> bool:
    return character.isalpha() and unicodedata.normalize("NFD", character) != character
