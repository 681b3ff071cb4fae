import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches.masking import TokenMasker
from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens

WORDS = [f"w{i}" for i in range(50)]
PIECES = [f"##p{i}" for i in range(30)]
TOKENIZER = BertTokenizer.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *PIECES])
V = TOKENIZER.vocab_size
CLS, SEP, MASK = TOKENIZER.cls_token_id, TOKENIZER.sep_token_id, TOKENIZER.mask_token_id

ordinary_id = st.integers(5, V - 1)
batches = st.lists(
    st.tuples(st.lists(ordinary_id, max_size=40), st.lists(ordinary_id, max_size=20)).map(
        lambda pair: [CLS, *pair[0], SEP, *pair[1], SEP]
    ),
    min_size=1,
    max_size=6,
).map(PackedTokens.pack)


def number_of(length):
    return max(1, round(0.15 * length))


def words_of(ids):
    """The rows of each word of a sentence."""
    words = []
    for row, i in enumerate(ids):
        if i in (CLS, SEP):
            continue
        if TOKENIZER.is_continuation[i] and row and ids[row - 1] not in (CLS, SEP):
            words[-1].append(row)
        else:
            words.append([row])
    return words


@given(batches, st.booleans(), st.integers(0, 99))
def test_what_is_masked_can_be_put_back(tokens, whole_words, seed):
    before = tokens.token_ids.copy()
    masked, positions, ids = TokenMasker(TOKENIZER, whole_words=whole_words)(tokens, np.random.default_rng(seed))
    np.testing.assert_array_equal(tokens.token_ids, before)
    restored = masked.token_ids.copy()
    restored[positions] = ids
    np.testing.assert_array_equal(restored, before)
    assert (np.diff(positions) > 0).all()
    assert not np.isin(ids, [CLS, SEP]).any()
    for name in ("segment_ids", "position_ids", "lengths"):
        np.testing.assert_array_equal(getattr(masked, name), getattr(tokens, name))


@given(batches, st.integers(0, 99))
def test_each_sentence_has_15_percent_of_its_tokens_chosen_and_at_least_one(tokens, seed):
    _, positions, _ = TokenMasker(TOKENIZER)(tokens, np.random.default_rng(seed))
    for start, length in zip(tokens.starts, tokens.lengths, strict=True):
        n_chosen = ((positions >= start) & (positions < start + length)).sum()
        assert n_chosen == min(number_of(length), length - 3)


@given(batches, st.integers(0, 99))
def test_whole_words_are_chosen_or_not_as_a_whole_and_no_word_that_fits_is_left(tokens, seed):
    _, positions, _ = TokenMasker(TOKENIZER, whole_words=True)(tokens, np.random.default_rng(seed))
    for start, length, ids in zip(tokens.starts, tokens.lengths, tokens.unpack(tokens.token_ids), strict=True):
        chosen = set((positions[(positions >= start) & (positions < start + length)] - start).tolist())
        left = []
        for word in words_of(ids.tolist()):
            assert chosen.issuperset(word) or chosen.isdisjoint(word)
            if chosen.isdisjoint(word):
                left.append(len(word))
        room = number_of(length) - len(chosen)
        assert room >= 0
        assert not left or min(left) > room


@pytest.mark.parametrize("whole_words", [False, True])
def test_80_10_10_percent_are_masked_replaced_and_kept(whole_words):
    tokens = PackedTokens.pack([[CLS, *range(5, V), SEP]] * 800)
    masker = TokenMasker(TOKENIZER, whole_words=whole_words)
    masked, positions, ids = masker(tokens, np.random.default_rng(0))
    now = masked.token_ids[positions]
    assert len(positions) > 8000
    assert abs((now == MASK).mean() - 0.8) < 0.015
    assert abs((now == ids).mean() - 0.1 - 0.1 / (V - 5)) < 0.015
    replaced = now[(now != MASK) & (now != ids)]
    assert replaced.min() >= 5  # no special token
    assert len(np.unique(replaced)) == V - 5
    chosen_per_token = np.bincount(ids, minlength=V)[5:]
    if not whole_words:
        assert chosen_per_token.min() > 0.6 * chosen_per_token.mean()
        assert chosen_per_token.max() < 1.4 * chosen_per_token.mean()


def test_the_masks_depend_on_the_generator_alone():
    tokens = PackedTokens.pack([[CLS, *range(5, 60), SEP]])
    first, again, other = (TokenMasker(TOKENIZER)(tokens, np.random.default_rng(seed))[1] for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize("whole_words", [False, True])
def test_sentences_without_any_word_are_left_alone(whole_words):
    tokens = PackedTokens.pack([[CLS, SEP, SEP], [CLS, SEP]])
    masked, positions, _ = TokenMasker(TOKENIZER, whole_words=whole_words)(tokens, np.random.default_rng(0))
    assert len(positions) == 0
    assert masked.token_ids.tolist() == tokens.token_ids.tolist()


def test_a_share_that_is_no_share_is_refused():
    with pytest.raises(UserError, match="between 0 and 1, found 15"):
        TokenMasker(TOKENIZER, probability=15)
