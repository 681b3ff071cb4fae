"""The lecture's two pairs, on a small encoder that knows their words."""

import numpy as np
import pytest
from click.testing import CliRunner

from minitransformer import SentenceEncoder
from minitransformer.evaluation.encode import averaged_token_embeddings
from minitransformer.text.bert_tokenizer import BertTokenizer
from scripts.experiments import word_order
from tests.small_models import small_config

WORDS = ["me", "loves", "my", "friend", "i", "like", "chocolate", "milk"]
TOKENIZER = BertTokenizer.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])


@pytest.fixture
def encoder():
    config = small_config(vocab_size=TOKENIZER.vocab_size, max_position_embeddings=6, initializer_range=0.5)
    return SentenceEncoder(config, TOKENIZER, dtype=np.float64)


def test_averages_of_token_embeddings_do_not_know_the_order(encoder):
    same_words, chocolate, different_words = word_order.cosines(averaged_token_embeddings(encoder.encoder, TOKENIZER))
    assert same_words == pytest.approx(1, abs=1e-12)
    assert chocolate == pytest.approx(1, abs=1e-12)
    assert different_words < 0.9


def test_an_encoder_without_positions_does_not_know_the_order(encoder):
    same_words, chocolate, different_words = word_order.cosines(word_order.without_positions(encoder).encode)
    assert same_words == pytest.approx(1, abs=1e-12)
    assert chocolate == pytest.approx(1, abs=1e-12)
    assert different_words < 0.99


def test_an_encoder_with_positions_does(encoder):
    word_order.without_positions(encoder)  # must leave the encoder itself as it is
    same_words, chocolate, _ = word_order.cosines(encoder.encode)
    assert max(same_words, chocolate) < 0.99


def test_the_command_prints_a_row_for_each_way(encoder, tmp_path):
    encoder.save_pretrained(tmp_path)
    printed = CliRunner().invoke(word_order.main, [str(tmp_path)], catch_exceptions=False).output
    tokens, blind, seeing = (line.split(" | ") for line in printed.splitlines()[2:])
    assert tokens[1:3] == blind[1:3] == ["1.0000", "1.0000"]
    assert float(seeing[1]) < 0.99
