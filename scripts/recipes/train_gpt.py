"""The whole of training a GPT on one page: text, tokens, windows, loss, gradients, update, and what it then writes.

    python train_gpt.py             takes about half a minute

`minitransformer pretrain-gpt` does the same for any text, with checkpoints and progress.
"""

import random

import numpy as np

from minitransformer import (
    AdamW,
    BytePairTokenizer,
    Gpt,
    GptConfig,
    Workers,
    clip_scale,
    generate,
    linear_warm_up_and_decay,
)
from minitransformer.batches.language_modelling import WindowSampler
from minitransformer.evaluation.language_modelling import evaluate_language_model, language_modelling_baselines

SEED = 0
STEPS, WARM_UP_STEPS, PEAK_LEARNING_RATE = 400, 40, 2e-3
BATCH_SIZE, MAX_LENGTH = 16, 64  # windows of the text, and tokens of a window

# A small world in which nothing is said but sums.
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NUMBERS += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"]


def sums(count=6000):
    """Lines such as "five and nine are fourteen." Whoever has only read "and nine are" can't know how they end."""
    draw = random.Random(SEED)
    pairs = [(draw.randrange(10), draw.randrange(10)) for _ in range(count)]
    return "".join(f"{NUMBERS[a]} and {NUMBERS[b]} are {NUMBERS[a + b]}.\n" for a, b in pairs)


def main():
    text = sums()
    tokenizer = BytePairTokenizer.train(text, vocab_size=300)
    token_ids = np.array(tokenizer.encode(text))
    end = round(0.9 * len(token_ids))
    model = train(tokenizer, token_ids[:end], token_ids[end:])
    for prompt in ("five and nine are", "one and", "eight"):
        ids = generate(model, tokenizer.encode(prompt), max_new_tokens=20)
        print(f"\n{prompt} ...{tokenizer.decode(ids).partition('.')[0]}")


def train(tokenizer, training_ids, held_out_ids):
    training = WindowSampler(training_ids, BATCH_SIZE, MAX_LENGTH, SEED)
    sizes = {"vocab_size": tokenizer.vocab_size, "max_position_embeddings": MAX_LENGTH}
    model = Gpt(GptConfig.preset("tiny", **sizes, initializer_range=0.06), seed=SEED)
    optimizer = AdamW(model.storage, betas=(0.9, 0.99), weight_decay=0.1)
    baselines = language_modelling_baselines(tokenizer, training_ids, held_out_ids)
    print(f"GPT-tiny with {model.num_parameters:,} parameters\n\n  step   nats per character of held-out text")

    with Workers(model) as workers:  # a thread for each core
        for step in range(STEPS + 1):
            if step % 100 == 0:
                _, per_character = evaluate_language_model(model, tokenizer, held_out_ids)
                print(f"{step:6}   {per_character:.3f}")
            batch = training.batch(step)  # each token but the last of a window predicts the next one
            _, norm = workers.gradients(batch)  # forward and backward: every parameter's gradient of the loss
            learning_rate = PEAK_LEARNING_RATE * linear_warm_up_and_decay(step, WARM_UP_STEPS, STEPS)
            optimizer.step(learning_rate, clip_scale(norm, max_norm=1.0), workers.spread)
    print(f"\n{baselines.ngram_order}-grams of characters get {baselines.ngram_per_character:.3f}")
    return model


if __name__ == "__main__":
    main()
