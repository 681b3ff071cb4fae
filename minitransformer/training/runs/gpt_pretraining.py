"""Pretraining a decoder: from text to a trained GPT. Its folder is that of training/runs/best.py, and has

training/
  tokenizer/    its vocabulary
  corpus/       its text as token ids (corpora/token_stream.py)
"""

import dataclasses
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from minitransformer.batches.language_modelling import WindowSampler
from minitransformer.corpora.corpus import Corpus
from minitransformer.corpora.installed_documentation import InstalledDocumentation
from minitransformer.corpora.text_files import TextFiles
from minitransformer.corpora.token_stream import TokenStream
from minitransformer.errors import UserError
from minitransformer.evaluation.language_modelling import (
    LanguageModelling,
    LanguageModellingBaselines,
    count_characters,
    evaluate_language_model,
    language_modelling_baselines,
    language_modelling_report,
)
from minitransformer.inference.generation.generate import generate
from minitransformer.interop.model_files import ModelFiles
from minitransformer.models.gpt import Gpt
from minitransformer.models.gpt_config import GptConfig
from minitransformer.randomness import generator
from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer
from minitransformer.text.character_tokenizer import CharacterTokenizer
from minitransformer.text.lossless_files import DECODER_TOKENIZER_FILES
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder
from minitransformer.training.lora import LoraTrainingSettings, adapt, check_lora, frozen_identity
from minitransformer.training.runs.best import BestModelRun
from minitransformer.training.tasks.task import Task

BYTES, CHARACTERS = "bytes", "characters"  # kinds of tokenizers
TEMPERATURE, EXAMPLE_TOKENS = 0.8, 512  # of the example in the report, and tokens to find its beginning in
DEFAULT_VOCAB_SIZE = 1024  # of bytes
OF_A_NEW_MODEL = ("tokenizer", "vocab_size", "size", "dropout")  # settings
ENOUGH_TEXT = 100  # tokens of text for each one in the vocabulary; of less, too many tokens have hardly been seen


@dataclass(frozen=True, kw_only=True)
class GptPretrainingSettings(LoraTrainingSettings):
    """What pretraining a decoder is told, in addition to what LoraTrainingSettings names.

    The defaults train GPT-tiny on the installed documentation in about two minutes on two cores. As in BERT's
    pretraining, a short run wants a high learning rate, a small vocabulary and no dropout.

    steps            updates of the weights
    save_every       steps from one checkpoint to the next; each is evaluated, and the best model is kept
    corpus           paths of text files; without any, the documentation of the installed Python, NumPy and SciPy
    model            the folder or hub name of a GPT to train further, with its tokenizer; None for a new one, which
                     tokenizer, vocab_size, size and dropout belong to
    tokenizer        "bytes" for byte pairs, which are learnt from the corpus, or "characters"
    vocab_size       tokens of the vocabulary of byte pairs; None for 1,024, or for the characters of the corpus
    size             a preset of GptConfig
    batch_size       windows of the text per step
    max_length       tokens of a window; the model takes no longer texts
    dropout          of the embeddings, the hidden states and the attention weights
    held_out_share   of the text, at its end, for evaluation
    held_out_tokens  at most this many tokens of it are read in an evaluation
    """

    steps: int = 1500
    learning_rate: float = 3e-3
    beta2: float = 0.99
    weight_decay: float = 0.1
    save_every: int = 150
    corpus: list[str] = field(default_factory=list)
    model: str | None = None
    tokenizer: str = BYTES
    vocab_size: int | None = None
    size: str = "tiny"
    batch_size: int = 16
    max_length: int = 128
    dropout: float = 0.0
    held_out_share: float = 0.1
    held_out_tokens: int = 2**17

    def model_config(self, vocab_size: int, eos_token_id: int) -> GptConfig:
        """The preset with this vocabulary, and initial weights whose size suits its width, as in BERT's pretraining."""
        hidden_size = GptConfig.preset(self.size).hidden_size
        return GptConfig.preset(
            self.size,
            initializer_range=0.06 * math.sqrt(128 / hidden_size),
            vocab_size=vocab_size,
            max_position_embeddings=self.max_length,
            embedding_dropout_prob=self.dropout,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
            bos_token_id=eos_token_id,
            eos_token_id=eos_token_id,
        )


class GptPretrainingRun(BestModelRun):
    """`text` is the run's text as token ids, `held_out_ids` what the model is evaluated on."""

    settings_type = GptPretrainingSettings
    settings: GptPretrainingSettings
    tokenizer: LosslessTokenizer

    def prepare(self) -> None:
        settings = self.settings
        settings.model_config(vocab_size=1, eos_token_id=0)  # its mistakes are found before the text is read
        model = self._given_model()
        tokenizer_folder, text_folder = self.training_folder / "tokenizer", self.training_folder / "corpus"
        if not text_folder.exists():
            corpus = TextFiles(settings.corpus) if settings.corpus else InstalledDocumentation()
            self._make_tokenizer(corpus).save_pretrained(tokenizer_folder)
            blocks = corpus.with_progress("tokenising", corpus.running_text)
            TokenStream.build(blocks, tokenizer_of_folder(tokenizer_folder), text_folder, self.machines.map)
        self.tokenizer = tokenizer_of_folder(tokenizer_folder)
        self.text = TokenStream.open(text_folder)
        self.training_ids, held_out_ids = self.text.split(settings.held_out_share)
        self.held_out_ids = held_out_ids[: settings.held_out_tokens + 1]
        if not count_characters(self.tokenizer, self.held_out_ids[1:]):
            raise UserError("the part of the corpus that is held out for evaluation has no character; give more text")
        self.training = WindowSampler(self.training_ids, settings.batch_size, settings.max_length, settings.seed)
        vocab_size, eos_token_id = self.tokenizer.vocab_size, self.tokenizer.eos_token_id
        self.model = model or Gpt(settings.model_config(vocab_size, eos_token_id), seed=settings.seed)
        self.task = Task(self.training.batch, settings.num_shards)
        self.steps, self.save_every = settings.steps, settings.save_every

    def _given_model(self) -> Gpt | None:
        """The model to train further, if there is one. Raises UserError for settings that belong to a new one."""
        settings = self.settings
        check_lora(settings, settings.model)
        if settings.model is None:
            return None
        for field_ in dataclasses.fields(settings):
            if field_.name in OF_A_NEW_MODEL and getattr(settings, field_.name) != field_.default:
                option = f"--{field_.name.replace('_', '-')}"
                raise UserError(f"{option} belongs to a new model, and {settings.model} has its own; leave it out")
        model = Gpt.from_pretrained(settings.model)
        positions = model.config.max_position_embeddings
        if settings.max_length > positions:
            raise UserError(f"{settings.model} takes {positions} tokens; choose a --max-length up to that")
        adapt(model, settings.model, settings)
        return model

    def _make_tokenizer(self, corpus: Corpus) -> LosslessTokenizer:
        settings = self.settings
        if settings.model is not None:
            return tokenizer_of_folder(ModelFiles.of(settings.model).folder_with(*DECODER_TOKENIZER_FILES))
        if settings.tokenizer == CHARACTERS and settings.vocab_size is not None:
            raise UserError(
                f"a vocabulary of characters has those of the text, not {settings.vocab_size}; leave --vocab-size out, "
                f"or choose --tokenizer {BYTES}"
            )
        blocks = corpus.with_progress("learning the vocabulary", corpus.running_text)
        if settings.tokenizer == CHARACTERS:
            return CharacterTokenizer.train(blocks, settings.max_length)
        return BytePairTokenizer.train(blocks, settings.vocab_size or DEFAULT_VOCAB_SIZE, settings.max_length)

    def worth(self, metrics: Mapping[str, float]) -> float:
        """The lower the loss, the better."""
        return -metrics["nats_per_token"]

    def evaluate(self) -> LanguageModelling:
        return evaluate_language_model(self.model, self.tokenizer, self.held_out_ids)

    def identity(self) -> dict[str, Any]:
        frozen = frozen_identity(self.model, self.settings)
        return {**super().identity(), "corpus_fingerprint": self.text.fingerprint, **frozen}

    @cached_property
    def baselines(self) -> LanguageModellingBaselines:
        return language_modelling_baselines(self.tokenizer, self.training_ids, self.held_out_ids)

    def train(self, workers: int | None = None) -> dict[str, float]:
        tokens_of_each = len(self.training_ids) / self.tokenizer.vocab_size
        if self.settings.model is None and tokens_of_each < ENOUGH_TEXT:
            warnings.warn(
                f"the text has {tokens_of_each:.0f} tokens for each of the vocabulary, too few to learn what each "
                f"means; a smaller --vocab-size, --tokenizer {CHARACTERS} or more text will do better",
                stacklevel=2,
            )
        return super().train(workers)

    def describe(self) -> str:
        settings, num_held_out = self.settings, len(self.held_out_ids) - 1
        text = ", ".join(settings.corpus) or "the documentation of the installed Python, NumPy and SciPy"
        name, kind = (settings.model, "") if settings.model else (f"GPT-{settings.size}", f" ({settings.tokenizer})")
        return (
            f"Text: {text}; {len(self.training_ids):,} tokens to train on, {num_held_out:,} held out\n"
            f"Model: {name}, {self.tokenizer.vocab_size:,} tokens in its vocabulary{kind}, "
            f"{self.model.num_parameters:,} parameters, {self.model.storage.values.size:,} of them trained\n"
            f"Training: {settings.steps:,} steps of {settings.batch_size} windows of {settings.max_length} tokens, "
            f"{settings.steps / self.training.steps_per_epoch:.1f} times through the text"
        )

    @property
    def prompt_ids(self) -> list[int]:
        """The beginning of the first whole line of the held-out text, a quarter of what the model takes."""
        text = self.tokenizer.decode(self.held_out_ids[1 : 1 + EXAMPLE_TOKENS])
        ids = self.tokenizer.encode(text.partition("\n")[2] or text)
        return ids[: max(1, self.settings.max_length // 4)] or [self.tokenizer.eos_token_id]

    def report(self, metrics: Mapping[str, float]) -> str:
        """The evaluation next to its baselines, and how the model goes on with a line of the held-out text."""
        table = language_modelling_report(LanguageModelling(**metrics), self.baselines)
        new_ids = generate(
            self.model,
            self.prompt_ids,
            max_new_tokens=self.settings.max_length - len(self.prompt_ids),
            temperature=TEMPERATURE,
            rng=generator(self.settings.seed, "example"),
        )
        begins, goes_on = self.tokenizer.decode(self.prompt_ids), self.tokenizer.decode(new_ids)
        example = f"There it says\n\n{begins}\n\nand the model goes on (temperature {TEMPERATURE})\n\n{goes_on}"
        return f"On held-out text\n{table}\n\n{example}"
