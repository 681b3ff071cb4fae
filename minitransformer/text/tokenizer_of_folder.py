"""Which tokenizer a decoder's folder holds."""

import os
from pathlib import Path

from minitransformer.errors import errors_in
from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer
from minitransformer.text.character_tokenizer import CharacterTokenizer
from minitransformer.text.lossless_files import read_content
from minitransformer.text.lossless_tokenizer import LosslessTokenizer

TOKENIZERS: dict[str, type[LosslessTokenizer]] = {cls.kind: cls for cls in (BytePairTokenizer, CharacterTokenizer)}


def tokenizer_of_folder(path: str | os.PathLike) -> LosslessTokenizer:
    """The tokenizer in a folder. Raises UserError if there is none, or one of another kind (BERT's, say)."""
    with errors_in(f"the tokenizer in {path} can't be used"):
        content = read_content(Path(path))
        return TOKENIZERS[content.kind].of_content(content)
