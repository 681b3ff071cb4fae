import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.models.long_texts import windows
from tests.small_encoders import POSITIONS, small_encoder

LONG = "my dog is cute he likes a b c my dog a a b"  # 14 words, and [CLS] and [SEP]: the model takes 9 tokens


@pytest.mark.parametrize("num_pieces", range(20))
def test_windows_hold_every_piece_once_in_order_and_are_about_equally_long(num_pieces):
    ids = [1, 2, *range(10, 10 + num_pieces), 3]
    parts = windows(ids, num_before=2, limit=7)
    assert all(part[:2] == [1, 2] and part[-1] == 3 and len(part) <= 7 for part in parts)
    assert [i for part in parts for i in part[2:-1]] == ids[2:-1]
    lengths = [len(part) for part in parts]
    assert max(lengths) - min(lengths) <= 1
    assert len(parts) == max(1, -(-num_pieces // 4))


def test_a_long_text_is_the_mean_of_its_windows_weighted_by_their_tokens():
    """16 tokens are two windows of 7 pieces; 8 pieces, a and b, are two windows of 4."""
    encoder = small_encoder()
    first, second = encoder.encode("my dog is cute he likes a"), encoder.encode("b c my dog a a b")
    np.testing.assert_allclose(encoder.encode(LONG, long_texts="mean"), (first + second) / 2, atol=1e-6)
    uneven = f"{LONG} c"
    parts = [encoder.encode(part) for part in ("my dog is cute he", "likes a b c my", "dog a a b c")]
    np.testing.assert_allclose(encoder.encode(uneven, long_texts="mean"), np.mean(parts, axis=0), atol=1e-6)


def test_means_have_length_1_where_embeddings_have():
    embeddings = small_encoder(head=("normalise",)).encode([LONG, "my dog", ""], long_texts="mean")
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-6)


def test_texts_that_fit_keep_their_embeddings_and_nothing_is_cut():
    encoder = small_encoder()
    texts = ["my dog", "", " ".join(["a"] * (POSITIONS - 2)), "my dog"]
    np.testing.assert_allclose(encoder.encode(texts, long_texts="mean"), encoder.encode(texts), atol=1e-6)
    [chunk] = encoder.encode_stream([LONG, *texts], long_texts="mean", truncation="error")
    assert chunk.shape == (5, 12)


def test_the_prompt_stands_before_every_window():
    encoder = small_encoder(prompts={"query": "he likes "})
    parts = [encoder.encode(f"he likes {part}") for part in ("a b c a", "b c a b")]
    embedding = encoder.encode("a b c a b c a b", prompt_name="query", long_texts="mean")
    np.testing.assert_allclose(embedding, np.mean(parts, axis=0), atol=1e-6)


def test_another_way_is_refused():
    with pytest.raises(UserError, match="long_texts must be one of cut, mean; found 'max'"):
        small_encoder().encode("a", long_texts="max")
