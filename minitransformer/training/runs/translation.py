"""Training a translator on a table of sources and targets. Its folder is that of training/runs/best.py, and has

training/
  tokenizer/    its vocabulary, which source and target share
"""

import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from minitransformer.batches.epochs import Epochs
from minitransformer.batches.translation import TranslationBatch, pairs_of
from minitransformer.corpora.tables import TRANSLATIONS, Table, read_table
from minitransformer.errors import UserError
from minitransformer.evaluation.translation import TranslationQuality, translation_quality, translation_report
from minitransformer.formatting import in_words
from minitransformer.inference.translation import translate
from minitransformer.models.lstm_seq2seq import LstmSeq2Seq
from minitransformer.models.lstm_seq2seq_config import LstmSeq2SeqConfig
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.models.seq2seq_config import Seq2SeqConfig
from minitransformer.models.translator import Translator
from minitransformer.parallel import map_on_cores
from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer
from minitransformer.text.character_tokenizer import CharacterTokenizer
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
from minitransformer.text.tokenizer_config import TOKENIZER_CONFIG_FILE
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder
from minitransformer.training.checkpoint import take_the_mean
from minitransformer.training.optimizer.schedule import SCHEDULES
from minitransformer.training.runs.best import BestModelRun
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.tasks.task import Task

BYTES, CHARACTERS = "bytes", "characters"  # kinds of tokenizers
TRANSFORMER = "transformer"
LSTM_ATTENTIONS = {"lstm": "luong", "lstm-bahdanau": "bahdanau", "lstm-without-attention": "none"}
ARCHITECTURES = TRANSFORMER, *LSTM_ATTENTIONS
DEFAULT_VOCAB_SIZE = 512  # of bytes
TOKENIZER_FILES = "tokenizer.json", TOKENIZER_CONFIG_FILE
FEWEST_POSITIONS = 64  # unless it is said
EXAMPLES = 5  # in the report
LOSSES_AT_ONCE = 64  # pairs of the dev table


@dataclass(frozen=True, kw_only=True)
class TranslationSettings(TrainingSettings):
    """What training a translator is told, in addition to what TrainingSettings names.

    train, dev             tables with the columns source and target, to learn from and to evaluate on
    epochs                 times through the training table
    batch_size             pairs per step
    evaluations_per_epoch  how often the model is evaluated and a checkpoint saved
    translated             pairs of dev, the first ones, whose sources are translated in an evaluation
    averaged               the last evaluated models, of which the mean is evaluated, too; None for no mean
    tokenizer              "bytes" for byte pairs, which are learnt from both columns, or "characters"
    vocab_size             tokens of the vocabulary of byte pairs; None for 512
    architecture           "transformer", or "lstm" (with Luong's attention), "lstm-bahdanau", "lstm-without-attention"
    size                   a preset of Seq2SeqConfig; of an LSTM it is the width alone that counts
    max_length             positions: tokens of a source and of a target, at most; None for twice as many as the longest
                           of train, and at least 64
    dropout                of the embeddings and after each sub-layer
    label_smoothing        of the loss
    schedule               of the learning rate after its peak: "linear" to 0, or "noam", as one over the step's root
    """

    train: str
    dev: str
    learning_rate: float = 2e-3
    beta2: float = 0.98
    epochs: int = 20
    batch_size: int = 64
    evaluations_per_epoch: int = 1
    translated: int = 200
    averaged: int | None = None
    tokenizer: str = BYTES
    vocab_size: int | None = None
    architecture: str = TRANSFORMER
    size: str = "tiny"
    max_length: int | None = None
    dropout: float = 0.1
    label_smoothing: float = 0.1
    schedule: str = "linear"

    def new_model(self, vocab_size: int, eos_token_id: int, positions: int, seed: int | None) -> Translator:
        """A model with this vocabulary; the token that ends a text also begins one, and fills others' batches up."""
        common: dict[str, Any] = {
            "vocab_size": vocab_size,
            "max_position_embeddings": positions,
            "hidden_dropout_prob": self.dropout,
            "label_smoothing": self.label_smoothing,
            "eos_token_id": eos_token_id,
            "decoder_start_token_id": eos_token_id,
        }
        config = Seq2SeqConfig.preset(self.size, **common, pad_token_id=eos_token_id)
        if self.architecture == TRANSFORMER:
            return Seq2Seq(config, seed)
        attention = LSTM_ATTENTIONS[self.architecture]
        return LstmSeq2Seq(LstmSeq2SeqConfig(hidden_size=config.hidden_size, attention=attention, **common), seed)


class TranslationEvaluation(NamedTuple):
    """TranslationQuality of the pairs that were translated, and what a target token of all pairs costs."""

    exact_match: float
    chrf: float
    bleu: float
    nats_per_token: float


class TranslationRun(BestModelRun):
    """Of the models that are evaluated, the one with the highest sum of exact matches and chrF is kept."""

    settings_type = TranslationSettings
    settings: TranslationSettings
    tokenizer: LosslessTokenizer

    def prepare(self) -> None:
        settings = self.settings
        settings.new_model(1, 0, 1, seed=None)  # mistakes in its settings are found before the tables are read
        train, self.dev = (read_table(path, TRANSLATIONS) for path in (settings.train, settings.dev))
        tokenizer_folder = self.training_folder / "tokenizer"
        if not all((tokenizer_folder / file).exists() for file in TOKENIZER_FILES):
            self._make_tokenizer(train).save_pretrained(tokenizer_folder)
        self.tokenizer = tokenizer_of_folder(tokenizer_folder)
        self.pairs = pairs_of(train, self.tokenizer, settings.max_length or sys.maxsize)
        longest = max(int(tokens.lengths.max()) for tokens in self.pairs.inputs)
        positions = settings.max_length or max(2 * longest, FEWEST_POSITIONS)
        self.dev_pairs = pairs_of(self.dev, self.tokenizer, positions)
        self.tokenizer.model_max_length = positions
        ids = self.tokenizer.vocab_size, self.tokenizer.eos_token_id
        self.model = settings.new_model(*ids, positions, settings.seed)
        epochs = Epochs(len(self.pairs), settings.batch_size, settings.seed)
        self.task = Task(lambda step: self.pairs.select(epochs.examples(step)), settings.num_shards)
        self.steps = settings.epochs * epochs.steps_per_epoch
        self.schedule = SCHEDULES[settings.schedule]
        self.save_every = -(-epochs.steps_per_epoch // settings.evaluations_per_epoch)
        if (settings.averaged or 0) > len(self.kept_steps()):
            evaluations = f"the model is evaluated {len(self.kept_steps())} times"
            raise UserError(f"--averaged is {settings.averaged}, but {evaluations}; choose fewer, or more --epochs")

    def _make_tokenizer(self, train: Table) -> LosslessTokenizer:
        settings, texts = self.settings, [text for column in train.texts for text in column]
        if settings.tokenizer == BYTES:
            vocab_size = settings.vocab_size or DEFAULT_VOCAB_SIZE
            return BytePairTokenizer.train(texts, vocab_size, adds_eos=True)
        if settings.vocab_size is not None:
            raise UserError(
                f"a vocabulary of characters has those of the texts, not {settings.vocab_size}; leave --vocab-size "
                f"out, or choose --tokenizer {BYTES}"
            )
        return CharacterTokenizer.train(texts, adds_eos=True)

    def worth(self, metrics: Mapping[str, float]) -> float:
        """Of SQL only what is exactly right is of use; of sentences hardly any may be, and near misses decide."""
        return metrics["exact_match"] + metrics["chrf"]

    def evaluate(self) -> TranslationEvaluation:
        return TranslationEvaluation(*self._quality(), mean_loss(self.model, self.dev_pairs))

    def kept_steps(self) -> list[int]:
        evaluated = [*range(self.save_every, self.steps, self.save_every), self.steps]
        return evaluated[-self.settings.averaged :] if self.settings.averaged else []

    def make_another(self) -> TranslationEvaluation | None:
        """The mean of the last checkpoints (Vaswani et al. 2017, section 6.1), if the settings ask for it."""
        if not self.settings.averaged:
            return None
        checkpoints = self.checkpoints().by_step()
        take_the_mean(self.model, [checkpoints[step] for step in self.kept_steps()])
        evaluation = self.evaluate()
        tqdm.write(f"the mean of the last {self.settings.averaged}, held-out: {in_words(evaluation._asdict())}")
        return evaluation

    def _quality(self) -> TranslationQuality:
        chosen = slice(self.settings.translated)
        found = translate(self.model, self.dev_pairs.sources.select(chosen))
        return translation_quality([self.tokenizer.decode(ids) for ids in found], self.dev.texts[1][chosen])

    def identity(self) -> dict[str, Any]:
        tables = {"train": self.settings.train, "dev": self.settings.dev}
        checksums = {f"checksum of --{name}": zlib.crc32(Path(file).read_bytes()) for name, file in tables.items()}
        return {**super().identity(), **checksums}

    def describe(self) -> str:
        settings = self.settings
        return (
            f"Pairs: {len(self.pairs):,} of {settings.train} with {self.pairs.counts:,} target tokens, "
            f"{len(self.dev_pairs):,} of {settings.dev}\n"
            f"Model: {settings.architecture}, {settings.size}, {self.tokenizer.vocab_size:,} tokens in its vocabulary "
            f"({settings.tokenizer}), {self.model.num_parameters:,} parameters\n"
            f"Training: {settings.epochs} epochs, {self.steps:,} steps of {settings.batch_size} pairs"
        )

    def report(self, metrics: Mapping[str, float]) -> str:
        """The best evaluation, and some sources with what the model makes of them."""
        evaluation = TranslationEvaluation(**metrics)
        sources, targets = (column[:EXAMPLES] for column in self.dev.texts)
        found = translate(self.model, self.dev_pairs.sources.select(slice(EXAMPLES)))
        lines = [
            f"{source}\n  {self.tokenizer.decode(ids)}\n  ({target})"
            for source, target, ids in zip(sources, targets, found, strict=True)
        ]
        plain = f"{evaluation.nats_per_token:.3f} nats for each token of the targets, without smoothing"
        count = min(self.settings.translated, len(self.dev_pairs))
        table = translation_report(TranslationQuality(*evaluation[:3]), count)
        examples = "\n".join(lines)
        return f"The best model on {self.settings.dev}\n{table}\n{plain}\n\nSources, translations (targets)\n{examples}"


def mean_loss(model: Translator, pairs: TranslationBatch) -> float:
    """What a target token costs, in nats, with the true ones before it; on all cores."""
    batches = [slice(first, first + LOSSES_AT_ONCE) for first in range(0, len(pairs), LOSSES_AT_ONCE)]

    def loss_of(batch: slice) -> float:
        return model.forward(*pairs.select(batch).inputs, of_step=pairs.counts)[0].nats_per_token

    return float(np.sum([*map_on_cores(loss_of, batches)]))
