"""BERT's folders (transformers' Bert classes, from the names in google-research/bert).

Our names as in Bert, theirs as in BertForPreTraining: a plain BertModel's file has them without "bert.".
"""

from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.tensor_layout import Row, TensorLayout, embedding, layer_norm, linear

ROWS = [
    *embedding("embeddings.token", "bert.embeddings.word_embeddings"),
    *embedding("embeddings.position", "bert.embeddings.position_embeddings"),
    *embedding("embeddings.segment", "bert.embeddings.token_type_embeddings"),
    *layer_norm("embeddings.norm", "bert.embeddings.LayerNorm"),
    *linear("layers.{i}.attention.query", "bert.encoder.layer.{i}.attention.self.query"),
    *linear("layers.{i}.attention.key", "bert.encoder.layer.{i}.attention.self.key"),
    *linear("layers.{i}.attention.value", "bert.encoder.layer.{i}.attention.self.value"),
    *linear("layers.{i}.attention.output", "bert.encoder.layer.{i}.attention.output.dense"),
    *layer_norm("layers.{i}.attention_norm", "bert.encoder.layer.{i}.attention.output.LayerNorm"),
    *linear("layers.{i}.feed_forward.inner", "bert.encoder.layer.{i}.intermediate.dense"),
    *linear("layers.{i}.feed_forward.outer", "bert.encoder.layer.{i}.output.dense"),
    *layer_norm("layers.{i}.output_norm", "bert.encoder.layer.{i}.output.LayerNorm"),
    *linear("pooler", "bert.pooler.dense"),
    # the heads
    *linear("mlm_head.transform", "cls.predictions.transform.dense"),
    *layer_norm("mlm_head.norm", "cls.predictions.transform.LayerNorm"),
    Row("mlm_head.decoder.table", "cls.predictions.decoder.weight"),  # there only where it isn't the token embedding's
    Row("mlm_head.decoder.bias", "cls.predictions.bias"),
    *linear("nsp_head", "cls.seq_relationship"),
    *linear("classifier", "classifier"),
    *linear("hidden_layers.{i}", "hidden_layers.{i}.linear"),  # a name of ours: transformers has none of these
    *linear("head.layers.{i}", "head.layers.{i}.linear"),  # of a SentenceEncoder's state_dict alone
]

BERT = FolderLayout(
    "bert",
    TensorLayout(
        ROWS,
        our_prefix="bert.",
        their_prefix="bert.",
        heads={
            "pooler": "pooler",
            "mlm_head": "masked-LM head",
            "nsp_head": "next-sentence head",
            "classifier": "classifier",
            "hidden_layers": "hidden layers",
            "head": "dense layers",
        },
        layers={"num_hidden_layers": "encoder.layer.{i}."},
        tied={"cls.predictions.decoder.weight": "embeddings.word_embeddings.weight"},
        twins={"cls.predictions.decoder.bias": "cls.predictions.bias"},
        old_endings={"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"},
        buffers=("embeddings.position_ids", "embeddings.token_type_ids"),
    ),
    only={
        "position_embedding_type": ("absolute", "relative positions are not supported"),
        "is_decoder": (False, "a decoder hides later tokens, an encoder doesn't"),
        "add_cross_attention": (False, "cross-attention belongs to a decoder"),
    },
    lora_targets=("query", "value"),
)
