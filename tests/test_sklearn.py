import pickle

import numpy as np
import pytest

from minitransformer.errors import UserError
from tests.small_encoders import small_encoder

pytest.importorskip("sklearn", reason="scikit-learn is not installed (the sklearn extra)")
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from minitransformer.sklearn import TextEmbedder

TEXTS = [*["my dog is cute", "dog is cute", "cute dog", "a cute dog"], *["he likes b", "b c", "he plays c", "c b c"]]
LABELS = [0, 0, 0, 0, 1, 1, 1, 1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "encoder"
    small_encoder(prompts={"query": "he likes "}).save_pretrained(path)
    return str(path)


def test_a_pipeline_learns_from_texts_is_cross_validated_and_cloned(folder):
    pipeline = make_pipeline(TextEmbedder(folder), LogisticRegression(C=1e6, max_iter=10_000))
    assert pipeline.fit(TEXTS, LABELS).score(TEXTS, LABELS) == 1
    assert cross_val_score(pipeline, TEXTS, LABELS, cv=2, n_jobs=2).shape == (2,)
    assert clone(pipeline)[0].model == folder


def test_embeddings_are_the_encoders_with_or_without_fit(folder):
    expected = small_encoder().encode(TEXTS)
    np.testing.assert_allclose(TextEmbedder(folder).transform(TEXTS), expected, atol=1e-6)
    np.testing.assert_allclose(TextEmbedder(folder).fit_transform(np.array(TEXTS)[:, None]), expected, atol=1e-6)


def test_parameters_are_those_of_scikit_learn(folder):
    embedder = TextEmbedder(folder).fit(TEXTS)
    before = embedder.transform(TEXTS)
    embedder.set_params(prompt_name="query")
    assert (embedder.transform(TEXTS) != before).any()
    assert embedder.get_feature_names_out().tolist() == [f"embedding{i}" for i in range(12)]
    assert "TextEmbedder" in repr(embedder)


@pytest.mark.filterwarnings("ignore:Can't test estimator")  # those checks that want numbers
def test_scikit_learn_finds_an_estimator(folder):
    check_estimator(TextEmbedder(folder))


def test_a_pickle_holds_no_weights(folder):
    embedder = TextEmbedder(folder).fit(TEXTS)
    data = pickle.dumps(embedder)
    assert len(data) < 1000
    np.testing.assert_array_equal(pickle.loads(data).transform(TEXTS), embedder.transform(TEXTS))


def test_columns_of_tables_are_taken_and_tables_are_refused(folder):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame({"text": TEXTS, "label": LABELS})
    embedder = TextEmbedder(folder)
    for column in (frame["text"], frame[["text"]]):
        np.testing.assert_array_equal(embedder.transform(column), embedder.transform(TEXTS))
    with pytest.raises(UserError, match=r"X must be a text or a list of texts, found a DataFrame of shape \(8, 2\)"):
        embedder.transform(frame)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (None, "found None"),
        ("my dog", "found a single text; put it in a list"),
        ([1, 2], r"X\[0\] must be a text, found 1"),
        (np.ones((2, 3)), r"of shape \(2, 3\)"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(folder, X, message):
    with pytest.raises(UserError, match=message):
        TextEmbedder(folder).fit(X)
