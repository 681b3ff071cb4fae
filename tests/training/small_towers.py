"""The log of a small shop's search, and small runs on it."""

from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.sentence_encoder_settings import SentenceEncoderSettings
from minitransformer.training.runs.towers import TowersTrainingSettings
from tests.small_encoders import POSITIONS
from tests.small_models import small_config
from tests.small_shop import SHOP_TOKENIZER, products_table
from tests.small_tables import write_table

BOUGHT = {  # product ids, the best first
    "milk": ("23", "17", "4"),
    "chocolate": ("4", "42", "17"),
    "bread": ("15", "16"),
    "bananas": ("8", "15"),
    "fruit": ("8",),
    "breakfast": ("15", "23"),
    "knife": ("16",),
    "dark": ("42", "4"),
}


def log_table(file, bought=BOUGHT):
    """Of n products, n + 1 people took the first, n the second, and 2 the last one."""
    rows = [
        (query, product, f"user {user}", "add_to_cart")
        for query, products in bought.items()
        for place, product in enumerate(products)
        for user in range(len(products) + 1 - place)
    ]
    return write_table(file, ("query", "product_id", "user", "action"), rows)


def saved_encoder(folder):
    """As training begins with it: at random, but not so far out that its layers are saturated."""
    sizes = {"vocab_size": SHOP_TOKENIZER.vocab_size, "max_position_embeddings": POSITIONS, "initializer_range": 0.3}
    encoder = SentenceEncoder(small_config(**sizes), SHOP_TOKENIZER, SentenceEncoderSettings(head=("normalise",)), 1)
    encoder.save_pretrained(folder)
    return folder


def towers_settings(folder, **changes):
    small = {"embedding_size": 5, "batch_size": 6, "learning_rate": 1e-2, "seed": 3, "evaluations_per_epoch": 1}
    given = {
        "model": str(saved_encoder(folder / "encoder")),
        "log": str(log_table(folder / "log.tsv")),
        "products": str(products_table(folder / "products.tsv")),
    }
    return TowersTrainingSettings(**{**given, **small, **changes})
