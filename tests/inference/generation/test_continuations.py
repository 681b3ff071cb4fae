import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.inference.generation.continuations import Continuations
from minitransformer.text.packed_tokens import PackedTokens
from tests.small_models import small_gpt

PROMPTS = [[4, 7, 1], [9], [3, 3, 5, 8]]


def last_logits(model, texts):
    return np.concatenate([model(PackedTokens.pack([text]))[-1:] for text in texts])


def test_logits_are_those_of_each_whole_text_alone_however_it_grows_and_branches():
    model = small_gpt()
    texts, expected = Continuations(model, PROMPTS), [[*prompt] for prompt in PROMPTS]
    for token_ids in ([5, 6, 7], [8, 8, 2]):
        np.testing.assert_allclose(texts.logits, last_logits(model, expected), rtol=1e-10)
        texts.append(np.array(token_ids))
        expected = [[*text, token] for text, token in zip(expected, token_ids, strict=True)]
    texts.select(np.array([2, 0, 2]))
    texts.append(np.array([1, 2, 3]))
    expected = [[*expected[2], 1], [*expected[0], 2], [*expected[2], 3]]
    np.testing.assert_allclose(texts.logits, last_logits(model, expected), rtol=1e-10)
    assert texts.lengths.tolist() == [7, 6, 7]


def test_log_probabilities_are_those_of_the_softmax():
    texts = Continuations(small_gpt(), PROMPTS)
    exps = np.exp(texts.logits)
    np.testing.assert_allclose(texts.log_probabilities, np.log(exps / exps.sum(axis=1, keepdims=True)), rtol=1e-12)


def test_the_last_token_needs_no_position():
    """9 positions read a prompt of 4 and five tokens more, after which one can still be chosen."""
    texts = Continuations(small_gpt(), [[1, 2, 3, 4]])
    assert texts.room.tolist() == [6]
    for _ in range(5):
        texts.append(texts.logits.argmax(axis=1))
    assert texts.room.tolist() == [1]
    with pytest.raises(UserError, match="position 9 is outside the 9 positions"):
        texts.append(np.array([1]))


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ([[]], "the prompt is empty"),
        ([[1], []], "the prompt is empty"),
        ([[1] * 10], "the prompt has 10 tokens, but the model has 9 positions; shorten it"),
        ([[1, 23]], "token id 23 is outside the vocabulary of 23 tokens"),
        ([[-1]], "holds -1"),
    ],
)
def test_a_prompt_that_cannot_be_read_is_refused_in_a_sentence(prompts, words):
    with pytest.raises(UserError, match=words):
        Continuations(small_gpt(), prompts)
