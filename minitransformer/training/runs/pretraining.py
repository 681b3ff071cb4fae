"""A pretraining run: from text to a trained model. Its folder is that of training/runs/run.py, with three entries more.

training/
  pair_audit.txt                      facts about the sentence pairs, and the first of them to read
  tokenizer/                          its vocabulary
  corpus/                             its text as token ids (corpora/tokenized_corpus.py)
"""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from minitransformer.batches.next_sentence import refuse_single_document
from minitransformer.batches.pair_audit import PairAudit, audit_pairs
from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.batches.pretraining_sampler import PretrainingSampler
from minitransformer.corpora.installed_documentation import InstalledDocumentation
from minitransformer.corpora.text_files import TextFiles
from minitransformer.corpora.tokenized_corpus import Documents, TokenizedCorpus
from minitransformer.errors import UserError
from minitransformer.files import replacing
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.bert_for_pretraining import BertForPreTraining, PretrainingLoss
from minitransformer.models.mimetic_start import mimetic_start
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.training.checkpoint import Checkpoints
from minitransformer.training.loop import TrainingLoop
from minitransformer.training.runs.run import TrainingRun
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.tasks.pretraining import PretrainingTask

AUDIT_FILE = "pair_audit.txt"


@dataclass(frozen=True, kw_only=True)
class PretrainingSettings(TrainingSettings):
    """What a pretraining run is told, beside what TrainingSettings names.

    The defaults train BERT-tiny on the installed documentation in about three minutes on two cores. For such a short
    run they differ from the paper's: a high learning rate with the beta2 of Liu et al. 2019 (arXiv 1907.11692, section
    3.1), short pairs, no dropout (as Geiping, Goldstein 2022, arXiv 2212.14034, section 4.3), a small vocabulary, and
    the first weights of models/mimetic_start.py.

    steps           updates of the weights
    save_every      steps from one checkpoint to the next; each is evaluated
    corpus          paths of text files; without any, the documentation of the installed Python, NumPy and SciPy
    size            a preset of BertConfig
    vocab_size      tokens of the WordPiece vocabulary that is learnt from the corpus
    batch_size      sentence pairs of a step
    max_length      tokens of a pair, the special ones included; the model takes no longer texts
    whole_words     mask all pieces of a word together, not each piece for itself
    dropout         of the hidden states and of the attention weights
    held_out_every  of so many documents one is held out for evaluation
    held_out_pairs  sentence pairs of an evaluation
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
    held_out_every: int = 20
    held_out_pairs: int = 1024

    def model_config(self) -> BertConfig:
        """The preset with this vocabulary, and first weights whose size suits its width: 0.06 for 128 columns.

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


class PretrainingRun(TrainingRun):
    """`tokenizer` and `corpus` are the run's own, `documents` those of the corpus to train on.

    `training` and `held_out` deal out sentence pairs.
    """

    settings_type = PretrainingSettings

    def __init__(self, folder: Path, settings: PretrainingSettings) -> None:
        super().__init__(folder, settings)
        settings.model_config()  # its mistakes are found before the corpus is read
        self.tokenizer, self.corpus = self._tokenizer_and_corpus()
        self.documents, held_out_documents = self.corpus.split(settings.held_out_every)
        self.training = self._sampler(self.documents)
        try:
            self.held_out = self._sampler(held_out_documents)
        except UserError:
            raise UserError(
                "the corpus is too small to hold a part of it out for evaluation: that takes some documents "
                "of at least six sentences"
            ) from None

    def audit(self) -> PairAudit:
        """A look at the first epoch's pairs, which is also written to pair_audit.txt in the folder."""
        audit = audit_pairs(self.training.pairs(0), self.corpus, self.documents, self.tokenizer)
        with replacing(self.audit_file) as file:
            file.write_text(f"{audit}\n", encoding="utf-8")
        return audit

    def model(self) -> BertForPreTraining:
        """The model with its first weights."""
        model = BertForPreTraining(self.settings.model_config(), seed=self.settings.seed)
        mimetic_start(model.bert)
        return model

    def loop(self, model: BertForPreTraining, evaluate: Callable[[], PretrainingLoss]) -> TrainingLoop:
        """The loop that trains the model, from the last checkpoint on if there is one."""
        run = {**dataclasses.asdict(self.settings), "corpus_fingerprint": self.corpus.fingerprint}
        checkpoints = Checkpoints(self.checkpoints_folder, run, self.tokenizer.save_pretrained)
        task = PretrainingTask(self.training.batch, self.settings.num_shards)
        steps, save_every = self.settings.steps, self.settings.save_every
        return TrainingLoop(model, task, self.settings, checkpoints, self.metrics_file, evaluate, steps, save_every)

    def held_out_batches(self) -> list[PretrainingBatch]:
        """The pairs of every evaluation: always the same ones, masked alike."""
        num_batches = -(-self.settings.held_out_pairs // self.settings.batch_size)
        return [self.held_out.batch(number) for number in range(num_batches)]

    def finish(self, model: BertForPreTraining) -> None:
        """Write the trained model and its tokenizer into the folder, and remove the checkpoints."""
        self.tokenizer.save_pretrained(self.folder)
        model.save_pretrained(self.folder)
        shutil.rmtree(self.checkpoints_folder, ignore_errors=True)

    @property
    def audit_file(self) -> Path:
        return self.training_folder / AUDIT_FILE

    def _tokenizer_and_corpus(self) -> tuple[BertTokenizer, TokenizedCorpus]:
        """Those in the folder; or, if the run has none yet, new ones from its text."""
        tokenizer_folder, corpus_folder = self.training_folder / "tokenizer", self.training_folder / "corpus"
        if corpus_folder.exists():
            return BertTokenizer.from_pretrained(tokenizer_folder), TokenizedCorpus.open(corpus_folder)
        text = TextFiles(self.settings.corpus) if self.settings.corpus else InstalledDocumentation()
        refuse_single_document(text)
        sentences = with_progress(text, "learning the vocabulary")
        vocab_size, max_length = self.settings.vocab_size, self.settings.max_length
        tokenizer = BertTokenizer.train(sentences, vocab_size, model_max_length=max_length)
        tokenizer.save_pretrained(tokenizer_folder)
        return tokenizer, TokenizedCorpus.build(with_progress(text, "tokenising"), tokenizer, corpus_folder)

    def _sampler(self, documents: Documents) -> PretrainingSampler:
        settings = self.settings
        return PretrainingSampler(
            self.corpus,
            documents,
            self.tokenizer,
            settings.batch_size,
            settings.max_length,
            settings.seed,
            settings.whole_words,
        )


def with_progress(text: TextFiles | InstalledDocumentation, what: str) -> Iterator[str]:
    """The sentences of a corpus, with a progress bar in bytes."""
    with tqdm(desc=what, total=text.n_bytes, unit="B", unit_scale=True, disable=None) as progress:
        yield from text.sentences(progress)
