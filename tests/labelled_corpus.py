import random

import pytest

from minitransformer.corpora.tokenized_corpus import TokenizedCorpus
from minitransformer.text.bert_tokenizer import BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


class LabelledCorpus:
    """A corpus whose every token tells where it is from: sentence 4 of document 3 is "d3s4 d3s4 ... d3s4"."""

    def __init__(self, folder, sentence_lengths):
        words = [f"d{d}s{s}" for d, lengths in enumerate(sentence_lengths) for s in range(len(lengths))]
        self.sentence_lengths = sentence_lengths
        self.tokenizer = BertTokenizer.from_vocabulary([*SPECIAL, *words])
        self.corpus = TokenizedCorpus.build(self.sentences(), self.tokenizer, folder)

    def sentences(self):
        for d, lengths in enumerate(self.sentence_lengths):
            for s, length in enumerate(lengths):
                yield " ".join([f"d{d}s{s}"] * length)
            yield ""

    def origin(self, token_id):
        """The document and the sentence of a token."""
        document, sentence = self.tokenizer.convert_ids_to_tokens([token_id])[0][1:].split("s")
        return int(document), int(sentence)


@pytest.fixture
def labelled(tmp_path):
    return lambda sentence_lengths: LabelledCorpus(tmp_path / "corpus", sentence_lengths)


@pytest.fixture(scope="session")
def varied(tmp_path_factory):
    """300 documents of 1 to 12 sentences of 3 to 40 tokens."""
    draw = random.Random(0)
    lengths = [[draw.randint(3, 40) for _ in range(draw.randint(1, 12))] for _ in range(300)]
    return LabelledCorpus(tmp_path_factory.mktemp("varied") / "corpus", lengths)
