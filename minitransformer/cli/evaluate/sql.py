"""minitransformer evaluate sql MODEL FILE --database DB: is predicted SQL the expected one, and does it answer so?"""

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._translators import beams_option, length_penalty_option, translations_of
from minitransformer.evaluation.sql import Database, SqlQuality, sql_quality
from minitransformer.formatting import format_table


@click.command()
@model_argument
@click.argument("file", type=click.Path())
@click.option(
    "--database", "files", multiple=True, required=True, metavar="DB", help="SQLite file; may be given several times."
)
@beams_option
@length_penalty_option
@json_option
def command(model: str, file: str, files: tuple[str, ...], beams: int, length_penalty: float, as_json: bool) -> None:
    """Turn the questions in FILE into SQL with MODEL, and run it.

    FILE is a table (TSV) with the columns source and target. A query is right if it gives the rows that the expected
    one gives, whatever it looks like; with several databases, on each of them, so that chance agrees less often.
    Databases are only read.

    \b
    Example:
      minitransformer evaluate sql sql dev.tsv --database geography.sqlite
    """
    databases = [Database(name) for name in files]
    quality = sql_quality(*translations_of(model, file, beams, length_penalty), databases)
    if as_json:
        print_json(quality._asdict())
    else:
        click.echo(sql_report(quality))


def sql_report(quality: SqlQuality) -> str:
    """
    >>> print(sql_report(SqlQuality(58, 62.5, 50, 2, 4)))
    exact match  58.0%  of 50 queries
    execution    62.5%  of 48 whose expected query runs; 4 predicted ones fail
    """
    num_run = quality.examples - quality.left_out
    return format_table(
        [
            ["exact match", f"{quality.exact_match:.1f}%", f"of {quality.examples:,} queries"],
            [
                *("execution", f"{quality.execution:.1f}%"),
                f"of {num_run:,} whose expected query runs; {quality.failed:,} predicted ones fail",
            ],
        ]
    )
