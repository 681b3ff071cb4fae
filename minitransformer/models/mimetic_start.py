"""Initial weights with which a BERT finds its neighbours sooner.

With independent random numbers everywhere, a new BERT attends to all tokens alike, and has to find out from masked
words alone that position 7 is next to position 8. Until then it predicts little more than how frequent tokens are: the
plateau that short trainings end on. Three changes to the initial values, none to the model, shorten it:

- positions start as the sinusoids of Vaswani et al. 2017 (arXiv 1706.03762), section 3.5, of the same size as the
  token embeddings: near positions look alike, far ones don't;
- each layer's W^K starts equal to its W^Q, so that scores begin as x_i M x_j with a positive M: a token attends to
  what is near it and like it;
- each layer's W^O starts as the transpose of W^V, so that what a token gathers is added to it in its own terms.

After Trockman, Kolter 2023 (arXiv 2305.09828), who found these patterns in trained Transformers and started with them.
Measured once, with BERT-tiny on an earlier default corpus (4.1 million tokens): the held-out masked-LM loss ended 1.86
nats under the unigram entropy instead of 1.49, and next-sentence accuracy at 64 % instead of 57 %.
"""

import math

import numpy as np

from minitransformer.models.bert import Bert


def mimetic_start(bert: Bert) -> None:
    """Change the initial values of a BERT, in place, as the module's docstring says."""
    positions = bert.embeddings.position.table
    positions.value[...] = math.sqrt(2) * bert.config.initializer_range * sinusoids(*positions.shape)
    for layer in bert.layers:
        attention = layer.attention
        attention.key.weight.value[...] = attention.query.weight.value
        attention.output.weight.value[...] = attention.value.weight.value.T


def sinusoids(num_positions: int, size: int) -> np.ndarray:
    """(num_positions, size): sin(p / 10000^(2i / size)) in column 2i of row p, and the cosine in column 2i + 1."""
    columns = np.arange(size)
    angles = np.arange(num_positions)[:, None] / 10_000 ** (columns // 2 * 2 / size)
    return np.where(columns % 2 == 0, np.sin(angles), np.cos(angles))
