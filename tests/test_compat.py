import pickle

import numpy as np
import pytest

from minitransformer.compat import SentenceTransformer
from minitransformer.errors import UserError
from tests.small_encoders import random_texts, small_encoder

TEXTS = random_texts(7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "encoder"
    small_encoder(prompts={"query": "he likes ", "passage": "my "}).save_pretrained(path)
    return path


@pytest.fixture
def model(folder):
    return SentenceTransformer(str(folder))


def test_the_calls_of_bertopic_langchain_chroma_and_mteb_give_the_encoders_embeddings(model):
    expected = model.encoder.encode(TEXTS)
    for call in (
        lambda: model.encode(TEXTS, show_progress_bar=False),
        lambda: model.encode(TEXTS, show_progress_bar=False, batch_size=64),
        lambda: model.encode(TEXTS, convert_to_numpy=True, normalize_embeddings=False),
        lambda: model.encode(sentences=TEXTS, device="cpu", convert_to_tensor=False),
        lambda: model.encode(TEXTS, None, None, 8),
    ):
        np.testing.assert_array_equal(call(), expected)


def test_queries_and_documents_get_the_models_prompts_unless_told_otherwise(model):
    prompted = {name: model.encode(TEXTS, prompt_name=name) for name in ("query", "passage")}
    np.testing.assert_array_equal(model.encode_query(TEXTS), prompted["query"])
    np.testing.assert_array_equal(model.encode_document(TEXTS), prompted["passage"])
    np.testing.assert_array_equal(model.encode_query(TEXTS, "passage"), prompted["passage"])
    np.testing.assert_array_equal(model.encode_document(TEXTS, prompt=""), model.encode(TEXTS))


def test_embeddings_are_cut_then_normalised(model, folder):
    cut = model.encode(TEXTS)[:, :5]
    np.testing.assert_array_equal(model.encode(TEXTS, truncate_dim=5), cut)
    normalised = model.encode(TEXTS, truncate_dim=5, normalize_embeddings=True)
    np.testing.assert_allclose(normalised, cut / np.linalg.norm(cut, axis=1, keepdims=True), rtol=1e-6)
    of_5 = SentenceTransformer(folder, truncate_dim=5)
    np.testing.assert_array_equal(of_5.encode(TEXTS), cut)
    assert (model.get_embedding_dimension(), of_5.get_sentence_embedding_dimension()) == (12, 5)
    assert model.encode("my dog", normalize_embeddings=True).shape == (12,)


def test_similarities_are_in_pairs_or_of_all_with_all(folder):
    model = SentenceTransformer(folder, similarity_fn_name="dot")
    a, b = model.encode(TEXTS[:3]), model.encode(TEXTS[3:6])
    np.testing.assert_allclose(model.similarity(a, b), a @ b.T, rtol=1e-5)
    np.testing.assert_allclose(model.similarity_pairwise(a, b), np.diag(a @ b.T), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"convert_to_tensor": True}, "convert_to_tensor=True isn't supported here: leave it out or say False"),
        ({"convert_to_numpy": False}, "convert_to_numpy=False"),
        ({"precision": "int8"}, "precision='int8' isn't supported here: leave it out or say 'float32'"),
        ({"output_value": "token_embeddings"}, "output_value='token_embeddings'"),
        ({"device": "cuda"}, "device='cuda' isn't supported here: leave it out or say None or 'cpu'"),
        ({"pool": {}}, "pool={}"),
    ],
)
def test_what_cannot_be_honoured_says_so(model, options, message):
    with pytest.raises(UserError, match=message):
        model.encode(TEXTS, **options)


def test_a_model_that_cannot_be_had_says_so(folder):
    for options in ({"device": "mps"}, {"backend": "onnx"}, {"revision": "v2"}, {"similarity_fn_name": "angle"}):
        with pytest.raises(UserError, match=f"{next(iter(options))}=.* isn't supported here"):
            SentenceTransformer(folder, **options)
    with pytest.raises(TypeError, match="unexpected argument 'batchsize'"):
        SentenceTransformer(folder).encode(TEXTS, batchsize=3)


def test_the_rest_of_its_face(model, tmp_path):
    assert model.eval().to("cpu") is model
    with pytest.raises(UserError, match="device='cuda'"):
        model.to("cuda")
    model.max_seq_length = 5
    assert model.encoder.tokenize("a a a a a a a a").lengths.tolist() == [5]
    assert (model.prompts["query"], model.default_prompt_name, model.similarity_fn_name) == (
        "he likes ",
        None,
        "cosine",
    )
    model.save(tmp_path / "saved")
    again = SentenceTransformer(tmp_path / "saved")
    np.testing.assert_array_equal(again.encode(TEXTS), model.encode(TEXTS))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).encode(TEXTS), model.encode(TEXTS))
    assert repr(model).startswith("SentenceTransformer(SentenceEncoder(2 layers")
