"""A Transformer learns to add, on one page: from "356+827" to "1183", for numbers below 1,000.

    python scripts/recipes/addition.py

Both sides are written backwards, ones first, so that each digit needs only the carry of the one before it. A tenth of
the million sums is held out, and the model is asked for those. It takes about half a minute on two cores.
"""

import random

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

SEED = 0
STEPS, WARM_UP_STEPS, PEAK_LEARNING_RATE, BATCH_SIZE = 1200, 120, 2e-3, 100
ASKED = 1000  # held-out sums
TOKENIZER = CharacterTokenizer.train("0123456789+", adds_eos=True)


def is_held_out(a, b):
    """A tenth of all sums, always the same."""
    return random.Random(1000 * a + b).random() < 0.1


def sums(draw, count, held_out):
    """Pairs of numbers that are held out, or that aren't."""
    pairs = []
    while len(pairs) < count:
        a, b = draw.randrange(1000), draw.randrange(1000)
        if is_held_out(a, b) == held_out:
            pairs.append((a, b))
    return pairs


def batch_of(pairs):
    """Each text with the token that ends it."""
    sources = [TOKENIZER.encode_sequence(f"{a:03}+{b:03}"[::-1]) for a, b in pairs]
    targets = [TOKENIZER.encode_sequence(str(a + b)[::-1]) for a, b in pairs]
    return TranslationBatch(PackedTokens.pack(sources), PackedTokens.pack(targets))


def train():
    end = TOKENIZER.eos_token_id
    sizes = {"vocab_size": TOKENIZER.vocab_size, "hidden_size": 64, "max_position_embeddings": 16}
    sizes |= {"num_encoder_layers": 2, "num_decoder_layers": 2, "num_attention_heads": 4}
    exact = {"hidden_dropout_prob": 0, "label_smoothing": 0}  # there is one right answer, and no end of examples
    config = Seq2SeqConfig(**sizes, **exact, eos_token_id=end, decoder_start_token_id=end)
    model = Seq2Seq(config, seed=SEED)
    optimizer = AdamW(model.storage, betas=(0.9, 0.98))
    print(f"{model.num_parameters:,} parameters\n\n  step   nats a digit")
    with Workers(model) as workers:  # a thread for each core
        for step in range(STEPS):
            batch = batch_of(sums(random.Random(f"{SEED} {step}"), BATCH_SIZE, held_out=False))
            loss, norm = workers.gradients(batch)
            learning_rate = PEAK_LEARNING_RATE * linear_warm_up_and_decay(step, WARM_UP_STEPS, STEPS)
            optimizer.step(learning_rate, clip_scale(norm, max_norm=1.0), workers.spread)
            if step % 200 == 0 or step == STEPS - 1:
                print(f"{step:6}   {loss.nats_per_token:.4f}")
    return model


def main():
    model = train()
    asked = sums(random.Random("asked"), ASKED, held_out=True)
    answers = [TOKENIZER.decode(ids)[::-1] for ids in translate(model, batch_of(asked).sources)]
    right = sum(answer == str(a + b) for answer, (a, b) in zip(answers, asked, strict=True))
    for answer, (a, b) in list(zip(answers, asked, strict=True))[:5]:
        print(f"{a} + {b} = {answer}")
    print(f"\n{right / ASKED:.1%} of {ASKED} sums that it has never seen")


if __name__ == "__main__":
    main()
