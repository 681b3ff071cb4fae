import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.evaluation.senteval import C_CHOICES, Probe, Split, evaluate_task
from minitransformer.evaluation.senteval_files import Part


def embed(texts):
    """Texts are numbers; the embedding of "12" leans to the right if 12 is even, with some noise."""
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(1000, 6))
    numbers = np.array([int(text) for text in texts])
    return noise[numbers] + np.outer(numbers % 2 == 0, [1.5, 0, 0, 0, 0, 0])


def part(numbers):
    return Part(([str(i) for i in numbers],), ["even" if i % 2 == 0 else "odd" for i in numbers])


def test_one_part_is_measured_on_ten_folds():
    score = evaluate_task(embed, {"train": part(range(200))})
    assert score.protocol == "ten folds"
    assert 70 < score.accuracy < 90
    assert score.health.size == 6


def test_train_and_test_are_measured_on_test():
    score = evaluate_task(embed, {"train": part(range(200)), "test": part(range(200, 600))})
    assert score.protocol == "test part"
    assert 70 < score.accuracy < 90


def test_without_a_test_part_dev_takes_its_place():
    parts = {"train": part(range(100)), "dev": part(range(200, 300))}
    as_test = evaluate_task(embed, {"train": parts["train"], "test": parts["dev"]})
    assert evaluate_task(embed, parts) == as_test._replace(protocol="dev part")


def test_the_test_part_has_no_say_in_the_penalty():
    """Its labels turned round, the accuracy is what is left to 100: it was the same regression."""
    parts = {"train": part(range(60)), "dev": part(range(100, 160)), "test": part(range(200, 300))}
    turned = Part(parts["test"].texts, ["odd" if label == "even" else "even" for label in parts["test"].labels])
    accuracy = evaluate_task(embed, parts).accuracy
    np.testing.assert_allclose(evaluate_task(embed, {**parts, "test": turned}).accuracy, 100 - accuracy)


def test_pairs_are_told_apart_by_their_difference_and_product():
    """Pairs of two even or two odd numbers are no further right or left than others, but nearer to each other."""
    first, second = np.random.default_rng(5).integers(0, 1000, size=(2, 400))
    labels = ["same" if same else "different" for same in (first - second) % 2 == 0]
    pairs = Part(([str(i) for i in first], [str(i) for i in second]), labels)
    assert evaluate_task(embed, {"train": pairs}).accuracy > 60


def test_the_penalty_with_the_best_accuracy_is_chosen_and_of_equal_ones_the_strongest():
    rng = np.random.default_rng(6)
    easy = np.repeat([[-1.0], [1]], 20, axis=0)
    labels = np.repeat([0, 1], 20)
    probe = Probe(easy, labels)
    assert probe.best_c(probe.folds(np.arange(40))) == C_CHOICES[0]
    hard = Probe(rng.normal(size=(80, 40)), rng.integers(0, 2, 80))
    split = Split(np.arange(60), np.arange(60, 80))
    accuracies = [hard.accuracy(split, c) for c in C_CHOICES]
    assert hard.best_c([split]) == C_CHOICES[int(np.argmax(accuracies))]


@pytest.mark.parametrize("rows", [np.arange(47), np.arange(10, 47)[::-1]])
def test_every_row_is_tested_once_and_every_fold_has_its_share_of_each_class(rows):
    labels = np.arange(47) % 3 == 0
    folds = Probe(np.zeros((47, 1)), labels).folds(rows)
    assert np.sort(np.concatenate([fold.test for fold in folds])).tolist() == np.sort(rows).tolist()
    for fold in folds:
        assert sorted([*fold.fit, *fold.test]) == sorted(rows)
        assert abs(labels[fold.test].sum() - labels[rows].sum() / 10) < 1


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"train": part(range(0, 40, 2))},
            "all texts of the train part have the label 'even': there is nothing to tell",
        ),
        (
            {"train": part(range(0, 40, 2)), "dev": part(range(9)), "test": part(range(9))},
            "all texts of the train part have the label 'even'",
        ),
        (
            {"train": part(range(40)), "test": Part((["1"],), ["prime"])},
            "test part have the label 'prime', but none of the",
        ),
        (
            {"train": part([*range(0, 40, 2), 1, 3])},
            "only 2 texts of the train part have the label 'odd'; its 10 folds",
        ),
    ],
)
def test_parts_on_which_an_accuracy_would_say_nothing_are_refused(parts, message):
    with pytest.raises(UserError, match=message):
        evaluate_task(embed, parts)


def test_a_few_texts_are_enough_where_dev_chooses_the_penalty():
    assert evaluate_task(embed, {name: part(range(4)) for name in ("train", "dev", "test")}).protocol == "test part"
