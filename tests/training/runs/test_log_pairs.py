from minitransformer.batches.product_pairs import product_pairs
from minitransformer.search.positives import Selection
from minitransformer.training.runs.log_pairs import read_log_pairs
from tests.small_shop import SHOP_TOKENIZER, products_table
from tests.training.small_towers import BOUGHT, log_table


def test_a_product_whose_name_is_the_query_is_no_negative_of_it_however_the_name_is_written(tmp_path):
    """Who searched for "dark chocolate" took a bar of another name: Dark Chocolate isn't wrong for that."""
    log = log_table(tmp_path / "log.tsv", {**BOUGHT, "dark chocolate": ("4",)})
    products = products_table(tmp_path / "products.tsv")
    found = read_log_pairs(log, products, ["department"], Selection())
    learnt = [("dark chocolate", "Milk Chocolate Bar, sweets"), ("dark", "Dark Chocolate, sweets"), *found.all]
    pairs = product_pairs(learnt, found.known, lambda texts: SHOP_TOKENIZER.pack([texts]))
    queries, products = pairs.examples.text_ids[:, :2]
    assert pairs.negatives(queries, products).tolist() == [[False, False], [False, False]]


def test_synthetic_queries_are_learnt_but_never_held_out_and_wrong_for_none_of_their_products(tmp_path):
    log, products = log_table(tmp_path / "log.tsv"), products_table(tmp_path / "products.tsv")
    selection = Selection(synthetic_share=0.9, synthetic_columns=("department",))
    found = read_log_pairs(log, products, [], selection)
    departments = {"dairy", "sweets", "produce", "bakery", "kitchen"}
    assert departments <= {query for query, _ in found.best}
    assert {query for query, _ in found.all} | {*found.held_out.queries} == {*BOUGHT}
    assert ("dairy", "Whole Milk") in found.known
    assert ("dairy", "Chocolate Milk") in found.known
