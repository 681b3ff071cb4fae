"""Finding the model that a command was given."""

from pathlib import Path

from minitransformer.errors import MissingHead, UserError
from minitransformer.interop.model_files import TOKENIZER_FILES, ModelFiles
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.models.gpt import Gpt
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.lossless_files import DECODER_TOKENIZER_FILES
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder


def load_pretraining_model(name: str, *needed: str) -> tuple[BertForPreTraining, BertTokenizer]:
    """The model and tokenizer of a folder or hub name. Raises UserError if the model lacks one of the needed heads."""
    files = ModelFiles.of(name)
    try:
        model = BertForPreTraining.from_pretrained(files, needed=needed)
        return model, BertTokenizer.from_pretrained(files.folder_with(*TOKENIZER_FILES))
    except MissingHead as error:
        raise MissingHead(
            f"{error}; a model from `minitransformer pretrain` or a BertForPreTraining checkpoint has one"
        ) from None


def load_gpt(name: str) -> tuple[Gpt, LosslessTokenizer]:
    """The decoder and tokenizer of a folder or hub name. Raises UserError if they aren't there or don't fit."""
    files = ModelFiles.of(name)
    folder = files.folder_with(*DECODER_TOKENIZER_FILES)
    gpt, tokenizer = Gpt.from_pretrained(files), tokenizer_of_folder(folder)
    check_vocabulary(tokenizer, gpt.config.vocab_size, folder)
    return gpt, tokenizer


def check_vocabulary(tokenizer: LosslessTokenizer, vocab_size: int, folder: Path) -> None:
    """Raises UserError for a tokenizer whose ids the model has no rows for."""
    if tokenizer.vocab_size > vocab_size:
        sizes = f"{tokenizer.vocab_size} tokens, but the model's has {vocab_size}"
        raise UserError(f"the tokenizer's vocabulary in {folder} has {sizes}; it belongs to another model")


def check_length(tokens: PackedTokens, model: BertForPreTraining) -> None:
    """Raises UserError for a text that is longer than the model's positions."""
    longest, limit = int(tokens.lengths.max()), model.config.num_positions
    if longest > limit:
        raise UserError(f"the text has {longest} tokens with [CLS] and [SEP], but the model takes {limit}; shorten it")
