"""A transformer for scikit-learn: texts in, embeddings out. It needs the extra `sklearn`.

make_pipeline(TextEmbedder("all-MiniLM-L6-v2"), LogisticRegression()).fit(texts, labels)
"""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from minitransformer.errors import UserError
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.text.texts import as_texts


class TextEmbedder(TransformerMixin, BaseEstimator):
    """The embeddings of texts by a sentence encoder, for pipelines, cross-validation and the like.

    Nothing is learnt in `fit`. The encoder is read when it is first needed, and left out of a pickle: a copy reads it
    again, so the folder must still be there.

    model        a folder, or the name of a model on the Hugging Face hub
    prompt_name  which of the model's prompts is put before every text
    truncation   what to do about texts that are too long, as in SentenceEncoder.encode
    """

    def __init__(self, model: str, prompt_name: str | None = None, truncation: str = "warn") -> None:
        self.model = model
        self.prompt_name = prompt_name
        self.truncation = truncation

    def fit(self, X: Any, y: Any = None) -> Self:
        """Look at the texts, and read the encoder."""
        texts_of(X)
        self._encoder()
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The embeddings (S, E) of S texts: a list, an array, a column of a table, or a table of one column."""
        return self._encoder().encode(texts_of(X), prompt_name=self.prompt_name, truncation=self.truncation)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the E columns."""
        return np.array([f"embedding{i}" for i in range(self._encoder().embedding_size)], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_read"}

    def _encoder(self) -> SentenceEncoder:
        """The encoder of self.model, which set_params may change."""
        name, encoder = getattr(self, "_read", (None, None))
        if encoder is None or name != self.model:
            encoder = SentenceEncoder.from_pretrained(self.model)
            self._read = self.model, encoder
        return encoder


def texts_of(X: Any) -> list[str]:
    """The texts of one column, whatever holds it. Raises UserError for what isn't texts."""
    if X is None:
        raise UserError("X must be a list of texts, found None")
    if isinstance(X, str):
        raise UserError("X must be a list of texts, found a single text; put it in a list")
    is_column = getattr(X, "ndim", 1) == 2 and X.shape[1] == 1
    return as_texts(np.asarray(X)[:, 0] if is_column else X, "X")
