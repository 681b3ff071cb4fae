"""What can be suggested: past queries, and phrases that several products have in their names.

A phrase has one to MAX_PHRASE words. It doesn't begin or end with a word such as "of", it has no number by itself, and
it isn't the mere part of a longer one: "boneless" is left out if nearly all products with it are "boneless skinless".

A text's popularity is the probability that a search is for it, from how often it was searched for and how many products
have it. The products count as much as CATALOGUE searches would, spread over their phrases:

    popularity = (searches for it + CATALOGUE * its share of all phrases) / (all searches + CATALOGUE)

so a shop without past queries suggests by products, and one with many by queries (a Dirichlet prior).

A query that has a word that no product has, and is one typing error away from a text MISSPELT times as popular (two in
a long one), is taken for a misspelt one.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from minitransformer.search.edit_distance import WordList

MAX_TERMS = 20_000  # phrases of names: the commonest
MAX_PHRASE, MAX_NAME = 3, 5  # words of a phrase; of a whole name that is suggested, too
MIN_PRODUCTS = 2  # with a phrase in their names
PART_OF_LONGER = 0.8  # of the products with a phrase that have the same longer phrase
CATALOGUE = 100  # searches
MAX_LENGTH = 80  # characters of a suggestion
NEAREST, MISSPELT = 5, 10  # texts near a misspelt one, of which one is so many times as popular

_WORD = re.compile(r"[\w%&'’.-]+")
_NOT_AT_ENDS = frozenset(
    ["a", "an", "and", "&", "at", "by", "de", "for", "from", "in", "la", "of", "on", "or", "per", "the", "to", "with"]
    + ["without", "w", "ct", "fl", "lb", "oz"]
)


def normalise_text(text: str) -> str:
    """A text as it is compared: lower-case, without accents, with single spaces.

    >>> normalise_text("  Jalapeño  PEPPERS™ ")
    'jalapeno pepperstm'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(unicodedata.normalize("NFKD", plain.casefold()).split())


def suggested_texts(names: Sequence[str], queries: Mapping[str, int], blocked: Sequence[str] = ()) -> dict[str, float]:
    """The popularity of each text that can be suggested, of products with these names and after these past queries.

    Texts that have one of the blocked words or phrases aren't among them, and neither are misspelt ones.
    """
    searches: Counter[str] = Counter()
    for query, count in queries.items():
        searches[normalise_text(query)] += count
    phrases = name_phrases(names)
    scale = CATALOGUE / max(phrases.total(), 1)
    total = searches.total() + CATALOGUE
    texts = {text: (searches[text] + scale * phrases[text]) / total for text in searches | phrases}
    known = {word for name in names for word in _words(name)}
    misspelt = misspelt_texts([query for query in searches if not known.issuperset(_words(query))], texts)
    banned = [re.compile(rf"\b{re.escape(normalise_text(phrase))}\b") for phrase in blocked if phrase.strip()]
    return {
        text: popularity
        for text, popularity in texts.items()
        if 0 < len(text) <= MAX_LENGTH and text not in misspelt and not any(pattern.search(text) for pattern in banned)
    }


def misspelt_texts(suspects: Iterable[str], popularity: Mapping[str, float]) -> set[str]:
    """Those of the texts that are a typing error away from a much more popular one.

    >>> misspelt_texts(["choclate", "vanila"], {"chocolate": 0.4, "choclate": 0.01, "vanilla": 0.02, "vanila": 0.01})
    {'choclate'}
    """
    suspects = [*suspects]
    least = MISSPELT * min((popularity[text] for text in suspects), default=1)
    meant = [text for text, share in popularity.items() if share >= least]
    texts = WordList(sorted(meant, key=lambda text: -popularity[text]))
    return {
        text
        for text in suspects
        if any(popularity[near] >= MISSPELT * popularity[text] for near in texts.nearest(text, NEAREST))
    }


def name_phrases(names: Iterable[str]) -> Counter[str]:
    """The commonest phrases of the names and how many products have each; short names are phrases even of one product.

    >>> name_phrases(["Organic Kale", "Organic Kale Chips", "Organic Pears", "Pears of Peru"])
    Counter({'organic': 3, 'organic kale': 2, 'pears': 2, 'organic kale chips': 1, 'organic pears': 1, ...})
    """
    counts: Counter[tuple[str, ...]] = Counter()
    whole: dict[tuple[str, ...], None] = {}
    for name in names:
        words = tuple(_words(name))
        lengths = range(1, MAX_PHRASE + 1)
        counts.update(list(dict.fromkeys(words[i : i + n] for n in lengths for i in range(len(words) - n + 1))))
        if len(words) <= MAX_NAME:
            whole[words] = None
    longer: dict[tuple[str, ...], int] = {}  # for each phrase, the commonest of those that are a word longer
    for phrase, count in counts.items():
        for part in (phrase[1:], phrase[:-1]):
            longer[part] = max(longer.get(part, 0), count)
    phrases = {" ".join(words): 1 for words in whole if words} | {
        " ".join(phrase): count
        for phrase, count in counts.items()
        if count >= MIN_PRODUCTS and longer.get(phrase, 0) < PART_OF_LONGER * count and _can_stand_alone(phrase)
    }
    return Counter(dict(Counter(phrases).most_common(MAX_TERMS)))


def _words(name: str) -> list[str]:
    return [word for match in _WORD.findall(normalise_text(name)) if (word := match.strip("'’.-"))]


def _can_stand_alone(phrase: tuple[str, ...]) -> bool:
    at_ends = {phrase[0], phrase[-1]}
    return not at_ends & _NOT_AT_ENDS and not any(word.isdigit() for word in phrase) and min(map(len, at_ends)) > 1
