"""The lecture's in-class exercise #2: which sizes do BERT-base's outputs have, and is "pooled" the same as CLS?

    python ice2.py          takes a few seconds and 0.5 GB of memory: BERT-base has 109 million parameters

The weights are random. The sizes don't depend on them, nor does the way in which "pooled" is computed from CLS.
"""

import numpy as np

from minitransformer import Bert, BertConfig, PackedTokens

NUM_TOKENS = 20  # of the exercise's sentence


def main(bert):
    token_ids = np.random.default_rng(0).integers(bert.config.vocab_size, size=NUM_TOKENS)
    last_hidden, pooled = bert(PackedTokens.pack([token_ids]))  # a batch of one sequence
    cls, pooled = last_hidden[0], pooled[0]  # the first row belongs to the token [CLS]

    num_rows, size = last_hidden.shape
    print("| output | shape | numbers |")
    print("| --- | ---: | ---: |")
    print(f"| pooled | {pooled.size} | {pooled.size:,} |")
    print(f"| CLS, the first row of the last layer | {cls.size} | {cls.size:,} |")
    print(f"| last hidden states, one row per token | {num_rows} x {size} | {last_hidden.size:,} |")

    pooler = bert.pooler
    by_hand = np.tanh(cls @ pooler.weight.value + pooler.bias.value)
    cosine = cls @ pooled / (np.linalg.norm(cls) * np.linalg.norm(pooled))
    print(
        f"\n|tanh(CLS W + b) - pooled| is at most {np.abs(by_hand - pooled).max():.1e}, "
        f"|CLS - pooled| up to {np.abs(cls - pooled).max():.1f}; the cosine of CLS and pooled is {cosine:.2f}."
    )


if __name__ == "__main__":
    main(Bert(BertConfig.preset("base")))
