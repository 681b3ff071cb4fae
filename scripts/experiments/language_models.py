"""What GPTs that `minitransformer pretrain-gpt` trained pay for text that they haven't seen, next to n-grams.

    python -m scripts.experiments.language_models shakespeare stories ...          folders of finished runs

In nats per character, so that they compare whatever their tokens are.
"""

from __future__ import annotations

from pathlib import Path

import click

from minitransformer.training.metrics import read_metrics
from minitransformer.training.runs.gpt_pretraining import GptPretrainingRun
from scripts.pages import table

HEADER = ["folder", "vocabulary", "layers x width", "parameters", "tokens read", "GPT", "best n-gram", "unigram"]


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
def main(folders: tuple[Path, ...]) -> None:
    """Print a table of the models in FOLDERS."""
    print(table(HEADER, [row(GptPretrainingRun.open(folder)) for folder in folders]))


def row(run: GptPretrainingRun) -> list[str]:
    config, baselines = run.model.config, run.baselines
    tokens_read = sum(step.get("tokens", 0) for step in read_metrics(run.metrics_file))
    tokens_per_character = baselines.tokens / baselines.characters
    return [
        run.folder.name,
        f"{run.tokenizer.vocab_size:,} {run.settings.tokenizer}",
        f"{config.num_hidden_layers} x {config.hidden_size}",
        f"{run.model.num_parameters:,}",
        f"{tokens_read / 1e6:.1f} M",
        f"**{run.evaluate().nats_per_character:.3f}**",
        f"{baselines.ngram_per_character:.3f} (n = {baselines.ngram_order})",
        f"{baselines.unigram_per_token * tokens_per_character:.3f}",
    ]


if __name__ == "__main__":
    main()
