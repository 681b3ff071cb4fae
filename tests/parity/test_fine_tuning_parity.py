"""Twenty steps of fine-tuning equal PyTorch's: transformers' BERT, torch's losses and torch.optim.AdamW, same weights.

Without dropout, with clipping and with our schedule. The losses and every weight in the end are compared.
"""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the parity extra)")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (the parity extra)")
from torch.nn import functional as F  # noqa: E402

from minitransformer import BertForSequenceClassification, ClassifierSettings  # noqa: E402
from minitransformer.batches.classification_batch import ClassificationBatch  # noqa: E402
from minitransformer.batches.epochs import Epochs  # noqa: E402
from minitransformer.batches.sentence_examples import sentence_examples  # noqa: E402
from minitransformer.models.siamese_network import SiameseNetwork  # noqa: E402
from minitransformer.objectives.classification import ClassificationObjective  # noqa: E402
from minitransformer.objectives.ranking import RankingObjective  # noqa: E402
from minitransformer.objectives.regression import RegressionObjective  # noqa: E402
from minitransformer.training.optimizer.adamw import AdamW  # noqa: E402
from minitransformer.training.optimizer.clipping import clip_scale  # noqa: E402
from minitransformer.training.optimizer.learning_rates import rate_factors_by_depth  # noqa: E402
from minitransformer.training.optimizer.schedule import linear_warm_up_and_decay  # noqa: E402
from minitransformer.training.tasks.sentences import SiameseTask  # noqa: E402
from minitransformer.training.tasks.task import Task  # noqa: E402
from minitransformer.training.workers import Workers  # noqa: E402
from tests.small_models import random_tokens, small_config  # noqa: E402
from tests.small_tables import learning_encoder, sentences  # noqa: E402

STEPS, PEAK, WEIGHT_DECAY, MAX_NORM = 20, 0.01, 0.1, 1.0
EXAMPLES, BATCH_SIZE = 11, 4
NUM_SHARDS, WORKERS = 3, 2
COLUMNS = [sentences(EXAMPLES, seed, longest=6) for seed in (1, 2)]
SCORES = np.linspace(0, 1, EXAMPLES)
CLASSES = np.arange(EXAMPLES) % 3


def learning_rate(step):
    return PEAK * linear_warm_up_and_decay(step + 1, 5, STEPS + 1)


def our_losses(model, task, rate_factors=None):
    optimizer = AdamW(model.storage, weight_decay=WEIGHT_DECAY, rate_factors=rate_factors)
    losses = []
    with Workers(model, WORKERS) as workers:
        for step in range(STEPS):
            metrics, norm = task.gradients(workers, task.batch(step), None)
            losses.append(metrics["loss"])
            optimizer.step(learning_rate(step), clip_scale(norm, MAX_NORM))
    return losses


def their_losses(parameters, loss_of_step):
    """parameters: (tensor, what its learning rate is multiplied by)."""
    groups = [
        {"params": [p], "weight_decay": WEIGHT_DECAY if p.ndim > 1 else 0.0, "factor": factor}
        for p, factor in parameters
    ]
    optimizer = torch.optim.AdamW(groups)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of_step(step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p, _ in parameters], MAX_NORM)
        for group in optimizer.param_groups:
            group["lr"] = group["factor"] * learning_rate(step)
        optimizer.step()
        losses.append(loss.item())
    return losses


def twin(their_class, model, config, **settings):
    """transformers' model with our weights in float64, without dropout."""
    theirs = their_class(transformers.BertConfig(**dataclasses.asdict(config), **settings)).double().eval()
    tensors = {name: torch.from_numpy(value) for name, value in model.state_dict().items()}
    assert not any(theirs.load_state_dict(tensors))
    return theirs


def inputs_of(tokens):
    padded = {
        "input_ids": tokens.token_ids,
        "token_type_ids": tokens.segment_ids,
        "attention_mask": np.ones(len(tokens.token_ids), int),
    }
    return {name: torch.from_numpy(tokens.to_padded(rows)) for name, rows in padded.items()}


def assert_same_weights(model, theirs):
    values = model.state_dict()
    for name, parameter in theirs.named_parameters():
        if "pooler" not in name or parameter.grad is not None:  # ours decays where theirs has no gradient, and no use
            np.testing.assert_allclose(values[name], parameter.detach().numpy(), rtol=1e-5, atol=1e-7, err_msg=name)


# -- sentence embeddings -----------------------------------------------------------------------------------------------


def their_embeddings(theirs, tokens):
    inputs = inputs_of(tokens)
    mask = inputs["attention_mask"][:, :, None]
    return (theirs(**inputs).last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1)


def classification_loss(weight, bias, u, v, chosen):
    return F.cross_entropy(torch.cat([u, v, (u - v).abs()], dim=1) @ weight + bias, torch.tensor(CLASSES[chosen]))


def regression_loss(u, v, chosen):
    return F.mse_loss(F.cosine_similarity(u, v), torch.tensor(SCORES[chosen]))


def ranking_loss(u, v, chosen):
    texts, positives = ([column[i] for i in chosen] for column in COLUMNS)
    pairs = {*zip(texts, positives, strict=True)}
    right = [[a == b or (a, b) in pairs for b in positives] for a in texts]
    left_out = torch.tensor(right) & ~torch.eye(len(chosen), dtype=torch.bool)
    scores = 20 * F.normalize(u) @ F.normalize(v).T
    return F.cross_entropy(scores.masked_fill(left_out, float("-inf")), torch.arange(len(chosen)))


@pytest.mark.parametrize("objective_name", ["regression", "classification", "ranking"])
@pytest.mark.parametrize("gradient_caching", [False, True])
def test_twenty_steps_of_a_siamese_network_equal_pytorchs(objective_name, gradient_caching):
    encoder = learning_encoder(np.float64)
    theirs = twin(transformers.BertModel, encoder.encoder, encoder.config)
    targets = {"regression": SCORES, "classification": CLASSES, "ranking": None}[objective_name]
    objectives = {
        "regression": RegressionObjective(),
        "classification": ClassificationObjective(12, 3, init_std=0.5),
        "ranking": RankingObjective(),
    }
    network = SiameseNetwork(encoder, objectives[objective_name])
    parameters = [(p, 1.0) for p in theirs.parameters()]
    loss_of = {"regression": regression_loss, "ranking": ranking_loss}.get(objective_name)
    if loss_of is None:
        classifier = network.objective.classifier
        weight, bias = (torch.tensor(p.value.copy(), requires_grad=True) for p in (classifier.weight, classifier.bias))
        parameters += [(weight, 1.0), (bias, 1.0)]

        def loss_of(u, v, chosen):
            return classification_loss(weight, bias, u, v, chosen)

    epochs = Epochs(EXAMPLES, BATCH_SIZE, seed=3)

    def their_loss(step):
        chosen = epochs.examples(step)
        u, v = (their_embeddings(theirs, encoder.tokenize([column[i] for i in chosen])) for column in COLUMNS)
        return loss_of(u, v, chosen)

    examples = sentence_examples(COLUMNS, encoder.tokenize, targets)
    task = SiameseTask(lambda step: examples.select(epochs.examples(step)), NUM_SHARDS, gradient_caching)
    losses = our_losses(network, task)
    np.testing.assert_allclose(losses, their_losses(parameters, their_loss), rtol=1e-5)
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert_same_weights(encoder.encoder, theirs)
    if objective_name == "classification":
        np.testing.assert_allclose(classifier.weight.value, weight.detach().numpy(), rtol=1e-5, atol=1e-7)


# -- classifiers -------------------------------------------------------------------------------------------------------

TARGETS = {
    "single_label_classification": CLASSES,
    "multi_label_classification": np.random.default_rng(0).random((EXAMPLES, 3)) < 0.4,
    "regression": SCORES[:, None],
}


@pytest.mark.parametrize("problem_type", TARGETS)
@pytest.mark.parametrize("decay", [1.0, 0.5])
def test_twenty_steps_of_a_classifier_equal_pytorchs(problem_type, decay):
    """With decay 1/2 the head has the whole rate, the two layers 1/2 and 1/4 of it, the embeddings 1/8."""
    targets = TARGETS[problem_type]
    labels = ("score",) if problem_type == "regression" else ("no", "maybe", "yes")
    config = small_config(initializer_range=0.3)
    model = BertForSequenceClassification(config, ClassifierSettings(labels, problem_type), dtype=np.float64)
    theirs = twin(
        transformers.BertForSequenceClassification, model, config, num_labels=len(labels), problem_type=problem_type
    )
    tokens = random_tokens(config, lengths=(4, 1, 6, 6, 3, 2, 9, 5, 3, 3, 7))
    epochs = Epochs(EXAMPLES, BATCH_SIZE, seed=3)

    def their_loss(step):
        chosen = epochs.examples(step)
        labels = torch.tensor(targets[chosen])
        labels = labels.double() if problem_type != "single_label_classification" else labels
        return theirs(
            **inputs_of(tokens.select(chosen)), labels=labels.squeeze(1) if labels.shape[1:] == (1,) else labels
        ).loss

    factors = {"bert.encoder.layer.1.": decay, "bert.encoder.layer.0.": decay**2, "bert.embeddings.": decay**3}
    parameters = [
        (p, next((factor for prefix, factor in factors.items() if name.startswith(prefix)), 1.0))
        for name, p in theirs.named_parameters()
    ]
    examples = ClassificationBatch(tokens, targets)
    task = Task(lambda step: examples.select(epochs.examples(step)), NUM_SHARDS)
    losses = our_losses(model, task, rate_factors_by_depth(model, 2, decay))
    np.testing.assert_allclose(losses, their_losses(parameters, their_loss), rtol=1e-5)
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert_same_weights(model, theirs)
