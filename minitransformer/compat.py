"""For programs written for sentence-transformers: its SentenceTransformer, with this package's encoder inside.

    from minitransformer.compat import SentenceTransformer    # was: from sentence_transformers import ...

What changes a result is honoured or refused by name; what doesn't (batch_size, chunk_size, ...) is taken and ignored.
Results are NumPy arrays, where sentence-transformers sometimes gives tensors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from minitransformer.errors import UserError
from minitransformer.interop.hub import ModelName
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.ops.normalise import normalise_forward
from minitransformer.text.bert_tokenizer import BertTokenizer

DOCUMENT_PROMPTS = ("document", "passage", "corpus")  # the first that a model has is that of encode_document

# Arguments that must have one of these values, since others would ask for what isn't there.
ONLY_MODEL: dict[str, tuple[Any, ...]] = {
    "modules": (None,),
    "device": (None, "cpu"),
    "revision": (None, "main"),
    "model_kwargs": (None, {}),
    "processor_kwargs": (None, {}),
    "tokenizer_kwargs": (None, {}),
    "config_kwargs": (None, {}),
    "backend": ("torch",),
    "similarity_fn_name": (None, "cosine", "dot", "euclidean", "manhattan"),
}
IGNORED_BY_MODEL = (
    "cache_folder",
    "local_files_only",
    "token",
    "use_auth_token",
    "trust_remote_code",
    "model_card_data",
)
ONLY_ENCODE: dict[str, tuple[Any, ...]] = {
    "output_value": ("sentence_embedding",),
    "precision": ("float32",),
    "convert_to_numpy": (True,),
    "convert_to_tensor": (False,),
    "device": (None, "cpu"),
    "pool": (None,),
}
IGNORED_BY_ENCODE = ("chunk_size",)


class SentenceTransformer:
    """sentence-transformers' class of this name (version 6), on the CPU and without PyTorch.

    `encoder` is the SentenceEncoder that does the work. `device`, `similarity_fn_name`, `prompts`, `max_seq_length`,
    `tokenizer` and `truncate_dim` are as there.

    >>> SentenceTransformer("all-MiniLM-L6-v2", device="cuda")
    Traceback (most recent call last):
        ...
    minitransformer.errors.UserError: device='cuda' isn't supported here: leave it out or say None or 'cpu'
    """

    device = "cpu"

    def __init__(
        self,
        model_name_or_path: ModelName,
        *,
        prompts: Mapping[str, str] | None = None,
        default_prompt_name: str | None = None,
        similarity_fn_name: str | None = None,
        truncate_dim: int | None = None,
        **options: Any,
    ) -> None:
        _check({**options, "similarity_fn_name": similarity_fn_name}, ONLY_MODEL, IGNORED_BY_MODEL)
        self.encoder = SentenceEncoder.from_pretrained(model_name_or_path)
        settings = self.encoder.settings
        self.encoder.settings = replace(
            settings,
            prompts={**settings.prompts, **(prompts or {})},
            default_prompt_name=default_prompt_name or settings.default_prompt_name,
            similarity=similarity_fn_name or settings.similarity,
        )
        self.truncate_dim = truncate_dim

    def __repr__(self) -> str:
        return f"SentenceTransformer({self.encoder!r})"

    def encode(
        self,
        inputs: str | Sequence[str] | None = None,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int = 32,
        show_progress_bar: bool | None = None,
        *,
        sentences: str | Sequence[str] | None = None,
        normalize_embeddings: bool = False,
        truncate_dim: int | None = None,
        **options: Any,
    ) -> np.ndarray:
        """The embeddings (S, E) of S texts, or (E,) of one, as sentence-transformers gives them by default.

        `sentences` is the older name of `inputs`. batch_size changes nothing: texts are packed by their tokens.
        """
        _check(options, ONLY_ENCODE, IGNORED_BY_ENCODE)
        given = inputs if sentences is None else sentences
        if given is None:
            raise UserError("encode needs texts: encode(['a text', 'another'])")
        embeddings = self.encoder.encode(
            given, prompt_name=prompt_name, prompt=prompt, truncation="silent", show_progress=bool(show_progress_bar)
        )
        embeddings = embeddings[..., : truncate_dim or self.truncate_dim]
        return (
            normalise_forward(np.atleast_2d(embeddings))[0].reshape(embeddings.shape)
            if normalize_embeddings
            else embeddings
        )

    def encode_query(self, inputs: str | Sequence[str], *arguments: Any, **options: Any) -> np.ndarray:
        """As encode, with the model's prompt for queries if it has one and no other is asked for."""
        return self.encode(inputs, *arguments, **self._with_prompt(("query",), arguments, options))

    def encode_document(self, inputs: str | Sequence[str], *arguments: Any, **options: Any) -> np.ndarray:
        """As encode, with the model's prompt for documents if it has one and no other is asked for."""
        return self.encode(inputs, *arguments, **self._with_prompt(DOCUMENT_PROMPTS, arguments, options))

    def _with_prompt(self, names: Sequence[str], arguments: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        asked = [*arguments[:2], options.get("prompt_name"), options.get("prompt")]
        name = next((name for name in names if name in self.prompts), None)
        return (
            options if name is None or any(prompt is not None for prompt in asked) else {**options, "prompt_name": name}
        )

    def similarity(self, embeddings1: ArrayLike, embeddings2: ArrayLike) -> np.ndarray:
        """How similar each of the first embeddings is to each of the second, by the model's measure."""
        return self.encoder.similarity(np.asarray(embeddings1), np.asarray(embeddings2))

    def similarity_pairwise(self, embeddings1: ArrayLike, embeddings2: ArrayLike) -> np.ndarray:
        """How similar the first embeddings (S, E) are to the second ones (S, E), pair by pair: (S,)."""
        pairs = zip(np.atleast_2d(embeddings1), np.atleast_2d(embeddings2), strict=True)
        return np.array([self.encoder.similarity(first, second)[0, 0] for first, second in pairs])

    def get_embedding_dimension(self) -> int:
        """E, the numbers of an embedding."""
        return min(self.encoder.embedding_size, self.truncate_dim or self.encoder.embedding_size)

    get_sentence_embedding_dimension = get_embedding_dimension  # its older name

    def eval(self) -> Self:
        """Nothing to do: dropout happens only in training."""
        return self

    def to(self, device: Any) -> Self:
        """Nothing to do for "cpu"; other devices are refused."""
        _check({"device": str(device)}, ONLY_ENCODE, ())
        return self

    def save_pretrained(self, path: str, **options: Any) -> None:
        """Write a folder that both libraries load."""
        self.encoder.save_pretrained(path)

    save = save_pretrained

    @property
    def tokenizer(self) -> BertTokenizer:
        return self.encoder.tokenizer

    @property
    def prompts(self) -> dict[str, str]:
        return self.encoder.settings.prompts

    @property
    def default_prompt_name(self) -> str | None:
        return self.encoder.settings.default_prompt_name

    @property
    def similarity_fn_name(self) -> str:
        return self.encoder.settings.similarity

    @property
    def max_seq_length(self) -> int:
        return self.encoder.max_seq_length

    @max_seq_length.setter
    def max_seq_length(self, length: int) -> None:
        self.encoder.max_seq_length = min(length, self.encoder.config.max_position_embeddings)


def _check(options: dict[str, Any], only: Mapping[str, tuple[Any, ...]], ignored: Sequence[str]) -> None:
    """Refuse the options with a value that can't be honoured, and those that nobody knows."""
    for name, value in options.items():
        if name in ignored:
            continue
        if name not in only:
            raise TypeError(f"unexpected argument {name!r}; {', '.join([*only, *ignored])} are known")
        if value not in only[name] and str(value) not in only[name]:  # a torch.device, an enum
            values = " or ".join(map(repr, only[name]))
            raise UserError(f"{name}={value!r} isn't supported here: leave it out or say {values}")
