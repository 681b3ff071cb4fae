"""minitransformer evaluate sts MODEL DATA ...: do cosines order pairs of sentences as people do?"""

import click

from minitransformer.cli._arguments import model_argument, prompt_option
from minitransformer.cli._encoders import embeddings_option, load_encode
from minitransformer.cli._json import json_option, print_json
from minitransformer.corpora.tables import SCORED_PAIRS, read_table
from minitransformer.corpora.targets import scores
from minitransformer.evaluation.sts import evaluate_sts, sts_report


@click.command()
@model_argument
@click.argument("data", type=click.Path(), nargs=-1, required=True)
@embeddings_option
@prompt_option
@json_option
def command(model: str, data: tuple[str, ...], embeddings: str | None, prompt_name: str | None, as_json: bool) -> None:
    """Print the correlation of MODEL's cosines with people's scores.

    That is Spearman's and Pearson's correlation, times 100, for each table (TSV) of DATA; its columns are sentence1,
    sentence2 and score.

    \b
    Example:
      minitransformer evaluate sts my-sbert stsb-dev.tsv
    """
    tables = [read_table(file, SCORED_PAIRS) for file in data]
    gold = [scores(table) for table in tables]
    encode = load_encode(model, embeddings, prompt_name)
    results = []
    for file, table, gold_scores in zip(data, tables, gold, strict=True):
        first, second = table.texts
        results.append((file, evaluate_sts(encode, first, second, gold_scores)))
    if as_json:
        tables_scores = [{"table": file, **scores._asdict()} for file, scores in results]
        print_json(tables_scores[0] if len(results) == 1 else {"tables": tables_scores})
    else:
        click.echo(sts_report(results))
