import threading
from collections import Counter

import numpy as np
import pytest

from minitransformer.batches import many_texts
from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer
from tests.small_encoders import random_texts, small_encoder

TEXTS = ["my dog is cute", "he likes playing", "", "a b c a b c"]


@pytest.fixture
def encoder():
    return small_encoder()


def test_one_text_has_a_row_and_no_texts_have_none(encoder):
    assert encoder.encode("my dog").shape == (12,)
    np.testing.assert_array_equal(encoder.encode("my dog"), encoder.encode(["my dog"])[0])
    assert encoder.encode([]).shape == (0, 12)
    assert encoder.encode([]).dtype == np.float32
    assert [*encoder.encode_stream([])] == []


@pytest.mark.parametrize("cores", [1, 2, 9])
def test_an_embedding_does_not_depend_on_order_batch_or_company(monkeypatch, encoder, cores):
    monkeypatch.setattr(many_texts, "available_cores", lambda: cores)
    monkeypatch.setattr(many_texts, "TOKENS_PER_CORE", 40)
    texts = random_texts(80)
    embeddings = encoder.encode(texts)
    alone = np.stack([encoder.encode(text) for text in texts])
    np.testing.assert_allclose(embeddings, alone, atol=1e-6)
    order = np.random.default_rng(1).permutation(len(texts))
    np.testing.assert_allclose(encoder.encode([texts[i] for i in order]), embeddings[order], atol=1e-6)


def test_a_stream_gives_what_a_list_gives(monkeypatch, encoder):
    monkeypatch.setattr(many_texts, "TEXTS_PER_CHUNK", 11)
    texts = random_texts(50)
    chunks = [*encoder.encode_stream(text for text in texts)]
    assert [len(chunk) for chunk in chunks] == [11, 11, 11, 11, 6]
    np.testing.assert_allclose(np.concatenate(chunks), encoder.encode(texts), atol=1e-6)


def test_a_single_batch_starts_no_thread(monkeypatch, encoder):
    started = []
    monkeypatch.setattr(threading.Thread, "start", started.append)
    encoder.encode(TEXTS)
    assert started == []


def test_long_texts_are_cut_and_reported(encoder):
    long, cut = "a b c " * 10, "a b c a b c a"
    with pytest.warns(UserWarning, match=r"1 of 2 texts are longer than the model's 9 tokens: 23 of 36 tokens"):
        embeddings = encoder.encode([long, "my dog"])
    np.testing.assert_allclose(embeddings[0], encoder.encode(cut), atol=1e-6)
    with pytest.raises(UserError, match="a text has 32 tokens, but the model takes 9: 'a b c"):
        encoder.encode([long], truncation="error")
    assert encoder.tokenize(long).lengths.tolist() == [9]


@pytest.mark.parametrize("texts", [[1], [None], [b"bytes"], ["half a pair \ud800"]])
def test_what_is_no_text_is_refused(encoder, texts):
    with pytest.raises(UserError, match=r"texts\[0\]"):
        encoder.encode(texts)


def test_prompts_stand_before_each_text():
    encoder = small_encoder(prompts={"query": "my dog ", "document": ""}, default_prompt_name="query")
    expected = small_encoder().encode("my dog likes")
    np.testing.assert_array_equal(encoder.encode("likes"), expected)
    np.testing.assert_array_equal(encoder.encode("likes", prompt_name="query"), expected)
    np.testing.assert_array_equal(encoder.encode("dog likes", prompt="my "), expected)
    np.testing.assert_array_equal(encoder.encode("my dog likes", prompt_name="document"), expected)
    with pytest.raises(UserError, match="no prompt 'passage'; this model has query, document"):
        encoder.encode("likes", prompt_name="passage")


def test_a_prompt_that_is_not_pooled_is_seen_but_does_not_count():
    prompt, text = "my dog ", "likes a"
    encoder = small_encoder(prompts={"query": prompt}, include_prompt=False)
    hidden, _ = encoder.encoder(encoder.tokenize(prompt + text))
    np.testing.assert_allclose(encoder.encode(text, prompt_name="query"), hidden[3:].mean(axis=0), rtol=1e-4)
    np.testing.assert_array_equal(encoder.encode(text), small_encoder().encode(text))
    with pytest.raises(UserError, match="leaves no room for a text in 9 tokens"):
        encoder.encode(text, prompt="a " * 8)


def test_lower_casing_is_the_settings_where_the_tokenizer_does_not_do_it():
    cased = BertTokenizer.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "dog"], do_lower_case=False)
    lowering = small_encoder(tokenizer=cased, do_lower_case=True)
    np.testing.assert_array_equal(lowering.encode("DOG"), lowering.encode("dog"))
    keeping = small_encoder(tokenizer=cased)
    assert (keeping.encode("DOG") != keeping.encode("dog")).any()


def test_similarity_takes_texts_or_embeddings(encoder):
    a, b = TEXTS[:2], TEXTS[1:]
    similarities = encoder.similarity(a, b)
    assert similarities.shape == (2, 3)
    assert similarities[1, 0] == pytest.approx(1)
    np.testing.assert_allclose(encoder.similarity(encoder.encode(a), encoder.encode(b)), similarities, atol=1e-6)
    np.testing.assert_allclose(encoder.similarity(a[0], encoder.encode(b[0])), similarities[:1, :1], atol=1e-6)
    assert (small_encoder(similarity="euclidean").similarity(a, b) <= 0).all()


def test_a_text_that_is_there_several_times_is_computed_once(monkeypatch, encoder):
    texts = ["my dog", "a b", "my dog", "my dog", "a b"]
    computed = []
    embed = type(encoder).__call__

    def note_and_embed(self, tokens, prompt_length):
        computed.append(len(tokens))
        return embed(self, tokens, prompt_length)

    monkeypatch.setattr(type(encoder), "__call__", note_and_embed)
    embeddings = encoder.encode(texts)
    assert sum(computed) == 2
    np.testing.assert_array_equal(embeddings, encoder.encode(["my dog", "a b"])[[0, 1, 0, 0, 1]])


def test_a_stream_reads_no_more_texts_than_a_chunk_has(monkeypatch, encoder):
    monkeypatch.setattr(many_texts, "TEXTS_PER_CHUNK", 3)
    read = Counter()

    def endless():
        while True:
            read["texts"] += 1
            yield "a " * (read["texts"] % 5)

    chunks = encoder.encode_stream(endless())
    assert [len(next(chunks)), len(next(chunks))] == [3, 3]
    assert read["texts"] == 6


def test_a_text_in_a_later_chunk_is_refused_by_its_number(monkeypatch, encoder):
    monkeypatch.setattr(many_texts, "TEXTS_PER_CHUNK", 2)
    with pytest.raises(UserError, match=r"texts\[3\] must be a text, found 7"):
        encoder.encode(["a", "b", "c", 7])


def test_an_encoder_of_which_nothing_is_trained_encodes_as_before(encoder):
    expected = encoder.encode(TEXTS)
    encoder.freeze(encoder)
    np.testing.assert_array_equal(encoder.encode(TEXTS), expected)
    assert encoder.encode([]).dtype == np.float32
