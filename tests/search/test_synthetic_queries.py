from minitransformer.search.product_table import Product
from minitransformer.search.synthetic_queries import queries_of, synthetic_pairs

MILK = Product("7", "Organic 2% Milk", {"brand": "GreenWise", "category": "Milk", "attributes": "organic, kosher"})
KALE = Product("8", "Kale", {"category": "Vegetables"})


def test_the_papers_queries_are_among_those_of_its_milk():
    queries = queries_of(MILK, ["brand", "category", "attributes"])
    assert {"greenwise milk", "organic", "greenwise"} <= {*queries}
    assert len(queries) == len({*queries})


def test_a_column_that_a_product_lacks_makes_no_query():
    assert queries_of(KALE, ["brand", "category"]) == ["vegetables"]


def test_pairs_are_different_and_a_function_of_the_seed():
    def pairs(seed):
        return synthetic_pairs([MILK, KALE], ["brand", "category", "attributes"], 0.5, 6, seed)

    assert len({*pairs(1)}) == 6
    assert pairs(1) == pairs(1) != pairs(2)


def test_there_are_no_more_than_the_products_give():
    assert len(synthetic_pairs([KALE], ["category"], 0.9, 1000, seed=0)) == 1
