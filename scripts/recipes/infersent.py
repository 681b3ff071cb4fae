"""What sentence encoders were before BERT: a new InferSent, a bidirectional LSTM with max pooling, ready to be trained.

    python infersent.py train.tsv infersent
    minitransformer train-sbert infersent --objective classification --learning-rate 1e-3 --epochs 4 \
        --train train.tsv --dev dev.tsv --out nli
    minitransformer finetune infersent --learning-rate 2e-3 --epochs 4 --train train.tsv --dev dev.tsv --out emotions

The table has pairs (NLI) or texts, with labels; from its words the vocabulary is learnt. Conneau et al. 2017 (arXiv
1705.02364) had 2,048 numbers from each direction and ready-made word vectors (GloVe), half a million pairs and a GPU;
here everything begins at random.
"""

import sys

from minitransformer import BertTokenizer, SentenceEncoder, SentenceEncoderSettings
from minitransformer.corpora.tables import LABELLED_PAIRS, LABELLED_TEXTS, read_table
from minitransformer.models.lstm_encoder import LstmEncoderConfig

VOCAB_SIZE, MAX_LENGTH = 4000, 128
EMBEDDING_SIZE, HIDDEN_SIZE = 128, 256  # numbers of a word, and of a sentence; half of these from each direction
DROPOUT = 0.2


def main(table, out):
    texts = [text for column in read_table(table, LABELLED_PAIRS, LABELLED_TEXTS).texts for text in column]
    tokenizer = BertTokenizer.train(texts, VOCAB_SIZE, model_max_length=MAX_LENGTH)
    config = LstmEncoderConfig(
        vocab_size=tokenizer.vocab_size,
        embedding_size=EMBEDDING_SIZE,
        hidden_size=HIDDEN_SIZE,
        hidden_dropout_prob=DROPOUT,
        max_position_embeddings=MAX_LENGTH,
    )
    encoder = SentenceEncoder(config, tokenizer, SentenceEncoderSettings(pooling=("max",)), seed=0)
    encoder.save_pretrained(out)
    print(f"Saved to {out}: {encoder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
