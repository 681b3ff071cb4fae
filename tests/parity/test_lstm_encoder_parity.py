"""InferSent's encoder, embeddings, bidirectional LSTMs and the largest of each column, against torch.nn.LSTM."""

import numpy as np
import pytest

from minitransformer import SentenceEncoder, SentenceEncoderSettings
from minitransformer.models.lstm_encoder import LstmEncoderConfig
from tests.gradient_check import upstream
from tests.parity.test_pretraining_parity import TOLERANCES, assert_close, every_dtype
from tests.small_encoders import TOKENIZER
from tests.small_models import random_tokens, randomise

torch = pytest.importorskip("torch")

SIZES = {"vocab_size": TOKENIZER.vocab_size, "embedding_size": 5, "hidden_size": 8, "num_hidden_layers": 2}
ARRAYS = {"weight": "weight_ih", "recurrent": "weight_hh", "bias": "bias_ih"}


def twin_of(layers, dtype):
    """torch.nn.LSTM with our weights; of its two biases the second one is 0. And our parameters by its names."""
    twin = torch.nn.LSTM(5, 4, num_layers=2, batch_first=True, bidirectional=True)
    twin = twin.to(torch.from_numpy(np.zeros(0, dtype)).dtype)
    ours = {}
    for i, layer in enumerate(layers):
        for suffix, lstm in ((f"l{i}", layer.forwards), (f"l{i}_reverse", layer.backwards)):
            ours |= {f"{theirs}_{suffix}": getattr(lstm, name) for name, theirs in ARRAYS.items()}
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            parameter.copy_(torch.from_numpy(ours[name].value.T)) if name in ours else parameter.zero_()
    return twin, ours


@every_dtype
def test_embeddings_and_gradients_are_those_of_pytorch(dtype):
    settings = SentenceEncoderSettings(pooling=("max",))
    model = randomise(SentenceEncoder(LstmEncoderConfig(**SIZES), TOKENIZER, settings, dtype=dtype))
    tokens, table = random_tokens(model.config), model.encoder.embeddings.token.table
    twin, ours = twin_of(model.encoder.layers, dtype)
    their_table = torch.from_numpy(table.value.copy()).requires_grad_()
    rows = their_table[torch.from_numpy(tokens.token_ids)].split(tokens.lengths.tolist())
    sequences = twin(torch.nn.utils.rnn.pack_sequence(rows, enforce_sorted=False))[0]
    theirs = torch.stack([seen.amax(dim=0) for seen in torch.nn.utils.rnn.unpack_sequence(sequences)])

    embeddings, cache = model.forward(tokens)
    assert_close(embeddings, theirs.detach().numpy(), TOLERANCES[dtype])
    theirs.backward(torch.from_numpy(upstream(embeddings)))
    model.backward(upstream(embeddings), cache)
    assert_close(table.grad, their_table.grad.numpy(), TOLERANCES[dtype])
    for name, parameter in ours.items():
        assert_close(parameter.grad, getattr(twin, name).grad.numpy().T, TOLERANCES[dtype], name=name)
