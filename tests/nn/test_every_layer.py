"""What must hold of every layer. A new one gets a line in LAYERS; a test sees to it that none is forgotten."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import minitransformer.nn
from minitransformer.nn.activation import ACTIVATIONS
from minitransformer.nn.attention import CrossAttention, SelfAttention
from minitransformer.nn.bahdanau_decoder import BahdanauDecoder
from minitransformer.nn.bert_embeddings import BertEmbeddings
from minitransformer.nn.decoder_layer import DecoderLayer, SeenWithSource
from minitransformer.nn.decoder_stack import DecoderStack
from minitransformer.nn.dense import Dense
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.first_columns import FirstColumns
from minitransformer.nn.gpt_embeddings import GptEmbeddings
from minitransformer.nn.key_values import KeyValues
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.linear import Linear
from minitransformer.nn.lora import LoraDense, LoraLinear
from minitransformer.nn.lstm import BidirectionalLstm, Lstm, LstmState
from minitransformer.nn.lstm_decoder import LstmDecoder, LuongDecoder
from minitransformer.nn.luong_attention import LuongAttention
from minitransformer.nn.masked_lm_head import MaskedLMHead
from minitransformer.nn.module import Module
from minitransformer.nn.normalise import Normalise
from minitransformer.nn.pair_scores import DotProduct, ScaledCosine
from minitransformer.nn.parameter import Parameter, zeros
from minitransformer.nn.pooling import POOLINGS, Pooling
from minitransformer.nn.pre_norm_layer import PreNormLayer
from minitransformer.nn.projected_embeddings import ProjectedEmbeddings
from minitransformer.nn.relative_attention import NUM_BUCKETS, RelativeSelfAttention
from minitransformer.nn.roberta_embeddings import RobertaEmbeddings
from minitransformer.nn.sequential import Sequential
from minitransformer.nn.sinusoidal_embeddings import SinusoidalEmbeddings
from minitransformer.nn.stack import Stack
from minitransformer.nn.vocabulary_head import BiasedVocabularyHead, VocabularyHead
from minitransformer.nn.word_embeddings import WordEmbeddings
from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import span_offsets
from tests.gradient_check import assert_module_gradients, upstream
from tests.small_models import randomise

H, F, V, HEADS, EPS, RATE, STD = 6, 5, 11, 3, 1e-12, 0.3, 0.02
LENGTHS = np.array([2, 4, 4, 1])
SOURCE_LENGTHS = np.array([3, 1, 5, 2])
N = int(LENGTHS.sum())


class Layer(NamedTuple):
    """How to make a layer, and what its forward is called with after the rows x (N, H), or in place of them."""

    make: Callable[[], Module]
    more: tuple = ()
    takes_rows: bool = True
    has_dropout: bool = False

    def made(self, dtype=np.float64):
        return randomise(self.make().initialise(0, dtype))

    def arguments(self, dtype=np.float64, seed=3) -> tuple[Any, ...]:
        rng = np.random.default_rng(seed)
        if self.takes_rows:
            return rng.normal(size=(N, H)).astype(dtype), *self.more
        return tuple(rng.permutation(ids) for ids in self.more)

    def forward(self, layer, *arguments, dropout=True):
        """The layer's forward, with the same dropout at each call if it has any."""
        if self.has_dropout and dropout:
            arguments = (*arguments, generator(9, "dropout"))
        return layer.forward(*arguments)


class OverItself(Module):
    """Cross-attention whose source is made of the rows themselves, in sequences of other lengths."""

    def __init__(self):
        self.attention = CrossAttention(H, HEADS, RATE, RATE)

    def __call__(self, x, lengths, source_lengths):
        return self.attention(x, lengths, self.attention.key_values(3 * x[::-1], source_lengths))

    def forward(self, x, lengths, source_lengths, rng=None):
        return self.attention.forward(x, lengths, 3 * x[::-1], source_lengths, rng)

    def backward(self, dy, cache):
        dx, d_source = self.attention.backward(dy, cache)
        return dx + 3 * d_source[::-1]


class LuongOverItself(Module):
    """As OverItself, with the attention of a recurrent decoder."""

    def __init__(self):
        self.attention = LuongAttention(H)

    def forward(self, x, lengths, source_lengths):
        return self.attention.forward(x, lengths, 3 * x[::-1], source_lengths)

    def backward(self, dy, cache):
        dx, d_source = self.attention.backward(dy, cache)
        return dx + 3 * d_source[::-1]


class RecurrentDecoderOverItself(Module):
    """As OverItself, with a recurrent decoder that begins with the last row of each source."""

    def __init__(self, decoder):
        self.decoder = decoder

    def forward(self, x, lengths, source_lengths):
        source, ends = 3 * x[::-1], np.cumsum(source_lengths) - 1
        state = LstmState(source[ends], source[ends])
        sources = self.decoder.sources(source, source_lengths)
        hidden, _, cache = self.decoder.forward_from(state, x, lengths, sources)
        return hidden, (cache, ends)

    def backward(self, dy, cache):
        cache, ends = cache
        dx, d_state, d_source = self.decoder.backward_to(dy, cache)
        d_source[ends] += d_state.h + d_state.c
        return dx + 3 * d_source[::-1]


class DecoderOverItself(Module):
    """A stack of decoder layers, or one of them, whose source is made of the rows themselves, as in OverItself."""

    def __init__(self, decoder):
        self.decoder = decoder

    def __call__(self, x, lengths, source_lengths):
        layers = getattr(self.decoder, "layers", [self.decoder])
        sources = [layer.cross_attention.key_values(3 * x[::-1], source_lengths) for layer in layers]
        seen = [SeenWithSource(KeyValues(len(lengths), H, x.dtype), source) for source in sources]
        return self.decoder(x, lengths, seen[0] if layers == [self.decoder] else seen)

    def forward(self, x, lengths, source_lengths, rng=None):
        return self.decoder.forward(x, lengths, 3 * x[::-1], source_lengths, rng)

    def backward(self, dy, cache):
        dx, d_source = self.decoder.backward(dy, cache)
        return dx + 3 * d_source[::-1]


def with_lora(linear):
    """A layer with a random update of rank 2, A and B, and a frozen weight as large."""
    linear = randomise(linear.initialise(0, np.float64))
    for parameter in (linear.weight, linear.bias):
        parameter.initialiser = lambda rng, shape, value=parameter.value: value
        parameter.trained = False
    kind = LoraDense if isinstance(linear, Dense) else LoraLinear
    return kind(linear, Parameter((H, 2), zeros), Parameter((2, F), zeros), 1.7, RATE)


class AfterALinear(Module):
    """A layer without parameters, behind one that has some."""

    def __init__(self, layer):
        self.linear = Linear(H, H)
        self.layer = layer

    def forward(self, x, *more):
        x, linear = self.linear.forward(x)
        y, layer = self.layer.forward(x, *more)
        return y, (linear, layer)

    def backward(self, dy, cache):
        linear, layer = cache
        return self.linear.backward(self.layer.backward(dy, layer), linear)


class ScoresOverItself(Module):
    """The scores of rows, behind a layer that has parameters, with others made of them."""

    def __init__(self, score):
        self.linear = Linear(H, H)
        self.score = score

    def forward(self, x):
        a, linear = self.linear.forward(x)
        similarities, of_rows = self.score.similarities_forward(a, 3 * a[2:])
        scores, score = self.score.forward(similarities)
        return scores, (linear, of_rows, score)

    def backward(self, dscores, cache):
        linear, of_rows, score = cache
        da, db = self.score.similarities_backward(self.score.backward(dscores, score), of_rows)
        return self.linear.backward(da + 3 * np.pad(db, ((2, 0), (0, 0))), linear)


def attention(causal=False):
    return SelfAttention(H, HEADS, RATE, RATE, causal=causal)


def feed_forward(activation):
    return FeedForward(H, F, activation, RATE)


def encoder_layer():
    return EncoderLayer(attention(), feed_forward("gelu"), H, EPS)


def decoder_layer():
    cross_attention = CrossAttention(H, HEADS, RATE, RATE)
    return DecoderLayer(attention(causal=True), cross_attention, feed_forward("relu"), H, EPS)


def pre_norm_layer():
    return PreNormLayer(attention(causal=True), feed_forward("gelu_tanh"), H, EPS)


IDS = np.arange(N) % 7
LAYERS = {
    "Linear": Layer(lambda: Linear(H, F)),
    "LoraLinear": Layer(lambda: with_lora(Linear(H, F)), has_dropout=True),
    "LoraDense, gelu": Layer(lambda: with_lora(Dense(H, F, "gelu")), has_dropout=True),
    "Embedding": Layer(lambda: Embedding(V, H), (IDS,), takes_rows=False),
    "LayerNorm": Layer(lambda: LayerNorm(H, EPS)),
    "CrossAttention": Layer(OverItself, (LENGTHS, SOURCE_LENGTHS), has_dropout=True),
    "SelfAttention": Layer(attention, (LENGTHS,), has_dropout=True),
    "SelfAttention, causal": Layer(lambda: attention(causal=True), (LENGTHS,), has_dropout=True),
    **{
        f"FeedForward, {activation}": Layer(lambda name=activation: feed_forward(name), has_dropout=True)
        for activation in ACTIVATIONS
    },
    "EncoderLayer": Layer(encoder_layer, (LENGTHS,), has_dropout=True),
    "DecoderLayer": Layer(lambda: DecoderOverItself(decoder_layer()), (LENGTHS, SOURCE_LENGTHS), has_dropout=True),
    "DecoderStack": Layer(
        lambda: DecoderOverItself(DecoderStack([decoder_layer(), decoder_layer()])),
        (LENGTHS, SOURCE_LENGTHS),
        has_dropout=True,
    ),
    "Lstm": Layer(lambda: Lstm(H, F), (LENGTHS,)),
    "BidirectionalLstm": Layer(lambda: BidirectionalLstm(H, F), (LENGTHS,)),
    "LuongAttention": Layer(LuongOverItself, (LENGTHS, SOURCE_LENGTHS)),
    **{
        decoder.__name__: Layer(lambda kind=decoder: RecurrentDecoderOverItself(kind(H, H)), (LENGTHS, SOURCE_LENGTHS))
        for decoder in (LstmDecoder, LuongDecoder, BahdanauDecoder)
    },
    "WordEmbeddings": Layer(lambda: WordEmbeddings(V, H, RATE, STD), (IDS,), takes_rows=False, has_dropout=True),
    "PreNormLayer": Layer(pre_norm_layer, (LENGTHS,), has_dropout=True),
    "Stack": Layer(lambda: Stack([encoder_layer(), encoder_layer()]), (LENGTHS,), has_dropout=True),
    "BertEmbeddings": Layer(
        lambda: BertEmbeddings(V, 2, 9, H, EPS, RATE, STD), (IDS, IDS % 2, IDS), takes_rows=False, has_dropout=True
    ),
    "GptEmbeddings": Layer(
        lambda: GptEmbeddings(V, 9, H, RATE), (IDS, IDS[::-1].copy()), takes_rows=False, has_dropout=True
    ),
    "BertEmbeddings, without segments": Layer(
        lambda: BertEmbeddings(V, 0, 9, H, EPS, RATE, STD), (IDS, IDS % 2, IDS), takes_rows=False, has_dropout=True
    ),
    "RobertaEmbeddings": Layer(
        lambda: RobertaEmbeddings(1, V, 2, 9, H, EPS, RATE, STD),
        (IDS, IDS % 2, span_offsets(LENGTHS)),
        takes_rows=False,
        has_dropout=True,
    ),
    "ProjectedEmbeddings": Layer(
        lambda: ProjectedEmbeddings(H, V, 2, 9, F, EPS, RATE, STD),
        (IDS, IDS % 2, IDS),
        takes_rows=False,
        has_dropout=True,
    ),
    "RelativeSelfAttention": Layer(
        lambda: RelativeSelfAttention(Embedding(NUM_BUCKETS, HEADS), H, HEADS, RATE, RATE), (LENGTHS,), has_dropout=True
    ),
    "SinusoidalEmbeddings": Layer(
        lambda: SinusoidalEmbeddings(V, H, RATE), (IDS, IDS[::-1].copy()), takes_rows=False, has_dropout=True
    ),
    "VocabularyHead": Layer(lambda: VocabularyHead(Embedding(V, H))),
    "BiasedVocabularyHead": Layer(lambda: BiasedVocabularyHead(Embedding(V, H))),
    "MaskedLMHead": Layer(lambda: MaskedLMHead(Embedding(V, H), "gelu", EPS, STD)),
    **{f"Dense, {activation}": Layer(lambda name=activation: Dense(H, F, name)) for activation in ACTIVATIONS},
    "Pooling": Layer(lambda: AfterALinear(Pooling(tuple(POOLINGS))), (LENGTHS,)),
    "Sequential": Layer(lambda: Sequential([Dense(H, F, "tanh"), Normalise(), Linear(F, H)])),
    "FirstColumns": Layer(lambda: AfterALinear(FirstColumns(4))),
    "DotProduct": Layer(lambda: ScoresOverItself(DotProduct())),
    "ScaledCosine": Layer(lambda: ScoresOverItself(ScaledCosine())),
    "Normalise": Layer(lambda: AfterALinear(Normalise())),
}
every_layer = pytest.mark.parametrize("case", LAYERS.values(), ids=LAYERS.keys())


def gradients_of(layer, *calls):
    """dx of each (dy, cache), and what they add to the gradients."""
    layer.zero_grad()
    results = [layer.backward(dy, cache) for dy, cache in calls]
    return results, layer.storage.gradients.copy()


def test_every_layer_of_the_package_is_in_this_table():
    modules = [
        importlib.import_module(f"minitransformer.nn.{module.name}")
        for module in pkgutil.iter_modules(minitransformer.nn.__path__)
    ]
    layers = {
        name
        for module in modules
        for name, member in vars(module).items()
        if isinstance(member, type) and issubclass(member, Module) and member is not Module
    }
    assert layers == {name.split(",")[0] for name in LAYERS}


@every_layer
@pytest.mark.parametrize("dropout", [False, True])
def test_gradients_equal_central_differences(case, dropout):
    layer = case.made()

    def forward(*arguments):
        return case.forward(layer, *arguments, dropout=dropout)

    assert_module_gradients(layer, forward, *case.arguments())


@every_layer
def test_calling_the_layer_is_its_forward_without_dropout(case):
    layer, arguments = case.made(), case.arguments()
    np.testing.assert_allclose(layer(*arguments), layer.forward(*arguments)[0], rtol=1e-12)
    if case.has_dropout:
        assert (layer(*arguments) != case.forward(layer, *arguments)[0]).any()


@every_layer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_parameters_stays_that_of_results_and_gradients(case, dtype):
    layer, arguments = case.made(dtype), case.arguments(dtype)
    y, cache = case.forward(layer, *arguments)
    (dx,), gradients = gradients_of(layer, (upstream(y), cache))
    assert y.dtype == layer(*arguments).dtype == gradients.dtype == dtype
    assert dx is None or dx.dtype == dtype


@every_layer
def test_a_second_backward_with_the_same_cache_adds_the_same_gradients_again(case):
    layer = case.made()
    y, cache = case.forward(layer, *case.arguments())
    _, once = gradients_of(layer, (upstream(y), cache))
    _, twice = gradients_of(layer, (upstream(y), cache), (upstream(y), cache))
    assert once.any()
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-12, atol=1e-15)


@every_layer
def test_two_forwards_before_either_backward_give_what_two_rounds_give(case):
    """Siamese towers: the same weights see two texts, and the loss of both comes back through each."""
    layer = case.made()
    y, cache = case.forward(layer, *case.arguments(seed=3))
    other_y, other_cache = case.forward(layer, *case.arguments(seed=4))
    (dx, other_dx), together = gradients_of(layer, (upstream(y), cache), (-2 * upstream(other_y), other_cache))

    y, cache = case.forward(layer, *case.arguments(seed=3))
    (expected_dx,), gradients = gradients_of(layer, (upstream(y), cache))
    other_y, other_cache = case.forward(layer, *case.arguments(seed=4))
    (expected_other_dx,), other_gradients = gradients_of(layer, (-2 * upstream(other_y), other_cache))
    np.testing.assert_allclose(together, gradients + other_gradients, rtol=1e-12, atol=1e-14)
    if case.takes_rows:
        np.testing.assert_array_equal(dx, expected_dx)
        np.testing.assert_array_equal(other_dx, expected_other_dx)


@every_layer
def test_arguments_parameters_and_upstream_gradient_are_not_changed(case):
    layer, arguments = case.made(), case.arguments()
    values = layer.storage.values.copy()
    y, cache = case.forward(layer, *arguments)
    dy = upstream(y)
    layer.backward(dy, cache)
    layer(*arguments)
    for argument, before in zip(arguments, case.arguments(), strict=True):
        np.testing.assert_array_equal(argument, before)
    np.testing.assert_array_equal(dy, upstream(y))
    np.testing.assert_array_equal(layer.storage.values, values)
