"""What the customers of the simulated shop search for, how often, and how they spell it.

Searches are for a type of product ("oranges"), for a type and a word that several of its names have ("navel oranges"),
and what real people typed into another shop, as far as this one can answer it. They are as frequent as the products
that they want are bought, and as the same ingredient is in recipes; a search of several words less so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minitransformer.search.terms import normalise_text
from scripts.experiments.simulation.products import (
    FORMS,
    KIND_OF,
    Intent,
    ProductType,
    Shop,
    aisle_of_heads,
    head_of,
    singular,
    singulars,
    words_of,
)

WITH_A_WORD, REAL = 0.15, 0.02  # of the plain type's searches: a type with a word, and a query of the other shop
RECIPES = 0.5  # of the weight of all purchases
MIN_PRODUCTS = 2
_NO_WORDS = FORMS | {"a", "and", "of", "the", "with", "in", "no", "for", "to", "s"}


class Queries(NamedTuple):
    """The queries (q) as they are spelt well, what each is for, and its probability (q,)."""

    texts: list[str]
    intents: list[Intent]
    probabilities: np.ndarray


def queries_of_shop(shop: Shop, ingredients: Mapping[str, int], real: Iterable[str]) -> Queries:
    """All queries of the shop's customers."""
    parser = Parser(shop)
    weights: dict[str, float] = defaultdict(float)
    intents: dict[str, Intent] = {}
    for intent, text, share in parser.own_queries():
        intents.setdefault(text, intent)
        weights[text] += share * parser.purchases(intent)
    for text in map(normalise_text, real):
        if (intent := parser.parse(text)) and len(text.split()) > 1:
            intents.setdefault(text, intent)
            weights[text] += REAL * parser.purchases(intent)
    known = {normalise_text(text): count for text, count in ingredients.items() if parser.parse(normalise_text(text))}
    scale = RECIPES * sum(weights.values()) / max(sum(known.values()), 1)
    for text, count in known.items():
        intents.setdefault(text, parser.parse(text))
        weights[text] += scale * count
    probabilities = np.array([weights[text] for text in intents])
    return Queries([*intents], [*intents.values()], probabilities / probabilities.sum())


class Parser:
    """From a text to an intent that some product of the shop satisfies, and back."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.aisles = aisle_of_heads(shop)
        self.products_of: defaultdict[ProductType, list[int]] = defaultdict(list)
        for place, kind in enumerate(shop.types):
            self.products_of[kind].append(place)

    def parse(self, text: str) -> Intent | None:
        words = [word for word in singulars(text) if word not in _NO_WORDS]
        if not words or head_of(words) not in self.aisles:
            return None
        last, head = words[-1], head_of(words)
        intent = Intent(ProductType(head, self.aisles[head]), tuple(words[:-1] if last == head else words))
        return intent if self.satisfied_by(intent) else None

    def satisfied_by(self, intent: Intent) -> list[int]:
        """The products of grade 3."""
        return [place for place in self.products_of[intent.type] if self.shop.words[place].issuperset(intent.words)]

    def purchases(self, intent: Intent) -> float:
        return float(self.shop.purchases[self.satisfied_by(intent)].sum())

    def own_queries(self) -> Iterable[tuple[Intent, str, float]]:
        """(intent, text, how often of the times that its products are bought) for types and words in their names."""
        for kind, places in self.products_of.items():
            if self.aisles[kind.head] != kind.aisle or len(places) < MIN_PRODUCTS or not kind.head.isalpha():
                continue
            spelt = Counter(
                word
                for place in places
                for word in words_of(self.shop.products[place].name)
                if singular(word) == kind.head
            )
            for text, count in spelt.items():
                yield Intent(kind), text, count / spelt.total()
            head = spelt.most_common(1)[0][0] if spelt else kind.head
            words = Counter(word for place in places for word in self.shop.words[place])
            for word, count in words.items():
                if (
                    word in _NO_WORDS
                    or not word.isalpha()
                    or not MIN_PRODUCTS <= count < len(places)
                    or word == kind.head
                ):
                    continue
                text = word if KIND_OF.get(word) == kind.head else f"{word} {head}"
                yield Intent(kind, (word,)), text, WITH_A_WORD


class Spelling:
    """Real misspellings: {right word: wrong ones}."""

    def __init__(self, wrong_and_right: Iterable[tuple[str, str]]) -> None:
        self.wrong: defaultdict[str, list[str]] = defaultdict(list)
        for wrong, right in wrong_and_right:
            self.wrong[right.lower()].append(wrong.lower())

    def misspell(self, text: str, rng: np.random.Generator) -> str:
        """The text with one of its words as somebody once spelt it; as it is if no word has been misspelt."""
        words = text.split()
        if known := [place for place, word in enumerate(words) if word in self.wrong]:
            place = rng.choice(known)
            words[place] = rng.choice(self.wrong[words[place]])
        return " ".join(words)


def read_columns(file: Path) -> list[tuple[str, str]]:
    """The first two columns of a table, without its header."""
    lines = file.read_text(encoding="utf-8").splitlines()[1:]
    return [(first, second) for first, second, *_ in (line.split("\t") for line in lines)]
