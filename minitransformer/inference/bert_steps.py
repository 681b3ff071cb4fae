"""BERT step by step, from ids to output: what each step is computed with, and the shape that comes out."""

from typing import NamedTuple

from minitransformer.models.bert import Bert
from minitransformer.models.transformer_encoder import TransformerEncoder
from minitransformer.text.packed_tokens import PackedTokens


class Step(NamedTuple):
    name: str
    parameters: str  # what it is computed with
    shape: tuple[int, ...]  # what comes out


def bert_steps(encoder: TransformerEncoder, tokens: PackedTokens) -> list[Step]:
    """The steps of the encoder's `hidden` on these tokens, and of the pooler if there is one."""
    encoder.check(tokens)
    config, embeddings = encoder.config, encoder.embeddings
    places = embeddings.position_ids(tokens.token_ids, tokens.position_ids)
    steps = [
        Step(f"{sign} {name} embedding", f"table {embedding.table.shape}", embedding(ids).shape)
        for sign, name, embedding, ids in (
            (" ", "token", embeddings.token, tokens.token_ids),
            ("+", "segment", embeddings.segment, tokens.segment_ids),
            ("+", "position", embeddings.position, places),
        )
        if embedding is not None
    ]
    x = embeddings(tokens.token_ids, tokens.segment_ids, tokens.position_ids)
    steps.append(Step("= sum, normalised", f"gamma, beta {embeddings.norm.gamma.shape}", x.shape))
    heads = f"{config.num_attention_heads} heads of {config.hidden_size // config.num_attention_heads}"
    for i, layer in enumerate(encoder.layers):
        x = layer(x, tokens.lengths)
        steps.append(Step(f"  encoder layer {i}", f"{heads}, feed-forward {config.intermediate_size}", x.shape))
    if not isinstance(encoder, Bert):
        return steps
    pooled = encoder.pooler(x[tokens.starts])
    return [*steps, Step("  pooled [CLS]", f"matrix {(config.hidden_size, config.hidden_size)}", pooled.shape)]
