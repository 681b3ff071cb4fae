"""An index of products: search and suggestions. It is made by indexing.py."""

import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from minitransformer.errors import UserError
from minitransformer.search.catalogue import Catalogue, Where
from minitransformer.search.deduplication import overlap_of
from minitransformer.search.embedded_texts import EmbeddedTexts, Embeddings
from minitransformer.search.fusion import MEANING
from minitransformer.search.index_model import IndexModel
from minitransformer.search.index_settings import IndexSettings
from minitransformer.search.kept import Kept
from minitransformer.search.neighbours import Neighbours
from minitransformer.search.query_cache import QueryCache
from minitransformer.search.ranking import CANDIDATES, NO_CATEGORY, rank
from minitransformer.search.suggestion_ranking import RankedTexts, SuggestionRanking
from minitransformer.search.suggestions import SAME_MEANING, Suggestion, Suggestions
from minitransformer.search.words import find_by_words, matched_words, unknown_words

MAX_TOP, MAX_QUERY = 1000, 1000  # hits, and characters
OVERLAP_AT = 20  # products, of which two queries may have some in common


class Hit(NamedTuple):
    """A product that was found.

    score         by which hits are ranked (fusion.py)
    fields        the product's columns, id and name among them
    cosine        of its embedding and the query's; cosine_rank is its place by that, among all that pass the filter
    word_score    BM25, 0 if no word matches; word_rank is its place by that
    words         the words of the product that match the query's
    """

    id: str
    name: str
    score: float
    fields: dict[str, str]
    cosine: float | None
    cosine_rank: int | None
    word_score: float
    word_rank: int | None
    words: list[str]

    def as_json(self, explain: bool) -> dict[str, Any]:
        """What is shown of it, with or without what speaks for it."""
        shown = self._fields if explain else ("id", "name", "score", "fields")
        return {name: getattr(self, name) for name in shown}


class _Evidence(NamedTuple):
    """The cosines and BM25 scores (n,) of the products that pass a filter."""

    cosines: np.ndarray | None
    word_scores: np.ndarray

    def of(self, place: int) -> dict:
        """What a hit says of them; equal ones share a rank."""
        word_score = self.word_scores[place]
        return {
            "cosine": None if self.cosines is None else float(self.cosines[place]),
            "cosine_rank": None if self.cosines is None else _rank(self.cosines, place),
            "word_score": float(word_score),
            "word_rank": _rank(self.word_scores, place) if word_score else None,
        }


def _rank(numbers: np.ndarray, place: int) -> int:
    return 1 + int(np.count_nonzero(numbers > numbers[place]))


class _Found(NamedTuple):
    """What a query finds.

    query     with the words that correct it
    keys      (n,) of the products that pass the filter, and the evidence for each
    places    (k,) of those that are found, among the n, the best first; and their scores (k,)
    """

    query: str
    keys: np.ndarray
    evidence: _Evidence
    places: np.ndarray
    scores: np.ndarray


class _Products(NamedTuple):
    """What is loaded of the n products."""

    embeddings: Embeddings
    categories: np.ndarray  # (n,) a number for the category of each
    neighbours: Neighbours | None

    def cosines(self, query: np.ndarray, places: np.ndarray, word_scores: np.ndarray) -> np.ndarray:
        """Of the products at these places (m,); -1 for those that aren't candidates, if there is a graph to say so."""
        if self.neighbours is None or len(places) < len(self.categories):
            return self.embeddings.cosines(query, places)
        near = np.union1d(self.neighbours.near(query), np.flatnonzero(word_scores))
        cosines = np.full(len(places), -1, np.float32)
        cosines[near] = self.embeddings.cosines(query, near)
        return cosines


class ProductIndex:
    """The products in a folder. Any number of threads may use it, and it sees what is indexed meanwhile."""

    def __init__(self, folder: Path, settings: IndexSettings) -> None:
        self.folder, self.settings = folder, settings
        self.catalogue = Catalogue(folder)
        self.model = IndexModel(folder, settings.model)
        self._cache = QueryCache(folder)
        self._products = Kept(self._load_products)
        self._suggestions = Kept(self._load_suggestions)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Raises UserError if the folder is no index. The model is loaded when a new query needs it."""
        index = cls(Path(folder), IndexSettings.read(Path(folder)))
        if not index.catalogue.is_begun():
            raise UserError(f"{folder} has no products: indexing was interrupted; run `minitransformer index` again")
        len(index)
        return index

    def load(self) -> None:
        """Load what the first search and the first suggestion would have to wait for, but for the model."""
        with self.catalogue.transaction("DEFERRED"):
            self._products.get(self.catalogue.version())
            self._suggestions.get(self.catalogue.version())

    def __len__(self) -> int:
        """The number of products."""
        with self.catalogue.transaction("DEFERRED") as connection:
            return connection.execute("SELECT count(*) FROM products").fetchone()[0]

    def search(self, query: str, top: int = 10, where: Where | None = None, *, meaning: float = MEANING) -> list[Hit]:
        """The best products for a query, at most `top`, the best first.

        where      {column: value} or {column: [values]}: only products that have it in each of these columns
        meaning    how much the embeddings count: with 0 only words do, with 1 only meaning does

        Raises UserError for an empty query or an endless one, and for a column that isn't there.
        """
        query = checked(query, top)
        if not query:
            raise UserError("the query is empty; expected a few words, such as: chocolate milk")
        embedding = self.query_embedding(query) if meaning else None
        with self.catalogue.transaction("DEFERRED"):
            return self._hits(self._find(query, embedding, where, meaning), top)

    def suggest(
        self,
        prefix: str,
        top: int = 10,
        *,
        same_meaning: float = SAME_MEANING,
        same_results: float = 0,
        ranked: bool = True,
    ) -> list[Suggestion]:
        """The likeliest searches that begin, or have a word that begins, with what was typed.

        same_meaning    the cosine from which only the first of several suggestions is shown; above 1, all are
        same_results    the share of their first products that they must have in common for that; asked for, it takes a
                        search for each suggestion that reaches the cosine, unless it was suggested before
        ranked          in the order that was learnt from a log, if any was; otherwise the more popular come first
        """
        checked(prefix, top)
        with self.catalogue.transaction("DEFERRED"):
            suggestions = self._suggestions.get(self.catalogue.version())
            return suggestions.find(prefix, top, same_meaning, same_results, ranked)

    def overlap(self, query: str, other: str) -> float:
        """The share of their first OVERLAP_AT products that two queries have in common, from 0 to 1."""
        embeddings = {text: self.query_embedding(text) for text in (query, other)}
        with self.catalogue.transaction("DEFERRED"):
            return overlap_of(*(self._first_products(text, embeddings[text]) for text in (query, other)))

    def ids(self) -> list[str]:
        """Of all products."""
        with self.catalogue.transaction("DEFERRED") as connection:
            return [product_id for (product_id,) in connection.execute("SELECT id FROM products ORDER BY key")]

    def suggested_texts(self) -> list[str]:
        """All that can be suggested, by falling popularity."""
        with self.catalogue.transaction("DEFERRED"):
            return [*self._suggestions.get(self.catalogue.version()).texts]

    def embeddings(self) -> Embeddings:
        """Of all products; to be called in a transaction of the catalogue."""
        return self._texts("products").load()

    def query_embedding(self, query: str) -> np.ndarray:
        """(E,), from the cache if it was asked before."""
        embedding = self._cache.get(query)
        if embedding is None:
            embedding = self.model.embed_queries([query])[0]
            self._cache.put(query, embedding)
        return embedding

    def _find(self, query: str, embedding: np.ndarray | None, where: Where | None, meaning: float) -> _Found:
        """What a query with this embedding (E,) finds; to be called in a transaction."""
        products = self._products.get(self.catalogue.version())
        passing = self.catalogue.filter(where)
        keys = self.catalogue.keys(passing) if where else products.embeddings.keys
        places = np.searchsorted(products.embeddings.keys, keys) if where else np.arange(len(keys))
        worded = " ".join([query, *self._corrections(query)])
        limit = CANDIDATES if meaning < 1 else 0
        word_scores = find_by_words(self.catalogue.connection, worded, passing, limit).of(keys)
        cosines = None if embedding is None else products.cosines(embedding, places, word_scores)
        found, scores = rank(cosines, word_scores, products.categories[places], meaning)
        return _Found(worded, keys, _Evidence(cosines, word_scores), found, scores)

    def _first_products(self, query: str, embedding: np.ndarray) -> frozenset[int]:
        """The keys of the first products that a query finds; to be called in a transaction."""
        found = self._find(query, embedding, None, MEANING)
        return frozenset(found.keys[found.places[:OVERLAP_AT]].tolist())

    def _corrections(self, query: str) -> list[str]:
        """For each word of the query that no product has, the nearest that can be suggested, if one is near enough."""
        if not (unknown := unknown_words(self.catalogue.connection, query)):
            return []
        suggestions = self._suggestions.get(self.catalogue.version())
        return [nearest for word in unknown for nearest in suggestions.nearest_word(word)]

    def _hits(self, found: _Found, top: int) -> list[Hit]:
        places = found.places[:top]
        chosen = found.keys[places].tolist()
        words = matched_words(self.catalogue.connection, found.query, chosen)
        products = self.catalogue.products(chosen)
        return [
            Hit(
                id=product.id,
                name=product.name,
                score=float(score),
                fields=product.fields,
                words=words.get(key, []),
                **found.evidence.of(place),
            )
            for place, key, product, score in zip(places, chosen, products, found.scores[:top], strict=True)
        ]

    def _texts(self, table: str) -> EmbeddedTexts:
        return EmbeddedTexts(self.catalogue, self.folder, table, self.settings.embedding_size)

    def _load_products(self) -> _Products:
        texts = self._texts("products")
        products = texts.load()
        if missing := int((products.rows < 0).sum()):
            what = f"{missing:,} of {len(products.rows):,} products have no embedding yet"
            warnings.warn(f"{what} and are found by words alone; let `minitransformer index` finish", stacklevel=5)
        categories = self._load_categories(products.keys)
        return _Products(products, categories, Neighbours.load(texts.graph_file(), products))

    def _load_categories(self, keys: np.ndarray) -> np.ndarray:
        """(n,) a number for the category of each product by its key (n,)."""
        categories = np.full(len(keys), NO_CATEGORY)
        statement = "SELECT product, value FROM fields WHERE name = ? ORDER BY value"
        found = self.catalogue.connection.execute(statement, (self.settings.category,)).fetchall()
        products, values = zip(*found, strict=True) if found else ((), ())
        categories[np.searchsorted(keys, products)] = np.unique(values, return_inverse=True)[1]
        return categories

    def _load_suggestions(self) -> Suggestions:
        embeddings = self._texts("suggestions").load()
        statement = "SELECT key, text, popularity FROM suggestions ORDER BY popularity DESC, text"
        found = self.catalogue.connection.execute(statement).fetchall()
        keys, texts, popularity = zip(*found, strict=True) if found else ((), (), ())
        rows = embeddings.rows[np.searchsorted(embeddings.keys, keys)]
        ranking = SuggestionRanking.read(self.folder)
        ranked = RankedTexts(ranking, texts, popularity) if ranking else None
        return Suggestions(texts, popularity, rows, embeddings.matrix, self._first_products, ranked)


def checked(query: str, top: int) -> str:
    """The query with single spaces. Raises UserError if it is too long or no text, or too many hits are asked for."""
    if len(query) > MAX_QUERY:
        raise UserError(f"the query has {len(query):,} characters; expected at most {MAX_QUERY:,}")
    try:
        query.encode()
    except UnicodeEncodeError:
        raise UserError("the query isn't text in UTF-8") from None
    if not 1 <= top <= MAX_TOP:
        raise UserError(f"{top} results were asked for; expected 1 to {MAX_TOP:,}")
    return " ".join(query.split())
