"""Architectures that answer a question with SQL, each as a function that learns and returns one that writes.

    learn(examples, seed) -> write,   write(questions) -> for each one the words of its SQL, as in Example.target

The first two choose among the queries that they have seen; the others write word after word. All have one vocabulary of
words, those of the questions and the SQL that they learn from. Those that are trained end with their last step, at a
learning rate of 0: no evaluation chooses among their states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minitransformer import (
    AdamW,
    Gpt,
    GptConfig,
    PackedTokens,
    SentenceEncoder,
    Seq2Seq,
    Seq2SeqConfig,
    Workers,
    clip_scale,
    linear_warm_up_and_decay,
)
from minitransformer.batches.batch import Batch
from minitransformer.batches.epochs import Epochs
from minitransformer.batches.language_modelling import LanguageModellingBatch
from minitransformer.batches.translation import TranslationBatch
from minitransformer.inference.generation.generate import generate_each
from minitransformer.inference.translation import translate
from minitransformer.models.lstm_seq2seq import LstmSeq2Seq
from minitransformer.models.lstm_seq2seq_config import LstmSeq2SeqConfig
from minitransformer.nn.dense import Dense
from minitransformer.nn.linear import Linear
from minitransformer.nn.sequential import Sequential
from minitransformer.ops.cross_entropy import cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.mean import mean_backward, mean_forward
from minitransformer.ops.normalise import normalise_forward
from minitransformer.randomness import generator
from scripts.experiments.sql_values import Example

Write = Callable[[Sequence[Example]], list[list[str]]]
Learn = Callable[[Sequence[Example], int], Write]

BATCH_SIZE, WARM_UP_SHARE = 16, 0.1
HIDDEN_SIZE, LAYERS, HEADS, DROPOUT = 96, 2, 4, 0.3
LONGEST = 128  # words of a query
CLASSIFIER_STEPS = 300


class Recipe(NamedTuple):
    learning_rate: float  # at its peak
    steps: int


LSTM, TRANSFORMER = Recipe(3e-3, 1200), Recipe(1.5e-3, 2000)


class Words:
    """Words and their ids. 0 ends a text and begins a query, 1 is every word that isn't known."""

    END, UNKNOWN = 0, 1

    def __init__(self, texts: Iterable[Sequence[str]]) -> None:
        self.words = ["<end>", "<unknown>", *sorted({word for text in texts for word in text})]
        self._id_of = {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: Sequence[str]) -> list[int]:
        return [*(self._id_of.get(word, self.UNKNOWN) for word in text), self.END]

    def decode(self, ids: Iterable[int]) -> list[str]:
        return [self.words[i] for i in ids if i != self.END]

    def pack(self, texts: Iterable[Sequence[str]]) -> PackedTokens:
        return PackedTokens.pack([self.encode(text) for text in texts])

    def counts(self, texts: Sequence[Sequence[str]]) -> np.ndarray:
        """(S, V): how often each text has each word."""
        return np.array([np.bincount(self.encode(text), minlength=len(self)) for text in texts], np.float32)


def retrieval(encoder: SentenceEncoder) -> Learn:
    """The query of the nearest question that was seen, by the cosine of their embeddings."""

    def embed(examples: Sequence[Example]) -> np.ndarray:
        rows = encoder.encode([" ".join(example.source) for example in examples], truncation="silent")
        return normalise_forward(rows)[0]

    def learn(examples: Sequence[Example], seed: int) -> Write:
        known = embed(examples)
        return lambda questions: [examples[i].target for i in (embed(questions) @ known.T).argmax(axis=1)]

    return learn


def classifier(examples: Sequence[Example], seed: int) -> Write:
    """A class for each query that was seen; the question is how often it has each word, whatever their order."""
    words = Words(example.source for example in examples)
    classes = [*dict.fromkeys(tuple(example.target) for example in examples)]
    layers: list[Any] = [Dense(len(words), HIDDEN_SIZE, "relu", 0.1), Linear(HIDDEN_SIZE, len(classes), 0.1)]
    model = Sequential(layers).initialise(seed)
    x = words.counts([example.source for example in examples])
    labels = np.array([classes.index(tuple(example.target)) for example in examples])
    optimizer = AdamW(model.storage)
    for step in range(CLASSIFIER_STEPS):
        model.zero_grad()
        logits, cache = model.forward(x)
        losses, losses_cache = cross_entropy_forward(logits, labels)
        _, mean_cache = mean_forward(losses)
        model.backward(cross_entropy_backward(mean_backward(1.0, mean_cache), losses_cache), cache)
        optimizer.step(0.01 * linear_warm_up_and_decay(step, 0, CLASSIFIER_STEPS))

    def write(questions: Sequence[Example]) -> list[list[str]]:
        best = model(words.counts([question.source for question in questions])).argmax(axis=1)
        return [[*classes[i]] for i in best]

    return write


def translator(new_model: Callable[[int, int], Any], recipe: Recipe) -> Learn:
    """An encoder-decoder: new_model(vocabulary size, seed) reads the question, and writes the query."""

    def learn(examples: Sequence[Example], seed: int) -> Write:
        words, model = _words_and(new_model, examples, seed)
        batch = TranslationBatch(*(words.pack(texts) for texts in _columns(examples)))
        _train(model, batch, recipe, seed)

        def write(questions: Sequence[Example]) -> list[list[str]]:
            return [words.decode(ids) for ids in translate(model, words.pack(q.source for q in questions))]

        return write

    return learn


def language_model(recipe: Recipe) -> Learn:
    """A GPT whose texts are a question, the end of it, its query, and the end of that."""

    def learn(examples: Sequence[Example], seed: int) -> Write:
        words, model = _words_and(gpt, examples, seed)
        texts = [words.encode(e.source) + words.encode(e.target) for e in examples]
        batch = LanguageModellingBatch(PackedTokens.pack(texts))
        _train(model, batch, recipe, seed)

        def write(questions: Sequence[Example]) -> list[list[str]]:
            prompts = [words.encode(question.source) for question in questions]
            found = generate_each(model, prompts, max_new_tokens=LONGEST, eos_token_id=words.END)
            return [words.decode(ids) for ids in found]

        return write

    return learn


def transformer(vocab_size: int, seed: int) -> Seq2Seq:
    layers = {"num_encoder_layers": LAYERS, "num_decoder_layers": LAYERS, "num_attention_heads": HEADS}
    return Seq2Seq(Seq2SeqConfig(**_common(vocab_size), **layers), seed)


def lstm(attention: str, vocab_size: int, seed: int) -> LstmSeq2Seq:
    return LstmSeq2Seq(LstmSeq2SeqConfig(**_common(vocab_size), attention=attention), seed)


def gpt(vocab_size: int, seed: int) -> Gpt:
    sizes = {"vocab_size": vocab_size, "hidden_size": HIDDEN_SIZE, "max_position_embeddings": 2 * LONGEST}
    layers = {"num_hidden_layers": 2 * LAYERS, "num_attention_heads": HEADS}
    dropout = {"hidden_dropout_prob": DROPOUT, "embedding_dropout_prob": DROPOUT, "attention_probs_dropout_prob": 0.0}
    return Gpt(GptConfig(**sizes, **layers, **dropout), seed)


def architectures(encoder: SentenceEncoder, steps: int | None = None) -> dict[str, Learn]:
    """The cheap ones first; with another number of steps if one is given."""
    of_lstm, of_transformer = (r._replace(steps=steps) if steps else r for r in (LSTM, TRANSFORMER))
    return {
        "SBERT: the nearest question's query": retrieval(encoder),
        "feed-forward: a class for each query": classifier,
        "LSTM to LSTM, without attention": translator(partial(lstm, "none"), of_lstm),
        "LSTM to LSTM, with attention": translator(partial(lstm, "luong"), of_lstm),
        "GPT: the query continues the question": language_model(of_transformer),
        "encoder-decoder": translator(transformer, of_transformer),
    }


def _common(vocab_size: int) -> dict[str, Any]:
    ends = {"eos_token_id": Words.END, "decoder_start_token_id": Words.END}
    sizes = {"vocab_size": vocab_size, "hidden_size": HIDDEN_SIZE, "max_position_embeddings": LONGEST}
    return {**sizes, "hidden_dropout_prob": DROPOUT, **ends}


def _columns(examples: Sequence[Example]) -> tuple[list[list[str]], list[list[str]]]:
    return [example.source for example in examples], [example.target for example in examples]


def _words_and(new_model: Callable[[int, int], Any], examples: Sequence[Example], seed: int) -> tuple[Words, Any]:
    sources, targets = _columns(examples)
    words = Words([*sources, *targets])
    return words, new_model(len(words), seed)


def _train(model: Any, examples: Batch, recipe: Recipe, seed: int) -> None:
    optimizer, order = AdamW(model.storage, betas=(0.9, 0.98)), Epochs(len(examples), BATCH_SIZE, seed)
    with Workers(model, 1) as workers:
        for step in range(recipe.steps):
            batch = examples.select(order.examples(step))
            _, norm = workers.gradients(batch, generator(seed, "dropout", step))
            factor = linear_warm_up_and_decay(step, round(WARM_UP_SHARE * recipe.steps), recipe.steps)
            optimizer.step(recipe.learning_rate * factor, clip_scale(norm, max_norm=1.0), workers.spread)
