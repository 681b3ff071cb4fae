import pytest

from minitransformer.inference.architecture import architecture
from minitransformer.models.bert import Bert
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.lstm_encoder import LstmEncoder, LstmEncoderConfig
from minitransformer.models.mpnet import MPNet, MPNetConfig
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.models.seq2seq_config import Seq2SeqConfig
from tests.small_models import pretraining_model, small_gpt


def mpnet():
    return MPNet(MPNetConfig(vocab_size=23, hidden_size=12, num_attention_heads=3), seed=None)


def lstm():
    return LstmEncoder(LstmEncoderConfig(vocab_size=23, embedding_size=5, hidden_size=8, num_hidden_layers=3))


@pytest.mark.parametrize(
    "make", [pretraining_model, small_gpt, mpnet, lstm, lambda: Seq2Seq(Seq2SeqConfig.preset("tiny", vocab_size=50))]
)
def test_every_parameter_is_in_one_block(make):
    model = make()
    assert sum(block.parameters for block in architecture(model)) == model.num_parameters


def test_bert_base_as_published():
    embeddings, layers, pooler = architecture(Bert(BertConfig(), seed=None))
    assert (embeddings.name, layers.name, pooler.name) == ("embeddings", "layers", "pooler")
    assert layers.times == 12
    assert layers.parameters == 12 * 7_087_872
    assert [part.name for part in embeddings.parts] == ["token", "segment", "position", "norm"]
    assert pooler.parts == [("pooler", [(768, 768), (768,)], 590_592)]
    assert layers.parts[0] == ("attention.query", [(768, 768), (768,)], 590_592)


def test_layers_of_different_sizes_are_blocks_of_their_own():
    """The first LSTM reads embeddings of 5 numbers, the others the 8 of the one before."""
    blocks = architecture(lstm())
    assert [(block.name, block.times) for block in blocks] == [("embeddings", 1), ("layers", 1), ("layers", 2)]
    assert [block.parts[0].shapes[0] for block in blocks[1:]] == [(5, 16), (8, 16)]
