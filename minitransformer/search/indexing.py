"""Making an index of products and keeping it up to date.

What is in the folder:

    index.json          what it was made with (index_settings.py)
    catalogue.sqlite    products, their words, suggestions
    products-0.f32      the embeddings of products, and in suggestions-0.f32 those of suggestions
    products-0.voyager  for many products, a graph of near ones (neighbours.py)
    model/              the sentence encoder, or the two towers
    queries.sqlite      embeddings of queries that were asked before; it comes with the first search

Whenever this is interrupted, by Ctrl-C, a crash or a full disk, the index stays as it was after the last batch, and the
same call goes on from there.
"""

import os
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from minitransformer.errors import UserError
from minitransformer.files import locked
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.two_towers import TwoTowers
from minitransformer.search.catalogue import Catalogue, Changes
from minitransformer.search.embedded_texts import Embed, EmbeddedTexts
from minitransformer.search.index_model import MODEL_FOLDER, IndexModel, fingerprint
from minitransformer.search.index_settings import SETTINGS_FILE, IndexSettings
from minitransformer.search.neighbours import update_graph
from minitransformer.search.product_table import Product, check_columns

LOCK_FILE = ".lock"
HALF_MODEL = ".model"  # until it is whole


def index_products(
    folder: str | os.PathLike[str],
    products: Sequence[Product],
    encoder: SentenceEncoder | TwoTowers | None = None,
    *,
    embedded: Sequence[str] | None = None,
    category: str | None = None,
    queries: Mapping[str, int] | None = None,
    blocked: Sequence[str] | None = None,
    keep_others: bool = False,
    show_progress: bool = False,
    spread: Callable[[Embed, list[str]], np.ndarray] = lambda embed, texts: embed(texts),
) -> Changes:
    """Make an index in a folder, or let the one that is there hold these products and no others (or keep those, too).

    encoder     needed for a new index, and copied into it; with two towers, one embeds products and the other queries
    embedded    columns to embed together with the name
    category    the column that tells of which kind a product is: search leaves out kinds that don't fit the query
    queries     past queries and how often each was asked, to be suggested
    blocked     words and phrases that no suggestion may have
    spread      calls one of the model's functions from texts to embeddings, for some texts, in several processes, say

    What is None stays as it is in the index, and only what is new or has changed is embedded. Raises UserError if
    somebody else is indexing, if the index was made with another model, if no product has one of the columns, or if the
    disk is full.
    """
    folder = Path(folder)
    towers = TwoTowers(encoder, encoder) if isinstance(encoder, SentenceEncoder) else encoder
    check_columns(products, [*(embedded or ()), *([category] if category else [])])
    with locked(folder / LOCK_FILE, f"the index {folder}"):
        settings = _settings(folder, towers, embedded, category)
        check_columns(products, [*settings.embedded, *([settings.category] if settings.category else [])])
        settings.write(folder)
        catalogue = Catalogue(folder, create=True)
        model = IndexModel(folder, settings.model)
        changes = catalogue.update(products, settings.embedded, keep_others)
        catalogue.remember(queries, blocked)
        catalogue.update_suggestions()
        for name, embed in (("products", model.embed_products), ("suggestions", model.embed_queries)):
            texts = EmbeddedTexts(catalogue, folder, name, settings.embedding_size)
            texts.embed_missing(partial(spread, embed), show_progress)
            texts.compact()
            if name == "products":
                update_graph(texts.graph_file(), texts.load())
    return changes


def _settings(
    folder: Path, towers: TwoTowers | None, embedded: Sequence[str] | None, category: str | None
) -> IndexSettings:
    """Those of the index that is there, with what is new in them; for a new index, the towers go into the folder."""
    if (folder / SETTINGS_FILE).exists():
        settings = IndexSettings.read(folder)
        if towers is not None and fingerprint(towers) != settings.model:
            other = "was made with another model, and embeddings of two models can't be compared"
            raise UserError(f"{folder} {other}; choose another --out, or go on without --model")
    else:
        settings = _new_settings(folder, towers)
    if embedded is not None:
        settings = replace(settings, embedded=tuple(embedded))
    if category is not None:
        settings = replace(settings, category=category)
    return settings


def _new_settings(folder: Path, towers: TwoTowers | None) -> IndexSettings:
    if towers is None:
        raise UserError(f"{folder} is a new index, which needs a model to embed its products with (--model)")
    if others := sorted(file.name for file in folder.iterdir() if file.name not in (LOCK_FILE, HALF_MODEL)):
        what = f"{folder} is no index, and has other files ({', '.join(others[:3])})"
        raise UserError(f"{what}; choose a new folder for --out, or delete this one")
    if towers.query.settings.similarity == "dot":
        lengths = "an index compares by cosines, so that the lengths of its embeddings take no part"
        warnings.warn(f"the model was trained for dot products, and {lengths}", stacklevel=3)
    shutil.rmtree(folder / HALF_MODEL, ignore_errors=True)
    towers.save_pretrained(folder / HALF_MODEL)
    os.replace(folder / HALF_MODEL, folder / MODEL_FOLDER)
    return IndexSettings(fingerprint(towers), towers.embedding_size)
