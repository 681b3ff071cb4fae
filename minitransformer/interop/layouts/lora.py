"""The tensors of an adapter: what peft calls those that LoRA adds to a model of any family.

    ours                             theirs                                                     how
    X.weight   (of the table)        base_model.model.Y.weight                                  as in the family's table
    X.lora_a   (in, r)               base_model.model.Y.lora_A.weight                           TRANSPOSED
    X.lora_b   (r, out)              base_model.model.Y.lora_B.weight                           TRANSPOSED

A weight that is a third of theirs (GPT-2's query, key and value) has a third of their B, and its A is their A.
"""

from dataclasses import dataclass

from minitransformer.errors import UserError
from minitransformer.interop.tensor_layout import TRANSPOSED, How, Row, TensorLayout

PREFIX = "base_model.model."

# The name of the adapter, which peft leaves out of files, is "default" if nobody chose one.
_OLD_ENDINGS = {
    ".lora_A.default.weight": ".lora_A.weight",
    ".lora_B.default.weight": ".lora_B.weight",
    ".modules_to_save.default.weight": ".weight",
    ".modules_to_save.default.bias": ".bias",
}


@dataclass(frozen=True)
class AdapterLayout(TensorLayout):
    """The table of a family's adapters. Every name of theirs begins with PREFIX; canonical ones don't."""

    def find(self, name: str) -> tuple[str, How]:
        theirs, how = super().find(name)
        return f"{PREFIX}{theirs}", how

    def canonical(self, theirs: str) -> str:
        if not theirs.startswith(PREFIX):
            raise UserError(f"the tensors of an adapter are called {PREFIX}..., found {theirs}")
        return super().canonical(theirs.removeprefix(PREFIX))


def adapter_layout(layout: TensorLayout) -> AdapterLayout:
    """The table of the adapters of models that have this one."""
    weights = [row for row in layout.rows if row.ours.endswith(".weight")]
    rows = [row for weight in weights for row in _lora_rows(weight)]
    return AdapterLayout(
        rows=[*layout.rows, *rows],
        our_prefix=layout.our_prefix,
        their_prefix=layout.their_prefix,
        old_endings={**layout.old_endings, **_OLD_ENDINGS},
    )


def _lora_rows(weight: Row) -> list[Row]:
    ours, theirs = weight.ours.removesuffix(".weight"), weight.theirs.removesuffix(".weight")
    return [
        Row(f"{ours}.lora_a", f"{theirs}.lora_A.weight", TRANSPOSED),
        Row(f"{ours}.lora_b", f"{theirs}.lora_B.weight", TRANSPOSED._replace(third=weight.how.third)),
    ]
