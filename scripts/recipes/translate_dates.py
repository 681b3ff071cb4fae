"""A translator from scratch on one page: dates in many forms into one form.

    python scripts/recipes/translate_dates.py

It takes less than a minute on two cores. The dates at the end are ones that the model has never seen, in any form.
"""

import datetime
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
from minitransformer.batches.epochs import Epochs
from minitransformer.batches.translation import TranslationBatch
from minitransformer.inference.translation import translate
from minitransformer.randomness import generator

SEED = 0
STEPS, WARM_UP_STEPS, PEAK_LEARNING_RATE, BATCH_SIZE = 1000, 100, 3e-3, 64
DAYS, FORMS_OF_EACH, HELD_OUT = 6000, 2, 200  # days between 1970 and 2030
FORMS = ("%d %B %Y", "%B %d, %Y", "%A, %B %d, %Y", "%a %d %b %Y", "%m/%d/%y", "%d.%m.%Y", "%b %d '%y")


def dates():
    """(how somebody writes a day, how ISO 8601 writes it), the forms of a day one after the other."""
    draw = random.Random(SEED)
    first = datetime.date(1970, 1, 1)
    for day in draw.sample(range(60 * 365), DAYS):
        date = first + datetime.timedelta(day)
        for form in draw.sample(FORMS, FORMS_OF_EACH):
            yield date.strftime(form).lower(), date.isoformat()


def main():
    pairs = [*dates()]
    tokenizer = CharacterTokenizer.train(text for pair in pairs for text in pair)
    held_out, training = pairs[: HELD_OUT * FORMS_OF_EACH], pairs[HELD_OUT * FORMS_OF_EACH :]
    model = train(tokenizer, training)
    sources = batch_of(tokenizer, held_out).sources
    found = [tokenizer.decode(ids) for ids in translate(model, sources)]
    for (source, target), translation in list(zip(held_out, found, strict=True))[:10]:
        print(f"{source:30} {translation:12} {'' if translation == target else f'but it is {target}'}")
    right = sum(text == target for text, (_, target) in zip(found, held_out, strict=True))
    print(f"\n{right / len(held_out):.1%} of {len(held_out)} dates of days that it has never seen")


def batch_of(tokenizer, pairs):
    """Each text with the token that ends it."""
    columns = zip(*pairs, strict=True)
    return TranslationBatch(*(PackedTokens.pack([tokenizer.encode_sequence(text) for text in c]) for c in columns))


def train(tokenizer, pairs):
    ids = {"eos_token_id": tokenizer.eos_token_id, "decoder_start_token_id": tokenizer.eos_token_id}
    sizes = {"vocab_size": tokenizer.vocab_size, "hidden_size": 64, "max_position_embeddings": 40}
    sizes |= {"num_encoder_layers": 2, "num_decoder_layers": 2, "num_attention_heads": 4}
    rates = {"hidden_dropout_prob": 0.05, "label_smoothing": 0}  # there is one right answer
    model = Seq2Seq(Seq2SeqConfig(**sizes, **rates, **ids), seed=SEED)
    print(f"Seq2Seq with {model.num_parameters:,} parameters\n\n  step   nats for each character of a target")
    batches, examples = batch_of(tokenizer, pairs), Epochs(len(pairs), BATCH_SIZE, SEED)
    optimizer = AdamW(model.storage, betas=(0.9, 0.98))
    with Workers(model) as workers:  # a thread for each core
        for step in range(STEPS):
            batch = batches.select(examples.examples(step))
            loss, norm = workers.gradients(batch, generator(SEED, "dropout", step))
            learning_rate = PEAK_LEARNING_RATE * linear_warm_up_and_decay(step, WARM_UP_STEPS, STEPS)
            optimizer.step(learning_rate, clip_scale(norm, max_norm=1.0), workers.spread)
            if step % 100 == 0 or step == STEPS - 1:
                print(f"{step:6}   {loss.nats_per_token:.3f}")
    print()
    return model


if __name__ == "__main__":
    main()
