"""What each product of the simulated shop is, by rule: the truth that no search engine is shown.

A product's type is the head of its name and its aisle: "Organic Navel Oranges" are (orange, fresh fruits), "Orange
Juice With Calcium" is (juice, refrigerated). The head is what the aisle is called after, if the name has it: "Ice Cream
Cones Vanilla" are cream. Else it is the last word before a comma, a bracket or a word such as "with", leaving out words
for a form of the product (a bag, slices). A kind counts as what it is a kind of: a clementine is an orange. A search is
for a type and, maybe, for words that the name must have, and grades a product

    3   the type, and all the words         2   the type
    1   the same aisle                      0   anything else

Of 200 names drawn at random, the rule gives 20 a head that a reader wouldn't ("Coconut Almond Creamer Blend": blend).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minitransformer.search.product_table import Product, read_products
from minitransformer.search.terms import normalise_text

RIGHT = 2  # the grade from which a product is a right answer

_FORMS = """
bag bunch pack pk packet classic box can jar cup tube bottle tub
crown heart root chunk floret slice crumble stick shred piece bit clove leave sprig head wedge block ring strip
fillet filet patty dozen bite nugget tender cube ball spear tip top ear stalk snack beverage drink product
large small size mini minis value family variety style flavor flavored flavour
organic original natural naked sliced shredded free added
"""
FORMS = frozenset(_FORMS.split())
KIND_OF = {
    kind: head
    for head, kinds in {
        "orange": "clementine mandarin tangerine",
        "apple": "gala fuji honeycrisp",
        "cheese": "cheddar parmesan mozzarella feta provolone gouda brie ricotta parmigiano reggiano monterey",
        "pasta": "spaghetti penne fusilli linguine rigate rotini fettuccine macaroni farfalle rigatoni",
        "yogurt": "yoghurt",
        "milk": "almondmilk soymilk breeze",
        "lettuce": "romaine",
        "potato": "yam",
        "onion": "scallion shallot",
        "soda": "cola coke",
        "bread": "baguette loaf",
        "cookie": "oreo",
        "melon": "cantaloupe honeydew",
        "tomato": "roma",
    }.items()
    for kind in kinds.split()
}
_END_OF_HEAD = re.compile(r"[,(;/]| - | (?:with|in|for|from|no|made|w|by) ")
_OF_AISLES = "fresh frozen packaged canned prepared dry hot cold more other ice fruit vegetable produce breakfast"
_NOT_A_HEAD = frozenset(_OF_AISLES.split())  # though it is in the name of an aisle
_IRREGULAR = {"cookies": "cookie", "smoothies": "smoothie", "brownies": "brownie", "veggies": "veggie"}
_NOT_READ = re.compile(r"^(?:bag|bunch|hearts?|pack|box|head) of |no (?:salt|sugar) added ?")
_WORD = re.compile(r"[a-z0-9%'’.]+")


class ProductType(NamedTuple):
    head: str
    aisle: str


class Intent(NamedTuple):
    """What somebody looks for."""

    type: ProductType
    words: tuple[str, ...] = ()  # in the singular, that the name must have


class Shop:
    """The products (n), how often each is in a basket, and the baskets as rows of products."""

    def __init__(self, products: Sequence[Product], baskets: Sequence[Sequence[int]]) -> None:
        self.products = products
        self.baskets = baskets
        self.purchases = np.bincount([place for basket in baskets for place in basket], minlength=len(products))
        self.words = [frozenset(singulars(product.name)) for product in products]
        self.types = [type_of(product.name, product.fields["aisle"]) for product in products]

    def grades(self, intent: Intent) -> np.ndarray:
        """(n,) the grade of every product."""
        aisle = np.array([kind.aisle == intent.type.aisle for kind in self.types])
        of_type = np.array([kind == intent.type for kind in self.types])
        has_words = np.array([words.issuperset(intent.words) for words in self.words])
        return aisle.astype(int) + of_type + (of_type & has_words)


def read_shop(folder: Path, min_purchases: int, without: Sequence[str] = ()) -> Shop:
    """The products that were bought so often, of all departments but some, and the baskets of two or more of them."""
    known = {product.id: product for product in read_products(folder / "products.tsv")}
    lines = (folder / "orders.open.tsv").read_text(encoding="utf-8").splitlines()[1:]
    orders = [[field.removesuffix("r") for field in line.split("\t")[1].split()] for line in lines]
    purchases = Counter(product for order in orders for product in order)
    products = [
        product
        for product in known.values()
        if purchases[product.id] >= min_purchases and product.fields["department"] not in without
    ]
    place_of = {product.id: place for place, product in enumerate(products)}
    baskets = [[place_of[product] for product in order if product in place_of] for order in orders]
    return Shop(products, [basket for basket in baskets if len(basket) > 1])


def type_of(name: str, aisle: str) -> ProductType:
    """
    >>> type_of("Bag of Organic Mandarins, 3 lb", "fresh fruits")
    ProductType(head='orange', aisle='fresh fruits')
    """
    words = singulars(name)
    of_aisle = [
        KIND_OF.get(word, word) for word in words if KIND_OF.get(word, word) in {*singulars(aisle)} - _NOT_A_HEAD
    ]
    beginning = singulars(_END_OF_HEAD.split(_NOT_READ.sub("", normalise_text(name)))[0])
    return ProductType(of_aisle[-1] if of_aisle else head_of(beginning or words), aisle)


def head_of(words: Sequence[str]) -> str:
    """The last word that isn't a form, or what it is a kind of."""
    last = next((word for word in reversed(words) if word not in FORMS and not word[0].isdigit()), words[-1])
    return KIND_OF.get(last, last)


def singulars(text: str) -> list[str]:
    """The words of a text, in the singular if they are plurals by their look.

    >>> singulars("Organic Strawberries, Potatoes & Peaches")
    ['organic', 'strawberry', 'potato', 'peach']
    """
    return [singular(word) for word in words_of(text)]


def words_of(text: str) -> list[str]:
    return _WORD.findall(normalise_text(text))


def singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending, replacement, least in (("ies", "y", 5), ("oes", "o", 5), ("ches", "ch", 5), ("shes", "sh", 5)):
        if word.endswith(ending) and len(word) >= least:
            return word[: -len(ending)] + replacement
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) and len(word) > 3 else word


def aisle_of_heads(shop: Shop) -> Mapping[str, str]:
    """Where people look for each head: in the aisle from which it is bought most."""
    bought: Counter[ProductType] = Counter()
    for kind, purchases in zip(shop.types, shop.purchases, strict=True):
        bought[kind] += int(purchases)
    return {kind.head: kind.aisle for kind, _ in reversed(bought.most_common())}
