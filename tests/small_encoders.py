"""A small sentence encoder, whose tokenizer knows the words of the lecture's input figure."""

import numpy as np

from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.sentence_encoder_settings import SentenceEncoderSettings
from minitransformer.text.bert_tokenizer import BertTokenizer
from tests.small_models import randomise, small_config

WORDS = ["my", "dog", "is", "cute", "he", "likes", "play", "##ing", ",", ".", "a", "b", "c"]
TOKENIZER = BertTokenizer.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
POSITIONS = 9


def small_encoder(dtype=np.float32, seed=1, tokenizer=TOKENIZER, **settings):
    config = small_config(vocab_size=tokenizer.vocab_size, max_position_embeddings=POSITIONS)
    encoder = SentenceEncoder(config, tokenizer, SentenceEncoderSettings(**settings), dtype=dtype)
    return randomise(encoder, seed)


def random_texts(count, longest=5, seed=0):
    """Texts of 0 to `longest` words, some of them equal."""
    rng = np.random.default_rng(seed)
    words = [word for word in WORDS if not word.startswith("##")]
    return [" ".join(rng.choice(words, rng.integers(longest + 1))) for _ in range(count)]
