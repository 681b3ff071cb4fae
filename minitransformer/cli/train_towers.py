"""minitransformer train-towers MODEL: from a sentence encoder and the log of a shop's search to its search model."""

from typing import Any

import click

from minitransformer.cli._ranges import ABOVE_0, POSITIVE, SHARE, FiniteFloatRange
from minitransformer.cli._runs import run_options, setting_options, train
from minitransformer.models.two_towers import SCORES
from minitransformer.objectives.in_batch_negatives import WEIGHT_GRADIENTS
from minitransformer.ops.in_batch_loss import REDUCTIONS
from minitransformer.ops.negative_weights import WEIGHTS
from minitransformer.search.evidence import MEASURES
from minitransformer.training.runs.towers import OBJECTIVES, WARM_UP_FOLDER, TowersRun, TowersTrainingSettings

setting = setting_options(TowersTrainingSettings)
COUNT = click.IntRange(min=0)
AT_LEAST_0 = FiniteFloatRange(min=0)
KEPT = FiniteFloatRange(0, 1, min_open=True)


@click.command()
@click.argument("model", required=False)
@click.option("--log", metavar="TSV", help="Events: columns query, product_id, user and action.")
@click.option("--products", metavar="TSV", help="The products: columns product_id and name.")
@click.option("--out", type=click.Path(), metavar="DIR", help="The new model's folder.")
@click.option("--embed", multiple=True, metavar="COLUMN", help="Embed this column of products, too; may be repeated.")
@setting("min_users", POSITIVE, "cascade: different users that must have taken a query's product.")
@setting("min_shown", COUNT, "cascade: how often the search must have shown it, if the log says so.")
@setting("min_lift", AT_LEAST_0, "cascade: how much more often it must be taken after the query than after any.")
@setting("keep_top", KEPT, "cascade: the share of a query's products that are kept, its best ones.")
@setting("keep_top_of_frequent", KEPT, "cascade: that share of the most frequent query.  [default: --keep-top]")
@setting("measure", click.Choice(MEASURES), "cascade: what a query's products are ranked by.")
@setting("synthetic_share", SHARE, "cascade: at most this share of positives have queries made from columns.")
@click.option("--synthetic-columns", multiple=True, metavar="COLUMN", help="... from this one; may be repeated.")
@setting("warm_up_epochs", COUNT, "Times through all positives; 0 leaves the step out.")
@setting("cascade_epochs", COUNT, "Times through the best positives; 0 leaves the step out.")
@setting("embedding_size", POSITIVE, "Numbers in an embedding, by a projection at a tower's end.")
@setting("score", click.Choice(list(SCORES)), "Cosine with a scale and a bias that are learnt, or dot product.")
@click.option("--shared", is_flag=True, help="cascade: one encoder for queries and products, too.")
@setting("objective", click.Choice(OBJECTIVES), "Yes or no for each pair, or softmax in both directions.")
@setting("warm_up_weights", click.Choice(WEIGHTS), "binary: how much a wrong product counts in the warm-up.")
@setting("weights", click.Choice(WEIGHTS), "binary: how much it counts in the cascade, by its similarity.")
@setting("weight_gradient", click.Choice(WEIGHT_GRADIENTS), "binary: whether a weight is a constant or learnt from.")
@setting("lambda_negatives", ABOVE_0, "binary: how much a query's wrong products count beside its own.")
@setting("reduction", click.Choice(REDUCTIONS), "binary: whether each of them counts that much, or their mean.")
@setting("temperature", ABOVE_0, "binary: of softmax weights.")
@click.option("--log-q", is_flag=True, help="softmax: correct for how often each query and product is drawn.")
@setting("num_negatives", POSITIVE, "Wrong products per query and step, drawn from the batch.  [default: all]")
@setting("max_length", POSITIVE, "Tokens per text.  [default: as many as the model takes]")
@setting("evaluations_per_epoch", POSITIVE, "How often the model is evaluated and a checkpoint saved.")
@click.option("--gradient-caching", is_flag=True, help="Encode each batch twice, to need the memory of one shard only.")
@run_options(TowersTrainingSettings)
@click.pass_context
def command(context: click.Context, **_: Any) -> None:
    """Train MODEL to find products, on the log of a shop's search.

    In two steps: a warm-up with one encoder for queries and products, on all that was bought after a query; then a
    cascade with an encoder for each, on each query's best products, where a wrong product counts the more the better
    its score is. The other products of a batch are the wrong ones. Of all queries a twentieth is held out, to evaluate
    on.

    MODEL is a folder, or the name of a model on the Hugging Face hub. Of the log's actions add_to_cart, purchase and
    conversion count; product_id is a product's in --products. DIR becomes a sentence-transformers folder of the query
    tower, with the product tower in it; `index` takes both.

    \b
    Example:
      minitransformer train-towers sentence-transformers/all-MiniLM-L6-v2 \\
          --log log.tsv --products products.tsv --out towers
      minitransformer index products.tsv --model towers --out shop
    """
    run = train(TowersRun, context)
    index = f"minitransformer index {run.settings.products} --model {run.folder} --out shop"
    click.echo(f"Saved to {run.folder}. Try: {index}")
    if run.warm_up:
        click.echo(f"The model after the warm-up is in {run.folder / WARM_UP_FOLDER}.")
