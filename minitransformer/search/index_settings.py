"""What an index was made with, in the file index.json of its folder."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from minitransformer.errors import UserError
from minitransformer.files import json_text, read_json_object, replace_all

SETTINGS_FILE = "index.json"
FORMAT = 1  # of the folder; another one can't be read


@dataclass(frozen=True)
class IndexSettings:
    """
    model           the fingerprint of the model: embeddings of different models can't be compared
    embedding_size  numbers in an embedding
    embedded        the columns that are embedded together with a product's name
    category        the column with a product's category, if search may use one
    """

    model: str
    embedding_size: int
    embedded: tuple[str, ...] = ()
    category: str | None = None
    format: int = FORMAT

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises UserError if the folder is no index, or one that this version can't read."""
        if not (folder / SETTINGS_FILE).exists():
            made = "an index is made by `minitransformer index PRODUCTS.tsv --model MODEL --out DIR`"
            raise UserError(f"{folder} is not an index: it has no {SETTINGS_FILE}; {made}")
        fields = read_json_object(folder / SETTINGS_FILE)
        if fields.get("format") != FORMAT or fields.keys() != cls.__dataclass_fields__.keys():
            needed = f"this version needs the format {FORMAT} and {', '.join(cls.__dataclass_fields__)}"
            raise UserError(f"{folder / SETTINGS_FILE} isn't what can be read here: {needed}; make the index again")
        return cls(**{**fields, "embedded": tuple(fields["embedded"])})

    def write(self, folder: Path) -> None:
        replace_all(folder, {SETTINGS_FILE: json_text(asdict(self))})
