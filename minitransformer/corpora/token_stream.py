"""A text as one long row of token ids on disk, in the form in which a decoder learns from it.

A folder (corpora/token_files.py) holds

    token_ids.bin   uint16 (uint32 for more than 65,536 tokens of vocabulary), <|endoftext|> after each document
    corpus.json     the number of tokens, and a fingerprint
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from minitransformer.corpora.token_files import (
    IDS_FILE,
    Spread,
    corpus_folder,
    dtype_of_ids,
    map_file,
    read_facts,
    write_facts,
)
from minitransformer.errors import UserError
from minitransformer.text.lossless_tokenizer import LosslessTokenizer


@dataclass(frozen=True, eq=False)
class TokenStream:
    """token_ids (tokens,), mapped into memory, and a fingerprint of them."""

    token_ids: NDArray[np.unsignedinteger]
    fingerprint: str

    @classmethod
    def build(
        cls, running_text: Iterable[str], tokenizer: LosslessTokenizer, folder: str | os.PathLike, spread: Spread = map
    ) -> Self:
        """Tokenise running text (corpora/corpus.py) into a folder and open it; memory doesn't grow with the text.

        `spread` is the built-in map or one that lets other processes help (training/machines.py).
        The folder appears when it is complete, in place of an older tokenised corpus. Raises UserError if there is no
        text, if the tokenizer can't read it, if the folder exists and is something else, or if the disk is full.
        """
        dtype, num_tokens = dtype_of_ids(tokenizer.vocab_size), 0
        with corpus_folder(Path(folder)) as new_folder:
            with (new_folder / IDS_FILE).open("wb") as file:
                for ids in spread(partial(_block_or_end, tokenizer, dtype), running_text):
                    file.write(ids.tobytes())
                    num_tokens += len(ids)
            if not num_tokens:
                raise UserError("the corpus holds no text")
            write_facts(new_folder, [IDS_FILE], num_tokens=num_tokens, token_dtype=dtype.str)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: str | os.PathLike) -> Self:
        """Map the ids in a folder into memory. Raises UserError if they are missing or too few or many."""
        dtype, num_tokens, fingerprint = read_facts(Path(folder), "token_dtype", "num_tokens", "fingerprint")
        return cls(map_file(Path(folder) / IDS_FILE, np.dtype(dtype), num_tokens), fingerprint)

    def split(self, held_out_share: float) -> tuple[NDArray, NDArray]:
        """The ids to train on, and this share of them, at the end, held out to test on.

        The latter begin with the last one to train on, from which the first one held out is predicted. Raises UserError
        if there are too few for two parts.
        """
        cut = int(len(self.token_ids) * (1 - held_out_share))
        if not 0 < cut < len(self.token_ids):
            too_few = f"the corpus has {len(self.token_ids)} tokens, too few to hold {held_out_share:.0%} of them out"
            raise UserError(f"{too_few} for evaluation; give more text")
        return self.token_ids[:cut], self.token_ids[cut - 1 :]


def _block_or_end(tokenizer: LosslessTokenizer, dtype: np.dtype, block: str) -> NDArray:
    """The ids of a block of text, or of the end of a document."""
    return np.array(tokenizer.encode(block) if block else [tokenizer.eos_token_id], dtype)
