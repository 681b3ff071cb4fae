"""minitransformer merge-lora MODEL ADAPTER --out DIR: a model and an adapter of it as one model."""

import shutil
from functools import partial
from pathlib import Path

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.errors import UserError
from minitransformer.files import replace_all
from minitransformer.interop.config_file import read_config_file
from minitransformer.interop.hub import model_folder
from minitransformer.interop.lora_settings import ADAPTER_CONFIG_FILE, is_adapter
from minitransformer.interop.model_files import TOKENIZER_FILES, ModelFiles
from minitransformer.interop.sentence_transformers_folder import MODULES_FILE
from minitransformer.models.bert import Bert
from minitransformer.models.bert_for_masked_lm import BertForMaskedLM
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.models.bert_for_sequence_classification import BertForSequenceClassification
from minitransformer.models.encoders import encoder_of_folder
from minitransformer.models.gpt import Gpt
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.siamese_network import SiameseNetwork, has_pair_classifier
from minitransformer.models.trainable import TrainableModel
from minitransformer.training.runs.run import check_new

BERTS_WITH_HEADS: dict[str, type[PretrainedModel]] = {  # by a tensor of the head
    "classifier.weight": BertForSequenceClassification,
    "cls.seq_relationship.weight": BertForPreTraining,
    "cls.predictions.bias": BertForMaskedLM,
}
COPIED = (*TOKENIZER_FILES, "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


@click.command()
@model_argument
@click.argument("adapter", type=click.Path())
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="The new model's folder.")
def command(model: str, adapter: str, out: Path) -> None:
    """Write a model whose weights hold what an adapter (LoRA) adds to them.

    ADAPTER is a folder from `finetune --lora`, from `train-sbert --lora` or from peft. MODEL is the model that it was
    trained on, wherever that is now: a folder, or a name on the Hugging Face hub. DIR becomes a model's folder.

    \b
    Example:
      minitransformer merge-lora my-bert my-adapter --out my-classifier
    """
    check_new(out)
    files = files_of(model, adapter)
    merged = merged_model(files)
    tokenizer = files.folder_with(*TOKENIZER_FILES)
    copies = {name: partial(shutil.copyfile, tokenizer / name) for name in COPIED if (tokenizer / name).exists()}
    replace_all(out, copies)
    merged.save_pretrained(out)
    click.echo(f"Saved to {out}: {type(merged).__name__}, {merged.num_parameters:,} parameters")


def files_of(model: str, adapter: str) -> ModelFiles:
    """The adapter's files with this model's, whatever model the adapter names."""
    folder, files = model_folder(adapter), ModelFiles.of(model)
    if not is_adapter(folder):
        raise UserError(f"{folder} is not an adapter: it has no {ADAPTER_CONFIG_FILE}")
    if files.are_adapted:
        raise UserError(f"{model} is an adapter itself; give the model that {adapter} was trained on")
    return ModelFiles(folder, files.base)


def merged_model(files: ModelFiles) -> TrainableModel:
    """What an adapter makes of a model, with the heads that the two have."""
    if read_config_file(files.base)["model_type"] == Gpt.layout.model_type:
        return Gpt.from_pretrained(files)
    if has_pair_classifier(files.folder):
        return SiameseNetwork.from_pretrained(files)
    family = encoder_of_folder(files.base)
    heads = BERTS_WITH_HEADS if family is Bert else {}
    tensors = {*files.tensors(family.layout.tensors)}
    kinds = [kind for tensor, kind in heads.items() if tensor in tensors]
    is_classifier = BertForSequenceClassification in kinds
    if (files.folder / MODULES_FILE).exists() or ((files.base / MODULES_FILE).exists() and not is_classifier):
        return SentenceEncoder.from_pretrained(files)
    return [*kinds, family][0].from_pretrained(files)
