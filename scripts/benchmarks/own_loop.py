"""A loop of one's own: forward and backward of a batch on the model, and by `Workers`, which a loop gets in two lines.

python -m scripts.benchmarks.own_loop
"""

import click

from minitransformer import BertConfig, BertForPreTraining, Workers
from minitransformer.training.memory import keep_freed_memory
from scripts.benchmarks.measure import STEPS_IN_A_ROW, THREADS, in_turn, machine
from scripts.benchmarks.our_steps import random_batch
from scripts.pages import table

PAIRS, TOKENS = 32, 128


@click.command()
@click.option("--rounds", default=9, show_default=True)
def main(rounds: int) -> None:
    """Measure both for tiny, mini and small."""
    keep_freed_memory()
    rows = []
    for size in ("tiny", "mini", "small"):
        model = BertForPreTraining(BertConfig.preset(size, vocab_size=8192))
        batch = random_batch(model.config, PAIRS, TOKENS)
        with Workers(model, THREADS) as workers:
            ways = {
                "model.forward, model.backward": lambda: model.backward(model.forward(batch)[1]),  # noqa: B023
                "workers.gradients": lambda: workers.gradients(batch),  # noqa: B023
            }
            times = in_turn(ways, rounds, size, STEPS_IN_A_ROW)
        rows.append([size, *(f"{1e3 * times.median(way):.0f} ms" for way in ways), f"**{times.ratio(*ways):.2f}**"])
    print(machine())
    print(f"\n{table(['size', *ways, 'alone / with workers'], rows)}")


if __name__ == "__main__":
    main()
