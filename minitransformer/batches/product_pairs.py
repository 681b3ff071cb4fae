"""Pairs of a query and a product, and which of a batch's other products are wrong for each query.

A batch of S pairs has S products for each query, of which S - 1 serve as wrong ones. But some of them are right: the
same product, one with the same text, one that people who asked this also bought, or one whose name is the query itself.
Those are no negatives, and neither right nor wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from minitransformer.batches.pair_targets import PairTargets
from minitransformer.batches.sentence_examples import SentenceExamples, SiameseBatch, sentence_examples
from minitransformer.text.packed_tokens import IntArray, PackedTokens


@dataclass(frozen=True)
class ProductPairs:
    """n pairs to learn from, of which some may be there several times.

    examples    their texts, tokenised: text_ids (2, n) are those of the queries and of the products
    known       sorted keys of the pairs of texts that belong together, those of `examples` and others
    """

    examples: SentenceExamples
    known: IntArray

    def __len__(self) -> int:
        return len(self.examples)

    def select(self, pairs: IntArray, num_negatives: int | None, rng: np.random.Generator) -> SiameseBatch:
        """The batch of the chosen pairs. num_negatives keeps that many of each query's wrong products, drawn by rng."""
        batch = self.examples.select(pairs)
        queries, products = batch.targets
        negatives = self.negatives(queries, products)
        if num_negatives is not None:
            negatives = sampled(negatives, num_negatives, rng)
        of_queries, of_products = self._log_q
        return batch._replace(targets=PairTargets(negatives, of_queries[queries], of_products[products]))

    def negatives(self, queries: IntArray, products: IntArray) -> np.ndarray:
        """(S, S) True where product j is wrong for query i, by the numbers of their texts (S,)."""
        keys = pair_keys(queries[:, None], products, self._num_texts)
        places = np.searchsorted(self.known, keys).clip(max=len(self.known) - 1)
        return (self.known[places] != keys) & (queries[:, None] != products)

    @property
    def _num_texts(self) -> int:
        return len(self.examples.tokens)

    @cached_property
    def _log_q(self) -> np.ndarray:
        """(2, T) the logarithm of each text's share of the queries, and of the products."""
        counts = np.stack([np.bincount(ids, minlength=self._num_texts) for ids in self.examples.text_ids])
        return np.log(np.maximum(counts, 1) / len(self))


def product_pairs(
    pairs: Sequence[tuple[str, str]],
    others: Sequence[tuple[str, str]],
    tokenize: Callable[[list[str]], PackedTokens],
) -> ProductPairs:
    """The pairs (query, text of a product) to learn from; `others` belong together, too, but aren't learnt."""
    examples = sentence_examples([*zip(*pairs, strict=True)], tokenize)
    [queries, products], num_texts = examples.text_ids, len(examples.tokens)
    texts = [text for pair in pairs for text in pair]
    ids = dict(zip(texts, examples.text_ids.T.ravel().tolist(), strict=True))
    known = [(ids[query], ids[product]) for query, product in others if query in ids and product in ids]
    known_queries, known_products = np.array(known, np.int64).reshape(-1, 2).T
    keys = [pair_keys(queries, products, num_texts), pair_keys(known_queries, known_products, num_texts)]
    return ProductPairs(examples, np.unique(np.concatenate(keys)))


def pair_keys(queries: IntArray, products: IntArray, num_texts: int) -> IntArray:
    """A number for each pair of texts, from the numbers of both."""
    return queries * num_texts + products


def sampled(negatives: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """At most `count` in each row of negatives (S, S), all with the same chance."""
    lots = np.where(negatives, rng.random(negatives.shape), 2)
    drawn = np.argsort(lots, axis=1)[:, :count]
    chosen = np.zeros_like(negatives)
    np.put_along_axis(chosen, drawn, True, axis=1)
    return chosen & negatives
