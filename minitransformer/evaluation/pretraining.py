"""How well a model fills masked tokens and knows next sentences, next to what a model that read nothing would get.

A loss of 4 says little by itself. A model that ignores the text and guesses each token as often as it occurs in the
corpus gets the unigram entropy, which is near 6. Anything below that was learnt from the context.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minitransformer.batches.masked_lm_batch import MaskedLMBatch
from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.batches.shards import sum_of_shares
from minitransformer.corpora.tokenized_corpus import Documents, TokenizedCorpus
from minitransformer.formatting import format_table
from minitransformer.models.bert_for_masked_lm import MaskedLMLoss
from minitransformer.models.bert_for_pretraining import PretrainingLoss
from minitransformer.parallel import map_on_cores
from minitransformer.text.bert_tokenizer import BertTokenizer


class PretrainingBaselines(NamedTuple):
    """What the metrics must beat: losses in nats, accuracies between 0 and 1.

    uniform                ln V, each token of the vocabulary equally likely: where an untrained model starts
    unigram_entropy        -sum p ln p over the tokens' shares p of the training text: guessing by frequency
    unigram_cross_entropy  the same guess on the held-out masked tokens: the mean of -ln p(token), where each token is
                           counted once more than it occurs, since some never occur in the training text
    commonest_token        accuracy on those tokens of always answering with the training text's most frequent token
    even_chance            ln 2, both answers to "is it the next sentence?" equally likely
    larger_class           accuracy of always giving the answer that is right more often; nan without next sentences
    """

    uniform: float
    unigram_entropy: float
    unigram_cross_entropy: float
    commonest_token: float
    even_chance: float
    larger_class: float


Batches = Sequence[PretrainingBatch | MaskedLMBatch]


def evaluate_pretraining(model: Any, batches: Batches, workers: int | None = None) -> Any:
    """Losses and accuracies over all the batches together, without dropout, on `workers` cores (default: all).

    That is a PretrainingLoss of a BertForPreTraining, or a MaskedLMLoss of a BertForMaskedLM.
    """
    counts = sum_of_shares([batch.counts for batch in batches])
    return sum_of_shares([*map_on_cores(lambda batch: model.forward(batch, of_step=counts)[0], batches, workers)])


def token_counts(corpus: TokenizedCorpus, documents: Documents, tokenizer: BertTokenizer) -> np.ndarray:
    """(V,) how often each token occurs in these documents of the corpus; 0 for [UNK], which is never asked for."""
    counts = np.zeros(tokenizer.vocab_size, np.int64)
    starts = corpus.sentence_starts
    for first, end in zip(starts[documents.first], starts[documents.end], strict=True):
        np.add.at(counts, corpus.token_ids[first:end], 1)
    counts[tokenizer.special_token_ids] = 0
    return counts


def pretraining_baselines(counts: np.ndarray, batches: Batches) -> PretrainingBaselines:
    """The baselines for these held-out batches; counts (V,) says how often each token occurs in the training text."""
    targets = np.concatenate([batch.masked_ids for batch in batches])
    shares = counts[counts > 0] / counts.sum()
    smoothed = (counts + 1) / (counts.sum() + len(counts))
    is_random = [batch.is_random_next for batch in batches if isinstance(batch, PretrainingBatch)]
    share_random = float(np.concatenate(is_random).mean()) if is_random else math.nan
    return PretrainingBaselines(
        uniform=math.log(len(counts)),
        unigram_entropy=float(-(shares * np.log(shares)).sum()),
        unigram_cross_entropy=float(-np.log(smoothed[targets]).mean()),
        commonest_token=float((targets == counts.argmax()).mean()),
        even_chance=math.log(2),
        larger_class=max(share_random, 1 - share_random),
    )


def pretraining_report(metrics: PretrainingLoss | MaskedLMLoss, baselines: PretrainingBaselines) -> str:
    """A table of the metrics next to what they must beat.

    >>> print(pretraining_report(PretrainingLoss(mlm=4.2, nsp=0.55, mlm_accuracy=0.283, nsp_accuracy=0.712),
    ...                          PretrainingBaselines(8.294, 6.35, 6.4, 0.046, 0.6931, 0.52)))
                             model  to beat
    masked tokens  loss      4.200    6.350  unigram entropy of the text
                                      6.400  unigram cross-entropy of these tokens
                                      8.294  ln V, all tokens equally likely
                   accuracy  28.3%     4.6%  always the commonest token
    next sentence  loss      0.550    0.693  ln 2, both answers equally likely
                   accuracy  71.2%    52.0%  always the larger class
    """
    m, b = metrics, baselines
    rows = [
        ["", "", "model", "to beat"],
        ["masked tokens", "loss", f"{m.mlm:.3f}", f"{b.unigram_entropy:.3f}", "unigram entropy of the text"],
        ["", "", "", f"{b.unigram_cross_entropy:.3f}", "unigram cross-entropy of these tokens"],
        ["", "", "", f"{b.uniform:.3f}", "ln V, all tokens equally likely"],
        ["", "accuracy", f"{m.mlm_accuracy:.1%}", f"{b.commonest_token:.1%}", "always the commonest token"],
    ]
    if isinstance(m, PretrainingLoss):
        rows += [
            ["next sentence", "loss", f"{m.nsp:.3f}", f"{b.even_chance:.3f}", "ln 2, both answers equally likely"],
            ["", "accuracy", f"{m.nsp_accuracy:.1%}", f"{b.larger_class:.1%}", "always the larger class"],
        ]
    return format_table(rows)
