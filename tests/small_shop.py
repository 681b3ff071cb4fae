"""A shop of a few products, whose names are in the vocabulary of a small sentence encoder with random weights."""

from minitransformer.search.indexing import index_products
from minitransformer.search.product_table import Product
from minitransformer.text.bert_tokenizer import BertTokenizer
from tests.small_encoders import small_encoder
from tests.small_tables import write_table

HEADER = ("product_id", "name", "department", "price")
ROWS = (
    ("17", "Chocolate Milk", "dairy", "2.50"),
    ("4", "Milk Chocolate Bar", "sweets", "1.20"),
    ("23", "Whole Milk", "dairy", "1.10"),
    ("8", "Organic Bananas", "produce", "0.90"),
    ("15", "Banana Bread", "bakery", "3.00"),
    ("42", "Dark Chocolate", "sweets", ""),
    ("16", "Bread Knife", "kitchen", "9.00"),
)
WORDS = sorted({word for row in ROWS for word in row[1].lower().split()} | {"breakfast", "fruit"})
SHOP_TOKENIZER = BertTokenizer.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])


def shop_encoder(seed=1, **settings):
    return small_encoder(tokenizer=SHOP_TOKENIZER, seed=seed, **settings)


def products(rows=ROWS):
    return [Product(row[0], row[1], {c: v for c, v in zip(HEADER, row, strict=True) if v}) for row in rows]


def products_table(file, rows=ROWS, header=HEADER):
    return write_table(file, header, rows)


def make_shop(folder, rows=ROWS, encoder=None, **options):
    """An index of the products in the folder."""
    index_products(folder, products(rows), encoder or shop_encoder(), **options)
    return folder
