import numpy as np

from minitransformer import Bert, BertConfig, BertTokenizer
from minitransformer.evaluation.encode import averaged_token_embeddings

TOKENIZER = BertTokenizer.from_vocabulary(
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "me", "loves", "my", "friend", "play", "##ing"]
)
MODEL = Bert(
    BertConfig(
        vocab_size=11, hidden_size=6, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=8,
    ),
    seed=1,
)  # fmt: skip


def test_it_is_the_mean_of_the_rows_of_the_texts_own_pieces():
    table = MODEL.embeddings.token.table.value
    embeddings = averaged_token_embeddings(MODEL, TOKENIZER)(["my friend", "playing", "me"])
    np.testing.assert_allclose(embeddings, [table[[7, 8]].mean(0), table[[9, 10]].mean(0), table[5]], rtol=1e-6)


def test_the_order_of_the_words_is_lost():
    first, second = averaged_token_embeddings(MODEL, TOKENIZER)(["Me loves my friend", "My friend loves me"])
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_texts_without_tokens_have_the_embedding_0():
    encode = averaged_token_embeddings(MODEL, TOKENIZER)
    assert encode(["me", " "])[1].tolist() == [0] * 6
    assert encode([" "]).tolist() == [[0] * 6]
    assert encode([]).shape == (0, 6)
