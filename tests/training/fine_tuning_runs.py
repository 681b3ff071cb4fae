"""Small fine-tuning runs on small tables, for the tests of what they keep and of what a stop changes."""

from minitransformer.training.runs.classification import ClassificationRun
from minitransformer.training.runs.sentences import SentencesRun
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


def sentences_settings(folder, kind="scored_pairs", objective="regression", **changes):
    given = {**SMALL, "objective": objective, "model": saved_encoder(folder), **tables(folder, kind), **changes}
    return SentencesRun.settings_type(**given)


def classification_settings(folder, kind="labelled_texts", **changes):
    given = {**SMALL, "model": saved_encoder(folder), **tables(folder, kind), **changes}
    return ClassificationRun.settings_type(**given)
