"""The same calls to sentence-transformers' SentenceTransformer and to ours."""

import numpy as np
import pytest

from minitransformer.compat import SentenceTransformer
from tests.small_encoders import random_texts, small_encoder

pytest.importorskip("torch", reason="torch is not installed (the parity extra)")
theirs_module = pytest.importorskip("sentence_transformers", reason="not installed (the parity extra)")

TEXTS = [*random_texts(20), "my DOG, likes playing."]
CALLS = [
    lambda model: model.encode(TEXTS),
    lambda model: model.encode(TEXTS[-1]),
    lambda model: model.encode(sentences=TEXTS, batch_size=4, show_progress_bar=False),
    lambda model: model.encode(TEXTS, convert_to_numpy=True, normalize_embeddings=True),
    lambda model: model.encode(TEXTS, "query"),
    lambda model: model.encode(TEXTS, prompt="my "),
    lambda model: model.encode(TEXTS, truncate_dim=7, normalize_embeddings=True),
    lambda model: model.encode_query(TEXTS),
    lambda model: model.encode_document(TEXTS),
    lambda model: model.encode_query(TEXTS, prompt=""),
    lambda model: model.similarity(model.encode(TEXTS[:3]), model.encode(TEXTS)),
    lambda model: model.similarity_pairwise(model.encode(TEXTS[:3]), model.encode(TEXTS[3:6])),
    lambda model: model.get_embedding_dimension(),
    lambda model: model.max_seq_length,
    lambda model: [model.prompts["query"], model.default_prompt_name, model.similarity_fn_name],
    lambda model: str(model.device),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "encoder"
    small_encoder(prompts={"query": "he likes ", "document": "a "}).save_pretrained(path)
    return str(path)


@pytest.mark.parametrize(
    "options", [{}, {"truncate_dim": 5}, {"prompts": {"query": "b "}, "default_prompt_name": "query"}]
)
@pytest.mark.parametrize("similarity", [None, "dot", "euclidean", "manhattan"])
def test_every_call_gives_what_sentence_transformers_gives(folder, options, similarity):
    ours = SentenceTransformer(folder, similarity_fn_name=similarity, **options)
    theirs = theirs_module.SentenceTransformer(folder, device="cpu", similarity_fn_name=similarity, **options)
    for number, call in enumerate(CALLS):
        expected = call(theirs)
        expected = expected.numpy() if hasattr(expected, "numpy") else expected
        if isinstance(expected, np.ndarray):
            np.testing.assert_allclose(call(ours), expected, rtol=1e-4, atol=1e-5, err_msg=f"call {number}")
        else:
            assert call(ours) == expected, f"call {number}"
