"""How good a sentence encoder is on its dev examples while it trains. The measure depends on what these are:

    scored pairs                  Spearman's correlation of the cosines, times 100
    labelled pairs                accuracy of the pair classifier
    pairs that belong together    the rank of the right second text among all of them
    triplets                      how often the positive is nearer than the negative

Each comes with the health of the embeddings, which shows a collapse.
"""

from collections import namedtuple
from typing import Any

import numpy as np

from minitransformer.batches.sentence_examples import DevExamples, text_ids_of
from minitransformer.evaluation.embedding_health import embedding_health
from minitransformer.evaluation.ranking_metrics import ranking_metrics, triplet_accuracy
from minitransformer.evaluation.sts import evaluate_sts
from minitransformer.models.siamese_network import SiameseNetwork

CorrelationMetrics = namedtuple("CorrelationMetrics", "spearman pearson mean_cosine effective_rank")
RankingMetrics = namedtuple("RankingMetrics", "mean_reciprocal_rank accuracy mean_cosine effective_rank")
AccuracyMetrics = namedtuple("AccuracyMetrics", "accuracy mean_cosine effective_rank")


def evaluate_sentences(network: SiameseNetwork, dev: DevExamples) -> Any:
    """The metrics of a network on dev examples, the one that counts first."""
    encoder = network.encoder
    if dev.gold is not None:
        first, second = dev.columns
        sts = evaluate_sts(encoder.encode, first, second, dev.gold)
        return CorrelationMetrics(sts.spearman, sts.pearson, *sts.health[:2])
    embeddings = encoder.encode([text for column in dev.columns for text in column])
    health = embedding_health(embeddings)[:2]
    if len(dev.columns) == 3:
        return AccuracyMetrics(triplet_accuracy(*np.split(embeddings, 3)), *health)
    first_rows, second_rows = np.split(embeddings, 2)
    if dev.label_ids is not None and network.classifier:
        answers = network.classifier((first_rows, second_rows)).argmax(axis=1)
        return AccuracyMetrics(float((answers == dev.label_ids).mean()), *health)
    [answer_ids] = text_ids_of(dev.columns[1:])
    return RankingMetrics(*ranking_metrics(first_rows, second_rows, answer_ids), *health)
