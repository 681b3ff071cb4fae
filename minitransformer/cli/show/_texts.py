"""A model, and a text as it reads it."""

import warnings
from typing import NamedTuple

import numpy as np

from minitransformer.cli._encoders import transformer_of
from minitransformer.cli._models import load_gpt
from minitransformer.errors import UserError
from minitransformer.interop.config_file import read_config_file
from minitransformer.interop.model_files import ModelFiles
from minitransformer.interop.sentence_transformers_folder import MODULES_FILE
from minitransformer.models.gpt import Gpt
from minitransformer.models.gpt_config import GptConfig
from minitransformer.models.lstm_seq2seq import LstmSeq2Seq
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.models.transformer_encoder import TransformerEncoder
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
from minitransformer.text.packed_tokens import PackedTokens

MOST_TOKENS = 128  # of a text in a picture: more are too small to read, and the weights grow with their square
TRANSLATORS = (Seq2Seq.layout.model_type, LstmSeq2Seq.layout.model_type)
VISIBLE = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})


class Reader(NamedTuple):
    """A model and its tokenizer: a BERT, also one in a sentence encoder, or a GPT."""

    model: TransformerEncoder | Gpt
    tokenizer: BertTokenizer | LosslessTokenizer
    sentence_encoder: SentenceEncoder | None = None  # that the encoder is in

    def read(self, text: str, second: str | None = None) -> PackedTokens:
        """The tokens of a text, or of a pair of texts for a BERT; a note says so if they are cut."""
        config = self.model.config
        positions = config.max_position_embeddings if isinstance(config, GptConfig) else config.num_positions
        limit = min(MOST_TOKENS, positions)
        if isinstance(self.tokenizer, BertTokenizer):
            tokens, cut = (self.tokenizer(text, second, length) for length in (None, limit))
        elif second is not None:
            raise UserError("a GPT reads one text, found two; leave the second one out")
        else:
            ids = self.tokenizer.encode(text)
            if not ids:
                raise UserError("the text is empty; give one with a token at least")
            tokens, cut = (PackedTokens.pack([ids[:length]]) for length in (None, limit))
        if len(cut.token_ids) < (num_tokens := len(tokens.token_ids)):
            warnings.warn(f"the text has {num_tokens} tokens; it is cut to {limit}, and read like that", stacklevel=2)
        return cut

    def names(self, tokens: PackedTokens) -> list[str]:
        """What each token is called; spaces and line ends can be seen."""
        if isinstance(self.tokenizer, BertTokenizer):
            return self.tokenizer.convert_ids_to_tokens(tokens.token_ids)
        return [token_name(self.tokenizer, i) for i in tokens.token_ids.tolist()]

    def is_special(self, tokens: PackedTokens) -> np.ndarray:
        """(N,), True for [CLS], [SEP] and the like, and for <|endoftext|>."""
        special = (
            self.tokenizer.special_token_ids
            if isinstance(self.tokenizer, BertTokenizer)
            else [self.tokenizer.eos_token_id]
        )
        return np.isin(tokens.token_ids, special)


def kind_of(name: str) -> str | None:
    """The model_type of a folder or hub name; None for a sentence encoder, whose folder says what is in it."""
    files = ModelFiles.of(name)
    if (files.folder_with(MODULES_FILE) / MODULES_FILE).exists():
        return None
    return str(read_config_file(files.base)["model_type"])


def token_name(tokenizer: LosslessTokenizer, token_id: int) -> str:
    """The token's text, with spaces and line ends that can be seen."""
    return tokenizer.decode([token_id]).translate(VISIBLE) or "<|endoftext|>"


def load_reader(name: str) -> Reader:
    """The BERT or GPT in a folder, or of that name on the hub. Raises UserError if there is none."""
    kind = kind_of(name)
    if kind == Gpt.layout.model_type:
        return Reader(*load_gpt(name))
    if kind in TRANSLATORS:
        raise UserError(f"{name} is a translator; `show translation` and `show architecture` take one")
    encoder = SentenceEncoder.from_pretrained(name)
    return Reader(transformer_of(encoder, name), encoder.tokenizer, encoder)
