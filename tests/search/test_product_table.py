import gzip

import pytest

from minitransformer.errors import UserError
from minitransformer.search.product_table import Product, read_products, read_queries
from tests.small_shop import ROWS, products, products_table
from tests.small_tables import write_table


def test_products_have_an_id_a_name_and_whatever_else_isnt_empty(tmp_path):
    found = read_products(products_table(tmp_path / "products.tsv"))
    assert found == products()
    dark_chocolate = {"product_id": "42", "name": "Dark Chocolate", "department": "sweets"}
    assert found[5] == Product("42", "Dark Chocolate", dark_chocolate)


def test_other_names_for_id_and_name_and_gzip(tmp_path):
    (tmp_path / "p.tsv.gz").write_bytes(gzip.compress(b"title\tid\n Kale \t 007 \n"))
    assert read_products(tmp_path / "p.tsv.gz") == [Product("007", "Kale", {"title": "Kale", "id": "007"})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\tprice\nKale\t1\n", "has no column product_id or id; its columns are: name price"),
        ("id\tprice\n1\t1\n", "has no column name or title"),
        ("id\tname\n1\tKale\n2\tLeek\n1\tPea\n", "line 4: the id '1' is that of line 2 too"),
        ("id\tname\n\tKale\n", "line 2: the field 'id' is empty"),
        ("id\tname\n1\t \n", "line 2: the field 'name' is empty"),
        ("id\tname\n1\tKale\tgreen\n", "line 2: expected 2 fields as in the header, found 3"),
        ("id\tname\tname\n1\tKale\tgreen\n", "each column needs a name of its own"),
        ("id\tname\n", "no line after its header"),
        ("\n", "no lines"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_the_line(tmp_path, text, message):
    (tmp_path / "p.tsv").write_text(text)
    with pytest.raises(UserError, match=r"p\.tsv") as error:
        read_products(tmp_path / "p.tsv")
    assert message in str(error.value)


def test_queries_are_counted_by_line_or_by_their_counts(tmp_path):
    assert read_queries(write_table(tmp_path / "q", ("query",), [("milk",), ("kale",), ("milk",)])) == {
        "milk": 2,
        "kale": 1,
    }
    with_counts = write_table(tmp_path / "q", ("query", "count"), [("milk", 40), ("kale", 0), ("milk", 2)])
    assert read_queries(with_counts) == {"milk": 42, "kale": 0}
    with pytest.raises(UserError, match="line 2: the count '-3' is not a whole number"):
        read_queries(write_table(tmp_path / "q", ("query", "count"), [("milk", -3)]))


def test_the_order_of_the_table_is_kept(tmp_path):
    assert [product.id for product in read_products(products_table(tmp_path / "p"))] == [row[0] for row in ROWS]


def test_a_csv_of_a_spreadsheet_is_a_table_too(tmp_path):
    path = tmp_path / "products.csv"
    path.write_text('id,name,note\n1,"Kale, green","a ""leaf"""\n', encoding="utf-8")
    with pytest.warns(UserWarning, match="products.csv is read as CSV, with ',' between the fields"):
        [product] = read_products(path)
    assert (product.name, product.fields["note"]) == ("Kale, green", 'a "leaf"')
