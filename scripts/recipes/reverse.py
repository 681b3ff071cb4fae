"""Four architectures on one page: who can turn a word round, or copy it, and up to which length?

    python scripts/recipes/reverse.py
    python scripts/recipes/reverse.py copy

Random letters into the same letters, backwards or as they are. There is nothing to learn by heart, and an LSTM without
attention has to carry all letters through one state: a reversed word begins with the letter that was read last, a copy
with the one that is furthest away. It takes less than a minute on two cores.
"""

import random
import sys

import numpy as np

from minitransformer import (
    AdamW,
    CharacterTokenizer,
    PackedTokens,
    Seq2Seq,
    Seq2SeqConfig,
    Workers,
    clip_scale,
    linear_warm_up_and_decay,
)
from minitransformer.batches.translation import TranslationBatch
from minitransformer.inference.translation import translate
from minitransformer.models.lstm_seq2seq import LstmSeq2Seq
from minitransformer.models.lstm_seq2seq_config import LstmSeq2SeqConfig

SEED = 0
STEPS, WARM_UP_STEPS, PEAK_LEARNING_RATE, BATCH_SIZE = 500, 50, 5e-3, 64
LETTERS, LONGEST = "abcdefgh", 12
HELD_OUT = 40  # words of each length
STEP = {"reverse": -1, "copy": 1}  # through the letters of the source
TOKENIZER = CharacterTokenizer.train(LETTERS, adds_eos=True)


def words(draw, lengths):
    return ["".join(draw.choices(LETTERS, k=length)) for length in lengths]


def batch_of(texts, task="reverse"):
    """Each word with the token that ends it, and the same of the word turned round, or copied."""
    sources, targets = ([TOKENIZER.encode_sequence(text[::step]) for text in texts] for step in (1, STEP[task]))
    return TranslationBatch(PackedTokens.pack(sources), PackedTokens.pack(targets))


def architectures():
    end = TOKENIZER.eos_token_id
    common = {"vocab_size": TOKENIZER.vocab_size, "hidden_size": 64, "max_position_embeddings": LONGEST + 2}
    common |= {"eos_token_id": end, "decoder_start_token_id": end, "hidden_dropout_prob": 0, "label_smoothing": 0}
    layers = {"num_encoder_layers": 1, "num_decoder_layers": 1, "num_attention_heads": 4}
    return {
        "Transformer": Seq2Seq(Seq2SeqConfig(**common, **layers), seed=SEED),
        "LSTM, Luong": LstmSeq2Seq(LstmSeq2SeqConfig(**common, attention="luong"), seed=SEED),
        "LSTM, Bahdanau": LstmSeq2Seq(LstmSeq2SeqConfig(**common, attention="bahdanau"), seed=SEED),
        "LSTM, no attention": LstmSeq2Seq(LstmSeq2SeqConfig(**common, attention="none"), seed=SEED),
    }


def train(model, task):
    """Every step sees words that it has never seen. Returns the mean loss of the last steps, in nats a letter."""
    optimizer, losses = AdamW(model.storage, betas=(0.9, 0.98)), []
    with Workers(model) as workers:
        for step in range(STEPS):
            draw = random.Random(f"{SEED} {step}")
            batch = batch_of(words(draw, draw.choices(range(1, LONGEST + 1), k=BATCH_SIZE)), task)
            loss, norm = workers.gradients(batch)
            learning_rate = PEAK_LEARNING_RATE * linear_warm_up_and_decay(step, WARM_UP_STEPS, STEPS)
            optimizer.step(learning_rate, clip_scale(norm, max_norm=1.0), workers.spread)
            losses.append(loss.nats_per_token)
    return np.mean(losses[-20:])


def share_right(model, length, task):
    texts = words(random.Random(f"held out {length}"), [length] * HELD_OUT)
    found = translate(model, batch_of(texts).sources)
    return np.mean([TOKENIZER.decode(ids) == text[:: STEP[task]] for ids, text in zip(found, texts, strict=True)])


def main(task="reverse"):
    lengths = range(2, LONGEST + 1, 2)
    print(f"{'':22} loss " + "".join(f"{length:5}" for length in lengths) + "  letters")
    for name, model in architectures().items():
        loss = train(model, task)
        print(f"{name:22}{loss:5.2f} " + "".join(f"{share_right(model, length, task):5.0%}" for length in lengths))


if __name__ == "__main__":
    main(*sys.argv[1:])
