"""Small fine-tuning runs on small tables, for the tests of what they keep and of what a stop changes."""

from minitransformer.evaluation.classification import prediction_metrics
from minitransformer.evaluation.sentences import evaluate_siamese
from minitransformer.inference.prediction import scores_of
from minitransformer.training.runs.classification import ClassifierRun
from minitransformer.training.runs.sentences import SiameseRun
from tests import small_tables
from tests.small_tables import learning_encoder

SMALL = {"epochs": 2, "batch_size": 4, "learning_rate": 1e-2, "seed": 3}


def tables(folder, kind):
    """A table to learn from and one to evaluate on, of a kind of small_tables."""
    make = getattr(small_tables, kind)
    return {name: str(make(folder / f"{name}.tsv", seed=seed)) for name, seed in (("train", 0), ("dev", 50))}


def saved_encoder(folder):
    if not (folder / "encoder").exists():
        learning_encoder().save_pretrained(folder / "encoder")
    return str(folder / "encoder")


def sentence_settings(folder, kind="scored_pairs", objective="regression", **changes):
    given = {**SMALL, "objective": objective, "model": saved_encoder(folder), **tables(folder, kind), **changes}
    return SiameseRun.settings_type(**given)


def classifier_settings(folder, kind="labelled_texts", **changes):
    given = {**SMALL, "model": saved_encoder(folder), **tables(folder, kind), **changes}
    return ClassifierRun.settings_type(**given)


def evaluation(run):
    """What the command evaluates."""
    if isinstance(run, SiameseRun):
        return lambda: evaluate_siamese(run.model, run.dev)
    problem_type = run.model.settings.problem_type
    return lambda: prediction_metrics(problem_type, scores_of(run.model, run.dev_tokens), run.dev_targets)


def train(run, evaluate=None, workers=1):
    """Train to the end and finish; returns the evaluation of the best model."""
    run.loop(evaluate or evaluation(run)).run(workers)
    return run.finish()
