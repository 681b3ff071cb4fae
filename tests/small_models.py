"""Small models and batches: every size different and above 1, every parameter drawn at random."""

import numpy as np

from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.models.gpt import Gpt
from minitransformer.models.gpt_config import GptConfig
from minitransformer.models.lstm_seq2seq import LstmSeq2Seq
from minitransformer.models.lstm_seq2seq_config import LstmSeq2SeqConfig
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.models.seq2seq_config import Seq2SeqConfig
from minitransformer.text.packed_tokens import PackedTokens

LENGTHS = (4, 1, 6, 6, 3)  # a sentence of one token, and two of equal length one after the other
TARGET_LENGTHS = (2, 5, 5, 1, 7)


def small_config(**changes):
    sizes = {
        "vocab_size": 23,
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 7,
        "max_position_embeddings": 9,
        "type_vocab_size": 5,
    }
    return BertConfig(**{**sizes, **changes})


def randomise(module, seed=1, std=0.7):
    """Draw every parameter of the module: at gamma = 1 and bias = 0 a wrong gradient can look right."""
    values = module.storage.values
    values[...] = std * np.random.default_rng(seed).normal(size=values.shape)
    return module


def pretraining_model(dtype=np.float64, **changes):
    return randomise(BertForPreTraining(small_config(**changes), dtype=dtype))


def small_gpt_config(**changes):
    sizes = {
        "vocab_size": 23,
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 7,
        "max_position_embeddings": 9,
    }
    return GptConfig(**{**sizes, **changes})


def small_gpt(dtype=np.float64, **changes):
    return randomise(Gpt(small_gpt_config(**changes), dtype=dtype))


def small_seq2seq_config(**changes):
    sizes = {
        "vocab_size": 23,
        "hidden_size": 12,
        "num_encoder_layers": 3,
        "num_decoder_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 7,
        "max_position_embeddings": 9,
        "eos_token_id": 1,
        "decoder_start_token_id": 2,
    }
    return Seq2SeqConfig(**{**sizes, **changes})


def small_seq2seq(dtype=np.float64, **changes):
    return randomise(Seq2Seq(small_seq2seq_config(**changes), dtype=dtype))


def small_lstm_seq2seq(dtype=np.float64, **changes):
    sizes = {"vocab_size": 23, "hidden_size": 6, "max_position_embeddings": 9, "eos_token_id": 1}
    config = LstmSeq2SeqConfig(**{**sizes, "decoder_start_token_id": 2, **changes})
    return randomise(LstmSeq2Seq(config, dtype=dtype))


def sources_and_targets(config, lengths=LENGTHS, target_lengths=TARGET_LENGTHS):
    return random_tokens(config, lengths), random_tokens(config, target_lengths, seed=4)


def random_tokens(config, lengths=LENGTHS, seed=2):
    """Sentences of the given lengths, whose ids run over all that the config allows (but 0, which others pad with)."""
    rng = np.random.default_rng(seed)
    token_ids = [rng.integers(1, config.vocab_size, length) for length in lengths]
    segments = getattr(config, "type_vocab_size", 1) or 1
    segment_ids = [rng.integers(0, segments, length) for length in lengths]
    return PackedTokens.pack(token_ids, segment_ids)


def pretraining_batch(config, lengths=LENGTHS, masked_share=0.4, seed=2):
    """A batch with masked rows in no particular order; the last sentence has none, unless it is the only one."""
    rng = np.random.default_rng(seed)
    tokens = random_tokens(config, lengths, seed)
    num_rows = sum(lengths[:-1]) or lengths[0]
    masked_positions = rng.permutation(num_rows)[: round(masked_share * num_rows)]
    masked_ids = rng.integers(0, config.vocab_size, len(masked_positions))
    return PretrainingBatch(tokens, masked_positions, masked_ids, rng.integers(0, 2, len(lengths)))
