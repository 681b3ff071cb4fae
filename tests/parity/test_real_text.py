"""What is known of two texts that others train on: their n-grams, and that nothing of them is lost in tokens."""

import numpy as np
import pytest

from minitransformer.corpora.text_files import TextFiles
from minitransformer.corpora.token_stream import TokenStream
from minitransformer.evaluation.ngrams import ngram_losses
from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer
from minitransformer.text.character_tokenizer import CharacterTokenizer
from tests.parity.real_data import data_file

TEXTS = {
    "corpus_tinyshakespeare/input.txt": [3.347, 2.486, 2.049, 1.774, 1.669, 1.698, 1.779],
    "corpus_tinystories/corpus.txt": [3.073, 2.299, 1.709, 1.337, 1.170, 1.103, 1.083],
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_ngrams_have_the_losses_that_another_program_found(name):
    """Witten-Bell n-grams of orders 1 to 7, counted in the first nine tenths, in nats per character of the rest."""
    text = data_file(name).read_text(encoding="utf-8")
    characters, cut = np.array([*map(ord, text)]), int(0.9 * len(text))
    assert ngram_losses(characters[:cut], characters[cut:]) == pytest.approx(TEXTS[name], abs=6e-4)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("kind", ["bytes", "characters"])
def test_a_file_comes_back_from_its_tokens(tmp_path, name, kind):
    file = TextFiles([data_file(name)])
    blocks = [*file.running_text()]
    tokenizer = BytePairTokenizer.train(blocks, 1024) if kind == "bytes" else CharacterTokenizer.train(blocks)
    stream = TokenStream.build(blocks, tokenizer, tmp_path / "text")
    assert tokenizer.decode(stream.token_ids) == data_file(name).read_text(encoding="utf-8")
