"""The tables that a simulation is made of, with a few lines each."""

from tests.small_tables import write_table

PRODUCTS = [
    *[(name, "fresh fruits", "produce") for name in ("Navel Oranges", "Organic Oranges", "Mandarins", "Bananas")],
    *[(name, "milk", "dairy eggs") for name in ("Whole Milk", "Organic Whole Milk", "Chocolate Milk")],
    ("Dish Soap", "dish detergents", "household"),
]
ORDERS = ("1r 4 5", "2 4r", "1 2 3 4", "6 4", "7 5 8", "3 7")


def write_data(folder):
    """The folder with all of them, laid out as the real ones are."""
    rows = [(i, *product) for i, product in enumerate(PRODUCTS, 1)]
    for file, header, lines in (
        ("grocery_instacart/products.tsv", ("product_id", "name", "aisle", "department"), rows),
        ("grocery_instacart/orders.open.tsv", ("order_id", "product_ids"), enumerate(ORDERS)),
        ("grocery_recipes/ingredients.open.tsv", ("ingredient", "recipes"), [("whole milk", 5), ("saffron", 2)]),
        ("queries_esci/queries.open.tsv", ("query", "judged_rows"), [("organic oranges", 16), ("airpods", 233)]),
        ("spelling/codespell_grocery.tsv", ("wrong", "right"), [("oragnes", "oranges")]),
        ("spelling/birkbeck.open.tsv", ("wrong", "right"), [("Mlik", "Milk")]),
        (
            "clicks_yandex/sessions.tsv",
            ("part", "query", "documents", "clicked"),
            [("train", 0, "0 1 2 3 4 5 6 7 8 9", "1010000000"), ("test", 1, "0 1 2 3 4 5 6 7 8 9", "0100000000")],
        ),
    ):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write_table(folder / file, header, lines)
    return folder
