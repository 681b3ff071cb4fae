"""Twenty steps of a small model in float64, by all processes of a job; the first writes the values that come out.

python -m tests.mpi.steps pretraining|ranking|classification|towers FILE.npy
"""

import sys
from pathlib import Path

import numpy as np

from minitransformer import AdamW, Workers, clip_scale
from minitransformer.batches.sentence_examples import SiameseBatch
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.models.two_towers import new_towers
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.objectives.in_batch_negatives import InBatchNegativesObjective
from minitransformer.objectives.ranking import RankingObjective
from minitransformer.randomness import generator
from minitransformer.training.machines import this_job
from minitransformer.training.tasks.sentences import SiameseTask
from minitransformer.training.tasks.task import Task
from tests.small_encoders import small_encoder
from tests.small_models import pretraining_batch, pretraining_model

NUM_SHARDS, STEPS = 3, 20


def pretraining():
    model = pretraining_model(hidden_dropout_prob=0.1)
    return model, Task(lambda step: pretraining_batch(model.config, seed=step), NUM_SHARDS)


def pairs(encoder, targets=None):
    texts = [f"my dog is {word}" for word in ("cute", "a", "b", "c", "he")], ["cute", "a b", "b", "c .", "he likes"]
    tokens = encoder.tokenize([*texts[0], *texts[1]])
    return SiameseTask(lambda step: SiameseBatch(tokens, [5], targets), NUM_SHARDS)


def ranking():
    encoder = small_encoder(np.float64)
    return SiameseNetwork(encoder, RankingObjective()), pairs(encoder)


def classification():
    encoder = small_encoder(np.float64)
    network = SiameseNetwork(encoder, ClassificationObjective(encoder.embedding_size, 2), ("no", "yes"))
    return network, pairs(encoder, targets=np.array([0, 1, 1, 0, 1]))


def towers():
    network = new_towers(small_encoder(np.float64), 5, "cosine", shared=False, seed=0)
    network.learn(InBatchNegativesObjective(network.score, "identity"))
    return network, pairs(network.query)


KINDS = {"pretraining": pretraining, "ranking": ranking, "classification": classification, "towers": towers}


def main(kind, file):
    model, task = KINDS[kind]()
    optimizer, job = AdamW(model.storage), this_job()
    with Workers(model, 1, job) as workers:
        for step in range(STEPS):
            _, norm = task.gradients(workers, task.batch(step), generator(0, "dropout", step))
            optimizer.step(1e-3, clip_scale(norm, 1.0), workers.spread)
    if job.rank == 0:
        np.save(file, model.storage.values)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
