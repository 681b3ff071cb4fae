"""A pretraining run: from text to a trained model. Its folder is that of training/runs/run.py, with three more entries.

training/
  pair_audit.txt                      facts about the sentence pairs, and the first of them to read
  tokenizer/                          its vocabulary
  corpus/                             its text as token ids (corpora/tokenized_corpus.py)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from minitransformer.batches.next_sentence import refuse_single_document
from minitransformer.batches.pair_audit import PairAudit, audit_pairs
from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.batches.pretraining_sampler import PretrainingSampler
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
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.bert_for_pretraining import BertForPreTraining, PretrainingLoss
from minitransformer.models.mimetic_start import mimetic_start
from minitransformer.randomness import generator
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.training.runs.run import Run
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.tasks.task import Task


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
    size            a preset of BertConfig
    vocab_size      tokens of the WordPiece vocabulary that is learnt from the corpus
    batch_size      sentence pairs per step
    max_length      tokens of a pair, the special ones included; the model takes no longer texts
    whole_words     mask all pieces of a word together, not each piece for itself
    dropout         of the hidden states and of the attention weights
    held_out_every  every n-th document is held out for evaluation (TokenizedCorpus.split)
    held_out_pairs  sentence pairs per evaluation
    """

    steps: int = 2800
    learning_rate: float = 1.5e-3
    beta2: float = 0.98
    save_every: int = 400
    corpus: list[str] = field(default_factory=list)
    size: str = "tiny"
    vocab_size: int = 1500
    batch_size: int = 32
    max_length: int = 64
    whole_words: bool = False
    dropout: float = 0.0
    held_out_every: int = HELD_OUT_EVERY
    held_out_pairs: int = 1024

    def model_config(self) -> BertConfig:
        """The preset with this vocabulary, and initial weights whose size suits its width: 0.06 for 128 columns.

        At BERT-base's 768 that is 0.024, near the published 0.02. With 0.02, BERT-tiny stays on the plateau for long.
        """
        hidden_size = BertConfig.preset(self.size).hidden_size
        return BertConfig.preset(
            self.size,
            initializer_range=0.06 * math.sqrt(128 / hidden_size),
            vocab_size=self.vocab_size,
            max_position_embeddings=self.max_length,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
        )


class PretrainingRun(Run):
    """`corpus` is the run's text; `training` and `held_out` deal out pairs of the documents of its two parts."""

    settings_type = PretrainingSettings
    settings: PretrainingSettings
    tokenizer: BertTokenizer

    def __init__(self, folder: Path, settings: PretrainingSettings) -> None:
        super().__init__(folder, settings)
        self.audit_file = self.training_folder / "pair_audit.txt"

    def prepare(self) -> None:
        settings = self.settings
        config = settings.model_config()  # its mistakes are found before the text is read
        tokenizer_folder, corpus_folder = self.training_folder / "tokenizer", self.training_folder / "corpus"
        if not corpus_folder.exists():
            text = TextFiles(settings.corpus) if settings.corpus else InstalledDocumentation()
            sentences = refuse_single_document(text.with_progress("reading", text.sentences))
            prepare_corpus(sentences, tokenizer_folder, corpus_folder, settings.vocab_size, settings.max_length)
        self.tokenizer = BertTokenizer.from_pretrained(tokenizer_folder)
        self.corpus = TokenizedCorpus.open(corpus_folder)
        documents, held_out_documents = self.corpus.split(settings.held_out_every)
        self.training = self._sampler(documents)
        try:
            self.held_out = self._sampler(held_out_documents)
        except UserError:
            raise UserError(
                "the corpus is too small to hold a part of it out for evaluation: that takes some documents "
                "of at least six sentences"
            ) from None
        self.model = BertForPreTraining(config, seed=settings.seed)
        mimetic_start(self.model.bert)
        self.task = Task(self.training.batch, settings.num_shards)
        self.steps, self.save_every = settings.steps, settings.save_every

    @cached_property
    def held_out_batches(self) -> list[PretrainingBatch]:
        """The pairs of every evaluation: always the same ones, masked alike."""
        num_batches = -(-self.settings.held_out_pairs // self.settings.batch_size)
        return [self.held_out.batch(number) for number in range(num_batches)]

    def evaluate(self) -> PretrainingLoss:
        return evaluate_pretraining(self.model, self.held_out_batches)

    def identity(self) -> dict[str, Any]:
        return {**super().identity(), "corpus_fingerprint": self.corpus.fingerprint}

    @cached_property
    def audit(self) -> PairAudit:
        """A look at the first epoch's pairs."""
        return audit_pairs(self.training.pairs(0), self.corpus, self.training.documents, self.tokenizer)

    def train(self, workers: int | None = None) -> dict[str, float]:
        replace_all(self.training_folder, {self.audit_file.name: f"{self.audit}\n"})
        return super().train(workers)

    def describe(self) -> str:
        settings, corpus, audit = self.settings, self.corpus, self.audit
        text = ", ".join(settings.corpus) or "the documentation of the installed Python, NumPy and SciPy"
        return (
            f"Text: {text}; {corpus.num_documents:,} documents, {corpus.num_tokens:,} tokens\n"
            f"Pairs: {audit.num_pairs:,} per epoch, {audit.random_share:.0%} with a random second text, "
            f"{audit.mean_length:.0f} tokens on average; the first ones are in {self.audit_file}\n"
            f"Model: BERT-{settings.size}, {settings.vocab_size:,} tokens in its vocabulary, "
            f"{self.model.num_parameters:,} parameters\n"
            "Losses, in nats: mlm of the masked tokens, nsp of the next sentences\n"
            f"Training: {settings.steps:,} steps of {settings.batch_size} sentence pairs, "
            f"{settings.steps / self.training.steps_per_epoch:.1f} times through the text"
        )

    def report(self, metrics: Mapping[str, float]) -> str:
        """The evaluation next to its baselines, and some masks that the model fills."""
        counts = token_counts(self.corpus, self.training.documents, self.tokenizer)
        baselines = pretraining_baselines(counts, self.held_out_batches)
        rng = generator(self.settings.seed, "masked examples")
        examples = filled_examples(self.model, self.tokenizer, self.corpus, self.held_out.documents, rng)
        table = pretraining_report(PretrainingLoss(**metrics), baselines)
        return "\n\n".join([f"On held-out documents\n{table}", *examples])

    def _sampler(self, documents: Documents) -> PretrainingSampler:
        s = self.settings
        options = s.batch_size, s.max_length, s.seed, s.whole_words
        return PretrainingSampler(self.corpus, documents, self.tokenizer, *options)
