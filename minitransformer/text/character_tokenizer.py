"""A token for each character: the smallest vocabulary, and the longest sequences."""

import unicodedata
from collections.abc import Iterable
from functools import cached_property
from typing import Self

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from minitransformer.errors import UserError
from minitransformer.text.lossless_files import WORDS, TokenizerContent, new_content
from minitransformer.text.lossless_tokenizer import LosslessTokenizer, bytes_of
from minitransformer.text.texts import check_text

ANY_CHARACTER = r"[\s\S]"


class CharacterTokenizer(LosslessTokenizer):
    """Text to the ids of its characters and back.

    >>> tokenizer = CharacterTokenizer.train("to be or not to be")
    >>> tokenizer.encode("not one")
    [3, 4, 6, 0, 4, 3, 2]
    >>> tokenizer.decode([1, 2, 2])
    'bee'
    """

    kind = WORDS
    tokenizer_class = "PreTrainedTokenizerFast"

    @classmethod
    def train(cls, texts: str | Iterable[str], model_max_length: int | None = None, adds_eos: bool = False) -> Self:
        """The characters of some texts, in the order of Unicode. Raises UserError if there are none."""
        characters: set[str] = set()
        for number, text in enumerate([texts] if isinstance(texts, str) else texts):
            check_text(text, f"texts[{number}]")
            characters.update(text)
        if not characters:
            raise UserError("the text is empty, so there are no characters to make a vocabulary of")
        return cls.of_content(new_content(cls.kind, sorted(characters), [], model_max_length, adds_eos))

    @classmethod
    def of_content(cls, content: TokenizerContent) -> Self:
        characters = [token for token in content.tokens if token not in content.special_tokens]
        if words := [token for token in characters if len(token) != 1]:
            raise UserError(f"its tokens must be single characters, found {words[0]!r}")
        backend = Tokenizer(models.WordLevel({token: i for i, token in enumerate(content.tokens)}))
        backend.pre_tokenizer = pre_tokenizers.Split(Regex(ANY_CHARACTER), "isolated")
        backend.decoder = decoders.Fuse()
        return cls(content, backend, bytes_of(content, {character: character.encode() for character in characters}))

    @cached_property
    def _id_of(self) -> dict[str, int]:
        return {token.decode(): i for i, token in enumerate(self.token_bytes) if token}

    def encode(self, text: str) -> list[int]:
        """The ids of a text's characters. Raises a UserError that names the first one outside the vocabulary."""
        check_text(text, "text")
        id_of = self._id_of
        try:
            return [id_of[character] for character in text]  # much faster than the library
        except KeyError as error:
            [character] = error.args
            name = unicodedata.name(character, "without a name")
            raise UserError(
                f"the text holds {character!r} (U+{ord(character):04X}, {name}), which isn't one of the "
                f"{len(id_of)} characters of this vocabulary; leave it out, or train a model on bytes"
            ) from None
