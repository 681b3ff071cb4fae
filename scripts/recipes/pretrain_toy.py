"""The whole of pretraining on one page: text, vocabulary, pairs, masks, loss, gradients, update.

    python pretrain_toy.py          takes about half a minute

`minitransformer pretrain` does the same, with checkpoints and progress.
"""

import random
import tempfile
from pathlib import Path

from minitransformer import (
    AdamW,
    BertConfig,
    BertForPreTraining,
    BertTokenizer,
    Workers,
    clip_scale,
    linear_warm_up_and_decay,
)
from minitransformer.batches.pretraining_sampler import PretrainingSampler
from minitransformer.corpora.tokenized_corpus import TokenizedCorpus
from minitransformer.inference.fill_mask import fill_mask
from minitransformer.models.mimetic_start import mimetic_start

SEED = 0
STEPS, WARM_UP_STEPS, PEAK_LEARNING_RATE = 700, 70, 2e-3
BATCH_SIZE, MAX_LENGTH = 32, 48  # sentence pairs, and tokens of a pair

# A small world: who says what, eats what, and sleeps where.
ANIMALS = {
    "dog": ("woof", "meat", "in a kennel"),
    "cat": ("meow", "fish", "on the sofa"),
    "cow": ("moo", "grass", "in a barn"),
    "duck": ("quack", "weeds", "by the pond"),
    "owl": ("hoot", "mice", "in a tree"),
}
NAMES = ["anna", "ben", "carla", "david", "emma", "felix"]


def documents(count=600):
    """A corpus is an iterable of sentences in which an empty string ends each document: here an animal's story."""
    draw = random.Random(SEED)
    for _ in range(count):
        animal, name = draw.choice(list(ANIMALS)), draw.choice(NAMES)
        sound, food, bed = ANIMALS[animal]
        story = [
            f"{name} has a {animal}.",
            f"the {animal} says {sound}.",
            f"{name} gives the {animal} some {food}.",
            f"the {animal} sleeps {bed}.",
            f"when it hears {name} it says {sound}.",
            f"it dreams of {food} and says {sound}.",
        ]
        draw.shuffle(story)
        yield from [*story, ""]


def main():
    corpus = list(documents())
    tokenizer = BertTokenizer.train(corpus, vocab_size=150)
    with tempfile.TemporaryDirectory() as folder:
        train(TokenizedCorpus.build(corpus, tokenizer, Path(folder) / "corpus"), tokenizer)


def train(corpus, tokenizer):
    documents, held_out_documents = corpus.split()
    training = PretrainingSampler(corpus, documents, tokenizer, BATCH_SIZE, MAX_LENGTH, SEED)
    held_out = PretrainingSampler(corpus, held_out_documents, tokenizer, 4 * BATCH_SIZE, MAX_LENGTH, SEED)
    sizes = {"vocab_size": tokenizer.vocab_size, "max_position_embeddings": MAX_LENGTH}
    model = BertForPreTraining(BertConfig.preset("tiny", **sizes, initializer_range=0.05), seed=SEED)
    mimetic_start(model.bert)  # initial weights that shorten training
    optimizer = AdamW(model.storage, betas=(0.9, 0.98))
    print(f"BERT-tiny with {model.num_parameters:,} parameters\n\n  step   masked tokens      next sentence")

    with Workers(model) as workers:  # a thread for each core
        for step in range(STEPS):
            if step % 100 == 0:
                report(step, model, held_out)
            batch = training.batch(step)  # pairs of this epoch, tokens masked anew
            _, norm = workers.gradients(batch)  # forward and backward: every parameter's gradient of the loss
            learning_rate = PEAK_LEARNING_RATE * linear_warm_up_and_decay(step, WARM_UP_STEPS, STEPS)
            optimizer.step(learning_rate, clip_scale(norm, max_norm=1.0), workers.spread)
    report(STEPS, model, held_out)

    for text in ("the cow says [MASK].", "carla gives the duck some [MASK].", "the [MASK] sleeps in a tree."):
        [fillings] = fill_mask(model, tokenizer(text), tokenizer.mask_token_id, top=3)
        words = tokenizer.convert_ids_to_tokens(filling.token_id for filling in fillings)
        print(f"\n{text}", *(f"{word} {f.probability:.0%}" for word, f in zip(words, fillings, strict=True)), sep="   ")


def report(step, model, held_out):
    (mlm, nsp, mlm_accuracy, nsp_accuracy), _ = model.forward(held_out.batch(0))
    print(f"{step:6}   {mlm:.3f} ({mlm_accuracy:4.0%})       {nsp:.3f} ({nsp_accuracy:4.0%})")


if __name__ == "__main__":
    main()
