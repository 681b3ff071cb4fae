"""What the commands share that ask a translator: finding it, its options, and the translations of a table."""

import click

from minitransformer.batches.translation import tokens_of
from minitransformer.cli._models import check_vocabulary
from minitransformer.cli._ranges import POSITIVE
from minitransformer.corpora.tables import TRANSLATIONS, read_table
from minitransformer.inference.translation import translate
from minitransformer.interop.config_file import read_config_file
from minitransformer.interop.model_files import ModelFiles
from minitransformer.models.lstm_seq2seq import LstmSeq2Seq
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.models.translator import Translator
from minitransformer.text.lossless_files import DECODER_TOKENIZER_FILES
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder

beams_option = click.option(
    "--beams", default=1, show_default=True, type=POSITIVE, help="Beginnings to follow at once."
)
length_penalty_option = click.option(
    "--length-penalty", default=1.0, show_default=True, help="Above 1 prefers longer translations, below 1 shorter."
)


def load_translator(name: str) -> tuple[Translator, LosslessTokenizer]:
    """The model and tokenizer of a folder or hub name. Raises UserError if they aren't there or don't fit."""
    files = ModelFiles.of(name)
    folder = files.folder_with(*DECODER_TOKENIZER_FILES)
    is_recurrent = read_config_file(files.base)["model_type"] == LstmSeq2Seq.layout.model_type
    model: Translator = (LstmSeq2Seq if is_recurrent else Seq2Seq).from_pretrained(files)
    tokenizer = tokenizer_of_folder(folder)
    check_vocabulary(tokenizer, model.config.vocab_size, folder)
    return model, tokenizer


def translations_of(name: str, table: str, beams: int, length_penalty: float) -> tuple[list[str], list[str]]:
    """What the translator `name` makes of each source in a table, and the targets that stand there."""
    pairs = read_table(table, TRANSLATIONS)
    model, tokenizer = load_translator(name)
    sources = tokens_of(pairs, "source", tokenizer, model.config.max_position_embeddings)
    found = translate(model, sources, num_beams=beams, length_penalty=length_penalty)
    return [tokenizer.decode(ids) for ids in found], pairs.columns["target"]
