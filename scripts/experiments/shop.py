"""A shop's search, measured: ranking against BM25, suggestions against a list of beginnings, and deduplication.

    minitransformer index esci/products.tsv --model all-MiniLM-L6-v2 --out esci-shop
    python -m scripts.experiments.shop search esci-shop judgments.tsv --right-from 100
    python -m scripts.experiments.shop weight esci-shop judgments.tsv chorus-shop ratings.tsv
    python -m scripts.experiments.shop suggest recipes.tsv products.tsv
    python -m scripts.experiments.shop learnt shop log.tsv
    python -m scripts.experiments.shop duplicates shop

search and weight need bm25s, and judgments with the columns query, product_id and gain. weight takes the gains of the
first shop as they are, and 2^gain - 1 in the second. suggest needs recipes with the columns
recipe_id and ingredients (separated by |): the ingredients of four fifths of them are past queries, those of the others
are typed. learnt needs a log with times. duplicates needs nothing but an index; the pairs stand below.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import click
import numpy as np

from minitransformer import ProductIndex
from minitransformer.cli.evaluate.duplicates import cosines_and_overlaps
from minitransformer.cli.evaluate.search import rankings_of
from minitransformer.cli.evaluate.suggest import Beginnings
from minitransformer.corpora.search_log import read_search_log
from minitransformer.evaluation.duplicates import area_under_curve, score_duplicates
from minitransformer.evaluation.judgments import read_judgments
from minitransformer.evaluation.labelled_pairs import LabelledPair
from minitransformer.evaluation.search import (
    NDCG_AT,
    RECALL_AT,
    Judgments,
    Rankings,
    answerable,
    interval,
    score_rankings,
)
from minitransformer.evaluation.suggestions import AT, SuggestionScores, score_suggestions
from minitransformer.randomness import generator
from minitransformer.search.completions import Completions
from minitransformer.search.past_searches import queries_with_clicks, searches_of
from minitransformer.search.product_table import read_products
from minitransformer.search.suggestion_ranking import BUYING, FEW, RankedTexts, Regression
from minitransformer.search.suggestions import SHOW_ALL, Suggestions
from minitransformer.search.terms import normalise_text, suggested_texts
from minitransformer.search.words import finds_few
from minitransformer.training.suggestion_ranking import train_suggestion_ranking
from scripts.pages import table

WEIGHTS = tuple(tenth / 10 for tenth in range(11))  # of the meaning
Scores = Mapping[str, tuple[np.ndarray, np.ndarray]]  # of each shop: NDCG (weights, queries), and bm25s' (queries,)
THRESHOLDS = (0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97)
OVERLAP = 0.3  # of the products that two searches find

# Pairs of searches for groceries, chosen to be hard, and why.
DUPLICATES = {
    "order": ["cheese slices|sliced cheese", "bananas organic|organic bananas", "tomato canned|canned tomato"],
    "number": [
        "strawberry|strawberries",
        "tortilla chip|tortilla chips",
        "diaper|diapers",
        "loaf of bread|bread loaves",
    ],
    "short": [
        "mayo|mayonnaise",
        "oj|orange juice",
        "tp|toilet paper",
        "pb|peanut butter",
        "veggie broth|vegetable broth",
    ],
    "synonym": ["garbanzo beans|chickpeas", "cilantro|coriander leaves", "scallions|green onions", "soda|soft drink"],
    "compound": ["oat milk|oatmilk", "non dairy milk|nondairy milk", "pop corn|popcorn", "blue berries|blueberries"],
    "joined": ["mac and cheese|mac & cheese", "mac cheese|macaroni cheese", "salt & pepper|salt and pepper"],
    "spelling": ["yogurt|yoghurt", "donuts|doughnuts", "catsup|ketchup", "chili beans|chilli beans"],
}
OTHERS = {
    "product or ingredient": ["chocolate milk|milk chocolate", "peanut butter|butter peanuts", "corn oil|oil for corn"],
    "ingredient": ["coconut milk|coconut", "almond butter|almonds", "tomato sauce|tomatoes", "apple juice|apples"],
    "kind": ["whole milk|skim milk", "green tea|black tea", "red wine|white wine", "brown rice|white rice"],
    "modifier": ["organic eggs|eggs", "salted butter|unsalted butter", "sugar free gum|gum", "decaf coffee|coffee"],
    "for whom": ["baby food|dog food", "cat litter|dog treats", "dog food|cat food", "baby shampoo|shampoo"],
    "form": ["frozen corn|canned corn", "ground beef|beef steak", "dried mango|mango", "potato chips|potatoes"],
    "part": ["chicken breast|chicken thighs", "egg whites|egg yolks", "lemon juice|lemon zest", "pork chops|pork ribs"],
}


@click.group()
def main() -> None:
    """Tables about a shop's search."""


@main.command()
@click.argument("index")
@click.argument("judgments")
@click.option("--exponential", is_flag=True, help="Take 2^gain - 1 for each gain.")
@click.option("--right-from", default=1e-9, help="The gain from which a product is right.")
def search(index: str, judgments: str, exponential: bool, right_from: float) -> None:
    """Rankings of an index, and of bm25s over the same texts."""
    queries = answerable(read_judgments(judgments, exponential), right_from)
    product_index = ProductIndex.open(index)
    rankings = {**rankings_of(product_index, queries), "bm25s, all columns": bm25s_rankings(product_index, queries)}
    scores = {name: score_rankings(found, queries, right_from) for name, found in rankings.items()}
    ours = scores["words and meaning"].ndcg
    rows = []
    for name, found in scores.items():
        low, high = interval(ours - found.ndcg)
        rows.append([name, *(f"{values.mean():.3f}" for values in found), f"{low:+.3f} to {high:+.3f}"])
    header = ["", "NDCG@10", "recall@100", "MRR", "MAP", "unjudged@10", "words and meaning over it, 95 %"]
    print(f"{Path(judgments).parent.name}, {len(queries)} queries, {len(product_index):,} products\n")
    print(table(header, rows))


def bm25s_rankings(index: ProductIndex, queries: Judgments) -> dict[str, list[str]]:
    """What bm25s finds with its defaults."""
    import bm25s

    keys = [key for (key,) in index.catalogue.connection.execute("SELECT key FROM products ORDER BY key")]
    products = [product for key in keys for product in index.catalogue.products([key])]
    texts = [" ".join(value for name, value in product.fields.items() if value != product.id) for product in products]
    retriever = bm25s.BM25()
    retriever.index(bm25s.tokenize(texts, show_progress=False), show_progress=False)
    tokens = bm25s.tokenize([*queries], show_progress=False)
    found, _ = retriever.retrieve(tokens, k=RECALL_AT, show_progress=False)
    return {query: [products[i].id for i in places] for query, places in zip(queries, found, strict=True)}


@main.command()
@click.argument("index")
@click.argument("judgments")
@click.argument("other_index")
@click.argument("other_judgments")
def weight(index: str, judgments: str, other_index: str, other_judgments: str) -> None:
    """How much the meaning should count: chosen on nine tenths of the queries of two shops, reported on the tenth."""
    shops = [(index, read_judgments(judgments)), (other_index, read_judgments(other_judgments, exponential=True))]
    scores = {}
    for folder, judged in shops:
        queries, product_index = answerable(judged, 1e-9), ProductIndex.open(folder)
        found = [ndcg_of(weighted_rankings(product_index, queries, m), queries) for m in WEIGHTS]
        scores[Path(folder).name] = np.array(found), ndcg_of(bm25s_rankings(product_index, queries), queries)
    print(table(["weight of the meaning", *scores], [*weight_rows(scores)]) + "\n")
    header = ["chosen on the other tenths", "weights", "queries", "NDCG@10", "over words, 95 %", "over bm25s, 95 %"]
    print(table(header, [*chosen_rows(scores)]))


def weighted_rankings(index: ProductIndex, queries: Judgments, meaning: float) -> dict[str, list[str]]:
    return {query: [hit.id for hit in index.search(query, NDCG_AT, meaning=meaning)] for query in queries}


def ndcg_of(rankings: Rankings, queries: Judgments) -> np.ndarray:
    return score_rankings(rankings, queries).ndcg


def weight_rows(scores: Scores) -> Iterator[list[str]]:
    """The mean NDCG of all queries for each weight."""
    for m, *means in zip(WEIGHTS, *(of_weights.mean(axis=1) for of_weights, _ in scores.values()), strict=True):
        yield [f"{m:.1f}", *(f"{mean:.3f}" for mean in means)]


def chosen_rows(scores: Scores) -> Iterator[list[str]]:
    """For each shop, each tenth of its queries with the weight that is best, over both shops, for the other tenths."""
    tenths = {name: generator(0, "tenths", 0).permutation(len(bm25s)) % 10 for name, (_, bm25s) in scores.items()}
    best = [
        int(np.sum([scores[name][0][:, of != tenth].mean(axis=1) for name, of in tenths.items()], axis=0).argmax())
        for tenth in range(10)
    ]
    weights = " ".join(f"{WEIGHTS[place]:.1f}" for place in sorted(set(best)))
    for name, (of_weights, bm25s) in scores.items():
        ndcg = of_weights[np.array(best)[tenths[name]], np.arange(len(bm25s))]
        over = [f"{gain.mean():+.3f} ({low_and_high(gain)})" for gain in (ndcg - of_weights[0], ndcg - bm25s)]
        yield [name, weights, str(len(ndcg)), f"{ndcg.mean():.3f}", *over]


def low_and_high(gain: np.ndarray) -> str:
    return "{:+.3f} to {:+.3f}".format(*interval(gain))


@main.command()
@click.argument("recipes")
@click.argument("products")
def suggest(recipes: str, products: str) -> None:
    """Suggestions after past queries, for later ones."""
    past, later = split_ingredients(recipes)
    popularity = suggested_texts([product.name for product in read_products(products)], past)
    everything = sorted(popularity, key=lambda text: (-popularity[text], text))
    searched, known_later = (sorted(past, key=lambda text: (-counts[text], text)) for counts in (past, later))
    completions = Completions(everything)
    scores = {
        "suggestions": score_suggestions(
            lambda typed: [everything[found.place] for found in completions.find(typed, 10)], later
        ),
        "past queries that begin so, by popularity": score_suggestions(Beginnings(searched).find, later),
        "the same, if their later popularity were known": score_suggestions(Beginnings(known_later).find, later),
    }
    header = ["", "MRR@10", "after 1 letter", "2", "3", "keystrokes saved", "never suggested"]
    print(f"{past.total():,} past queries, {later.total():,} later ones, {len(everything):,} texts\n")
    print(table(header, [[name, *cells(score)] for name, score in scores.items()]))


def split_ingredients(recipes: str) -> tuple[Counter[str], Counter[str]]:
    """How often each ingredient is in four fifths of the recipes, and in the others."""
    lists = [line.split("\t")[1].split("|") for line in Path(recipes).read_text(encoding="utf-8").splitlines()[1:]]
    order = generator(0, "recipes", 0).permutation(len(lists))
    parts = order[: len(lists) * 4 // 5], order[len(lists) * 4 // 5 :]
    past, later = (Counter(normalise_text(text) for place in part for text in lists[place]) for part in parts)
    return past, later


def cells(score: SuggestionScores) -> list[str]:
    shares = [*score.success, score.keystrokes_saved, score.never_suggested]
    return [f"{score.mean_reciprocal_rank:.3f}", *(f"{share:.1%}" for share in shares)]


@main.command()
@click.argument("index")
@click.argument("log")
def learnt(index: str, log: str) -> None:
    """Suggestions in the order learnt from the first three quarters of a log, for the searches of the last quarter."""
    events = sorted(read_search_log(log), key=lambda event: event.time)
    cut = 3 * len(events) // 4
    past, later = searches_of(events[:cut]), searches_of(events[cut:])
    catalogue = ProductIndex.open(index).catalogue
    few = partial(finds_few, catalogue.connection, few=FEW)
    ranking = train_suggestion_ranking(past, None, catalogue.suggestible, few).ranking
    popularity = catalogue.suggestible(queries_with_clicks(past))
    texts = sorted(popularity, key=lambda text: (-popularity[text], text))
    neutral = ranking._replace(buying=Regression(np.zeros(len(BUYING)), 0.0))
    orders = {"popularity": None, "p(picked)": neutral, "p(picked) p(cart)": ranking}
    rows = []
    for name, order in orders.items():
        shares = [popularity[text] for text in texts]
        ranked = RankedTexts(order, texts, shares) if order else None
        none = np.full(len(texts), -1)
        suggestions = Suggestions(texts, shares, none, np.zeros((0, 1)), lambda *given: set(), ranked)
        suggest = partial(suggested, suggestions)
        successful = [search for search in later if search.added]
        scores = [score_suggestions(suggest, Counter(s.query for s in group)) for group in (later, successful)]
        rows.append([name, *(cell for score in scores for cell in cells(score)[:1] + cells(score)[-2:-1])])
    print(f"{len(past):,} searches to learn from; {len(later):,} later ones, {len(successful):,} of them with a cart\n")
    print(table(["order", "MRR@10", "keystrokes saved", "MRR@10, with a cart", "keystrokes saved, with a cart"], rows))


def suggested(suggestions: Suggestions, typed: str) -> list[str]:
    return [suggestion.text for suggestion in suggestions.find(typed, AT, SHOW_ALL)]


@main.command()
@click.argument("index")
def duplicates(index: str) -> None:
    """Which threshold tells searches that mean the same from others, by meaning alone and with the same products."""
    labelled = [LabelledPair(*pair.split("|"), same=True) for kind in DUPLICATES.values() for pair in kind]
    labelled += [LabelledPair(*pair.split("|"), same=False) for kind in OTHERS.values() for pair in kind]
    cosines, overlaps = cosines_and_overlaps(ProductIndex.open(index), labelled)
    truth = [pair.same for pair in labelled]
    taken = [cosines, np.where(overlaps >= OVERLAP, cosines, -1)]
    rows = [
        [f"{pair[0].threshold:.2f}", *(f"{number:.2f}" for score in pair for number in (score.precision, score.recall))]
        for pair in zip(*(score_duplicates(way, truth, THRESHOLDS) for way in taken), strict=True)
    ]
    areas = " and ".join(f"{area_under_curve(way, truth):.2f}" for way in taken)
    print(f"{sum(truth)} pairs with one meaning and {len(truth) - sum(truth)} with two; area under the curve {areas}\n")
    header = ["threshold", "precision", "recall", f"precision, overlap {OVERLAP}", f"recall, overlap {OVERLAP}"]
    print(table(header, rows))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
