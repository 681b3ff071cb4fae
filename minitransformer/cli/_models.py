"""Finding the model that a command was given."""

from __future__ import annotations

import warnings
from pathlib import Path

from minitransformer.errors import UserError
from minitransformer.interop.hub import model_folder
from minitransformer.interop.safetensors_files import open_tensors
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens

HEADS = {"masked-LM": "cls.predictions.", "next-sentence": "cls.seq_relationship."}


def load_pretraining_model(name: str, *heads: str) -> tuple[BertForPreTraining, BertTokenizer]:
    """The model and tokenizer of a folder or hub name. Raises UserError if the model lacks one of these heads."""
    folder = model_folder(name)
    check_heads(folder, heads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what else the folder has or lacks: this command doesn't use it
        model = BertForPreTraining.from_pretrained(folder)
    return model, BertTokenizer.from_pretrained(folder)


def check_heads(folder: Path, heads: tuple[str, ...]) -> None:
    tensors = open_tensors(folder)
    for head in heads:
        if not any(tensor.startswith(HEADS[head]) for tensor in tensors):
            raise UserError(
                f"{folder} has no {head} head, so it can't answer this; "
                "a model from `minitransformer pretrain` or a BertForPreTraining checkpoint has one"
            )


def check_length(tokens: PackedTokens, model: BertForPreTraining) -> None:
    """Raises UserError for a text that is longer than the model's positions."""
    longest, limit = int(tokens.lengths.max()), model.config.max_position_embeddings
    if longest > limit:
        raise UserError(f"the text has {longest} tokens with [CLS] and [SEP], but the model takes {limit}; shorten it")
