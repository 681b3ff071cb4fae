"""Small tables of texts in the words of small_encoders, whose labels and scores can be told from the texts."""

from pathlib import Path

import numpy as np

from minitransformer.models.sentence_encoder import SentenceEncoder
from tests.small_encoders import POSITIONS, TOKENIZER, WORDS
from tests.small_models import small_config

VOCABULARY = [word for word in WORDS if not word.startswith("##")]
LABELS = ("cat", "dog", "none")
NLI = ("contradiction", "entailment", "neutral")


def learning_encoder(dtype=np.float32, **config):
    """A small encoder as training begins with it: at random, but not so far out that its layers are saturated."""
    sizes = {"vocab_size": TOKENIZER.vocab_size, "max_position_embeddings": POSITIONS, "initializer_range": 0.3}
    return SentenceEncoder(small_config(**{**sizes, **config}), TOKENIZER, seed=1, dtype=dtype)


def sentences(count, seed=0, longest=3):
    """Texts of 1 to `longest` words."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(VOCABULARY, rng.integers(1, longest + 1))) for _ in range(count)]


def write_table(file, header, rows):
    """A TSV file; header and rows are tuples of fields."""
    lines = ["\t".join(map(str, row)) for row in (header, *rows)]
    Path(file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def labelled_texts(file, count=24, seed=0):
    rows = [(text, "dog" if "dog" in text else "cat" if "he" in text else "none") for text in sentences(count, seed)]
    return write_table(file, ("text", "label"), [*rows, ("my dog", "dog"), ("he is", "cat"), ("a b", "none")])


def multi_labelled_texts(file, count=24, seed=0):
    def labels(text):
        return ",".join([word for word in ("dog", "he", "cute") if word in text] or ["other"])

    rows = [(text, labels(text)) for text in [*sentences(count, seed), "he dog", "cute dog"]]
    return write_table(file, ("text", "label"), rows)


def scored_texts(file, count=24, seed=0):
    rows = [(text, 1.0 + len(text.split())) for text in sentences(count, seed)]
    return write_table(file, ("text", "score"), rows)


def pairs_of(count, seed):
    return zip(sentences(count, seed), sentences(count, seed + 1000), strict=True)


def overlap(first, second):
    """The share of the words of both texts that both have."""
    a, b = set(first.split()), set(second.split())
    return len(a & b) / len(a | b)


def scored_pairs(file, count=24, seed=0):
    pairs = [*pairs_of(count, seed), ("my dog is", "my dog is"), ("a b c", "he likes")]
    return write_table(
        file, ("sentence1", "sentence2", "score"), [(a, b, round(5 * overlap(a, b), 3)) for a, b in pairs]
    )


def labelled_pairs(file, count=24, seed=0):
    """Each first text three times, as in NLI data: with what it entails, contradicts and neither."""
    rows = []
    for i, text in enumerate(sentences(count // 3, seed)):
        seconds = sentences(3, seed + 500 + i)
        rows += [(text, second, label) for second, label in zip(seconds, NLI, strict=True)]
    return write_table(file, ("premise", "hypothesis", "label"), rows)


def triplets(file, count=24, seed=0):
    columns = (sentences(count, seed + offset) for offset in (0, 1000, 2000))
    return write_table(file, ("anchor", "positive", "negative"), zip(*columns, strict=True))


def pairs(file, count=24, seed=0):
    return write_table(file, ("anchor", "positive"), pairs_of(count, seed))
