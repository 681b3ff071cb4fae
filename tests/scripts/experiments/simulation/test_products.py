import numpy as np
import pytest

from minitransformer.search.product_table import Product
from scripts.experiments.simulation.products import (
    Intent,
    ProductType,
    Shop,
    aisle_of_heads,
    read_shop,
    singulars,
    type_of,
)

FRUITS = "fresh fruits"


def shop(*names_and_aisles, baskets=((0, 1),)):
    products = [Product(str(i), name, {"aisle": aisle}) for i, (name, aisle) in enumerate(names_and_aisles)]
    return Shop(products, baskets)


@pytest.mark.parametrize(
    ("name", "aisle", "head"),
    [
        ("Organic Navel Oranges", FRUITS, "orange"),
        ("Clementines, Bag", FRUITS, "orange"),
        ("Bag of Organic Bananas", FRUITS, "banana"),
        ("Orange Juice With Calcium", "refrigerated", "juice"),
        ("Ice Cream Sandwiches Vanilla", "ice cream ice", "cream"),
        ("Black Beans No Salt Added", "canned meals beans", "bean"),
        ("Cheddar Cheese Sticks", "packaged cheese", "cheese"),
        ("Chocolate Milk", "milk", "milk"),
        ("Milk Chocolate Almonds", "candy chocolate", "chocolate"),
    ],
)
def test_the_head_of_a_name_says_what_it_is(name, aisle, head):
    assert type_of(name, aisle) == ProductType(head, aisle)


def test_plurals_become_singulars_and_what_only_looks_like_one_stays():
    assert singulars("Cookies, Cherries, Tomatoes, Radishes, Hummus, Bass") == [
        *("cookie", "cherry", "tomato", "radish", "hummus", "bass")
    ]


def test_grades_are_3_for_type_and_words_2_for_the_type_1_for_the_aisle():
    found = shop(
        ("Organic Oranges", FRUITS), ("Mandarins", FRUITS), ("Bananas", FRUITS), ("Orange Juice", "refrigerated")
    )
    orange = ProductType("orange", FRUITS)
    np.testing.assert_array_equal(found.grades(Intent(orange)), [3, 3, 1, 0])
    np.testing.assert_array_equal(found.grades(Intent(orange, ("organic",))), [3, 2, 1, 0])


def test_a_head_is_looked_for_where_it_is_bought_most():
    found = shop(("Oranges", "canned fruit"), ("Navel Oranges", FRUITS), baskets=[(0, 1), (1,)])
    assert aisle_of_heads(found) == {"orange": FRUITS}


def test_a_shop_sells_what_was_bought_often_enough_in_the_departments_that_it_has(tmp_path):
    lines = ["product_id\tname\taisle\tdepartment", "7\tKale\tgreens\tproduce", "8\tSoap\tsoap\thousehold"]
    (tmp_path / "products.tsv").write_text("\n".join([*lines, "9\tLeek\tgreens\tproduce", "5\tFig\tfruits\tproduce"]))
    (tmp_path / "orders.open.tsv").write_text("order_id\tproduct_ids\n1\t7r 8 9\n2\t9 8r 7\n3\t9 5\n")
    found = read_shop(tmp_path, min_purchases=2, without=["household"])
    assert [product.name for product in found.products] == ["Kale", "Leek"]
    assert found.baskets == [[0, 1], [1, 0]]
