"""A pretraining run: from text to a trained model. Its folder is that of training/runs/run.py, with three more entries.

training/
  pair_audit.txt                      facts about the sentence pairs, and the first of them to read
  tokenizer/                          its vocabulary
  corpus/                             its text as token ids (corpora/tokenized_corpus.py)
"""

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from minitransformer.batches.next_sentence import refuse_single_document
from minitransformer.batches.pair_audit import PairAudit, StretchAudit, audit_pairs, audit_stretches, share_of
from minitransformer.batches.pretraining_sampler import PretrainingSampler
from minitransformer.batches.stretches import Stretches
from minitransformer.corpora.accents import note_lost_accents
from minitransformer.corpora.installed_documentation import InstalledDocumentation
from minitransformer.corpora.text_files import TextFiles
from minitransformer.corpora.tokenized_corpus import HELD_OUT_EVERY, Documents, TokenizedCorpus, prepare_corpus
from minitransformer.errors import UserError
from minitransformer.evaluation.masked_examples import filled_examples
from minitransformer.evaluation.pretraining import (
    evaluate_pretraining,
    pretraining_baselines,
    pretraining_report,
    token_counts,
)
from minitransformer.files import replace_all
from minitransformer.interop.model_files import TOKENIZER_FILES, ModelFiles
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.bert_for_masked_lm import BertForMaskedLM, MaskedLMLoss
from minitransformer.models.bert_for_pretraining import BertForPreTraining, PretrainingLoss
from minitransformer.models.mimetic_start import mimetic_start
from minitransformer.randomness import generator
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.training.machines import Machines
from minitransformer.training.runs.run import Run, is_finished
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.tasks.task import Task

DEFAULT_SIZE, DEFAULT_VOCAB_SIZE = "tiny", 1500
MUCH_UNKNOWN = 0.1  # of the tokens: then a model would mostly learn to say [UNK]


@dataclass(frozen=True, kw_only=True)
class PretrainingSettings(TrainingSettings):
    """What a pretraining run is told, in addition to what TrainingSettings names.

    The defaults train BERT-tiny on the installed documentation in about three minutes on two cores. For such a short
    run they differ from the paper's: a high learning rate with the beta2 of Liu et al. 2019 (arXiv 1907.11692, section
    3.1), short pairs, no dropout (as Geiping, Goldstein 2022, arXiv 2212.14034, section 4.3), a small vocabulary, and
    the initial weights of models/mimetic_start.py.

    steps           updates of the weights
    save_every      steps from one checkpoint to the next; each is evaluated
    corpus          paths of text files; without any, the documentation of the installed Python, NumPy and SciPy
    further         a folder or hub name of a model to train further, with its tokenizer; None for a new one
    tokenizer_from  a folder or hub name of the tokenizer to use; None for one learnt from the corpus
    cased           whether the tokenizer that is learnt keeps capitals and accents
    size            of a new model, a preset of BertConfig; None for "tiny"
    vocab_size      tokens of the WordPiece vocabulary that is learnt; None for 1,500
    batch_size      sentence pairs per step
    max_length      tokens of a pair, the special ones included; a new model takes no longer texts
    next_sentence   whether to train on next sentences as well; if not, a pair is a single stretch of text
    whole_words     mask all pieces of a word together, not each piece for itself
    dropout         of the hidden states and attention weights of a new model; None for 0
    held_out_every  every n-th document is held out for evaluation (TokenizedCorpus.split)
    held_out_pairs  sentence pairs per evaluation

    Raises UserError for settings of something that is new, if it isn't.
    """

    steps: int = 2800
    learning_rate: float = 1.5e-3
    beta2: float = 0.98
    save_every: int = 400
    corpus: list[str] = field(default_factory=list)
    further: str | None = None
    tokenizer_from: str | None = None
    cased: bool = False
    size: str | None = None
    vocab_size: int | None = None
    batch_size: int = 32
    max_length: int = 64
    next_sentence: bool = True
    whole_words: bool = False
    dropout: float | None = None
    held_out_every: int = HELD_OUT_EVERY
    held_out_pairs: int = 1024

    def __post_init__(self) -> None:
        of_new_tokenizer = {"--cased": self.cased, "--vocab-size": self.vocab_size}
        of_new_model = {"--tokenizer": self.tokenizer_from, "--size": self.size, "--dropout": self.dropout}
        for source, settings in (
            (self.further, of_new_model | of_new_tokenizer),
            (self.tokenizer_from, of_new_tokenizer),
        ):
            given = [option for option, value in settings.items() if value is not None and value is not False]
            if source and given:
                raise UserError(f"{source} has its own vocabulary and sizes; leave out {', '.join(given)}")


class PretrainingRun(Run):
    """`corpus` is the run's text; `training` and `held_out` deal out pairs of the documents of its two parts."""

    settings_type = PretrainingSettings
    settings: PretrainingSettings
    tokenizer: BertTokenizer

    def __init__(self, folder: Path, settings: PretrainingSettings, machines: Machines | None = None) -> None:
        super().__init__(folder, settings, machines)
        self.audit_file = self.training_folder / "pair_audit.txt"

    def prepare(self) -> None:
        settings = self.settings
        tokenizer_folder, corpus_folder = self.training_folder / "tokenizer", self.training_folder / "corpus"
        if not corpus_folder.exists():
            check_sizes(settings)
            make = partial(make_tokenizer, settings)
            prepare_corpus(sentences_of(settings), tokenizer_folder, corpus_folder, make, self.machines.map)
        self.tokenizer = BertTokenizer.from_pretrained(tokenizer_folder)
        self.corpus = TokenizedCorpus.open(corpus_folder)
        if (unknown := share_of(self.tokenizer.unk_token_id, self.corpus)) > MUCH_UNKNOWN:
            warnings.warn(
                f"{unknown:.0%} of the text's tokens are unknown to the vocabulary; learn one from the text",
                stacklevel=4,
            )
        documents, held_out_documents = self.corpus.split(settings.held_out_every, 2 if settings.next_sentence else 1)
        self.training = self._sampler(documents)
        try:
            self.held_out = self._sampler(held_out_documents)
        except UserError:
            raise UserError(
                "the corpus is too small to hold a part of it out for evaluation: that takes some documents "
                "of at least six sentences"
            ) from None
        base = str(self.folder) if is_finished(self.folder) else settings.further
        self.model = first_model(settings, base, self.tokenizer)
        self.task = Task(self.training.batch, settings.num_shards)
        self.steps, self.save_every = settings.steps, settings.save_every

    @cached_property
    def held_out_batches(self) -> list[Any]:
        """The pairs of every evaluation: always the same ones, masked alike."""
        num_batches = -(-self.settings.held_out_pairs // self.settings.batch_size)
        return [self.held_out.batch(number) for number in range(num_batches)]

    def evaluate(self) -> Any:
        return evaluate_pretraining(self.model, self.held_out_batches)

    def identity(self) -> dict[str, Any]:
        return {**super().identity(), "corpus_fingerprint": self.corpus.fingerprint}

    @cached_property
    def audit(self) -> PairAudit | StretchAudit:
        """A look at the first epoch's pairs."""
        first = self.training.pairs(0)
        if isinstance(first, Stretches):
            return audit_stretches(first, self.corpus, self.tokenizer)
        return audit_pairs(first, self.corpus, self.training.documents, self.tokenizer)

    def train_and_finish(self, workers: int | None) -> dict[str, float]:
        self.machines.first(replace_all, self.training_folder, {self.audit_file.name: f"{self.audit}\n"})
        return super().train_and_finish(workers)

    def describe(self) -> str:
        settings, corpus = self.settings, self.corpus
        text = ", ".join(settings.corpus) or "the documentation of the installed Python, NumPy and SciPy"
        model = f"{settings.further}, trained further" if settings.further else f"BERT-{settings.size or DEFAULT_SIZE}"
        nsp = ", nsp of the next sentences" if settings.next_sentence else ""
        return (
            f"Text: {text}; {corpus.num_documents:,} documents, {corpus.num_tokens:,} tokens\n"
            f"{self.audit.summary}; the first ones are in {self.audit_file}\n"
            f"Model: {model}, {self.tokenizer.vocab_size:,} tokens in its vocabulary, "
            f"{self.model.num_parameters:,} parameters\n"
            f"Losses, in nats: mlm of the masked tokens{nsp}\n"
            f"Training: {settings.steps:,} steps of {settings.batch_size} {self.audit.what}, "
            f"{settings.steps / self.training.steps_per_epoch:.1f} times through the text"
        )

    def report(self, metrics: Mapping[str, float]) -> str:
        """The evaluation next to its baselines, and some masks that the model fills."""
        counts = token_counts(self.corpus, self.training.documents, self.tokenizer)
        baselines = pretraining_baselines(counts, self.held_out_batches)
        rng = generator(self.settings.seed, "masked examples")
        examples = filled_examples(self.model, self.tokenizer, self.corpus, self.held_out.documents, rng)
        loss = PretrainingLoss(**metrics) if self.settings.next_sentence else MaskedLMLoss(**metrics)
        table = pretraining_report(loss, baselines)
        return "\n\n".join([f"On held-out documents\n{table}", *examples])

    def _sampler(self, documents: Documents) -> PretrainingSampler:
        s = self.settings
        options = s.batch_size, s.max_length, s.seed, s.whole_words, s.next_sentence
        return PretrainingSampler(self.corpus, documents, self.tokenizer, *options)


def sentences_of(settings: PretrainingSettings) -> Iterator[str]:
    """The corpus, and what there is to say of it for what it is to be used for."""
    text = TextFiles(settings.corpus) if settings.corpus else InstalledDocumentation()
    sentences = text.with_progress("reading", text.sentences)
    if settings.next_sentence:
        sentences = refuse_single_document(sentences)
    is_uncased = not (settings.cased or settings.further or settings.tokenizer_from)
    return note_lost_accents(sentences) if is_uncased else sentences


def check_sizes(settings: PretrainingSettings) -> None:
    """Raise UserError for sizes that make no model, before any text is read."""
    if settings.further is None:
        new_config(settings, settings.vocab_size or DEFAULT_VOCAB_SIZE)
        return
    positions = model_type(settings).from_pretrained(settings.further).config.max_position_embeddings
    if settings.max_length > positions:
        raise UserError(f"max_length is {settings.max_length}, but {settings.further} takes {positions} tokens at most")


def make_tokenizer(settings: PretrainingSettings, sentences: Iterable[str]) -> BertTokenizer:
    """The tokenizer that the settings name, or one that is learnt from the sentences."""
    if name := settings.further or settings.tokenizer_from:
        tokenizer = BertTokenizer.from_pretrained(ModelFiles.of(name).folder_with(*TOKENIZER_FILES))
        if settings.tokenizer_from:
            tokenizer.model_max_length = settings.max_length
        return tokenizer
    size = settings.vocab_size or DEFAULT_VOCAB_SIZE
    return BertTokenizer.train(sentences, size, not settings.cased, model_max_length=settings.max_length)


def first_model(
    settings: PretrainingSettings, base: str | None, tokenizer: BertTokenizer
) -> BertForPreTraining | BertForMaskedLM:
    """The model as training begins with it: the one to train further, or a new one."""
    if base is None:
        model = model_type(settings)(new_config(settings, tokenizer.vocab_size), seed=settings.seed)
        mimetic_start(model.bert)
        return model
    model = model_type(settings).from_pretrained(base, seed=settings.seed)
    if tokenizer.vocab_size > model.config.vocab_size:
        sizes = f"{tokenizer.vocab_size} tokens, but the model {model.config.vocab_size}"
        raise UserError(f"the tokenizer of {base} has {sizes}; they are of different models")
    return model


def model_type(settings: PretrainingSettings) -> type[BertForPreTraining] | type[BertForMaskedLM]:
    return BertForPreTraining if settings.next_sentence else BertForMaskedLM


def new_config(settings: PretrainingSettings, vocab_size: int) -> BertConfig:
    """The preset with this vocabulary, and initial weights whose size suits its width: 0.06 for 128 columns.

    At BERT-base's 768 that is 0.024, near the published 0.02. With 0.02, BERT-tiny stays on the plateau for long.
    """
    size, dropout = settings.size or DEFAULT_SIZE, settings.dropout or 0.0
    return BertConfig.preset(
        size,
        initializer_range=0.06 * math.sqrt(128 / BertConfig.preset(size).hidden_size),
        vocab_size=vocab_size,
        max_position_embeddings=settings.max_length,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
