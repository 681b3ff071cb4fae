"""RoBERTa, XLM-RoBERTa, DistilBERT, ELECTRA and MPNet equal transformers' and sentence-transformers', both ways."""

import warnings

import numpy as np
import pytest

from minitransformer import LoraSettings, PackedTokens, SentenceEncoder, add_lora
from minitransformer.models.encoders import TRANSFORMERS, encoder_of_folder
from minitransformer.nn.relative_attention import distance_buckets

torch = pytest.importorskip("torch", reason="torch is not installed (the parity extra)")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (the parity extra)")

LENGTHS = [7, 1, 150, 150, 3]
VOCABULARY, POSITIONS = 40, 160
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 12,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 7,
    "max_position_embeddings": POSITIONS,
    "initializer_range": 0.3,
    "hidden_act": "gelu",
}
DISTILBERT = {"dim": 12, "n_layers": 3, "n_heads": 3, "hidden_dim": 7, "initializer_range": 0.3}
FAMILIES = {
    "roberta": SIZES | {"type_vocab_size": 1, "layer_norm_eps": 1e-5},
    "xlm-roberta": SIZES | {"type_vocab_size": 1, "layer_norm_eps": 1e-5},
    "distilbert": DISTILBERT | {"vocab_size": VOCABULARY, "max_position_embeddings": POSITIONS},
    "electra": SIZES | {"embedding_size": 8},
    "electra, embeddings as wide as layers": SIZES | {"embedding_size": 12},
    "mpnet": SIZES,
}


@pytest.fixture(params=FAMILIES)
def theirs(request):
    torch.manual_seed(0)
    name = request.param.partition(",")[0]
    model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(name, **FAMILIES[request.param]))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model.double().eval()


@pytest.fixture
def tokens(theirs):
    """All ids, the padding token's among them: it may stand in a text, and RoBERTa doesn't count it as a place."""
    rng = np.random.default_rng(3)
    ids = [rng.integers(0, VOCABULARY, length) for length in LENGTHS]
    segments = [rng.integers(0, 2 if theirs.config.model_type == "electra" else 1, length) for length in LENGTHS]
    return PackedTokens.pack(ids, segments)


def load_ours(folder, dtype=np.float64):
    return encoder_of_folder(folder).from_pretrained(folder, dtype)


def their_hidden(model, tokens):
    """The rows (N, H) of transformers' model, each sequence without padding."""
    ids, segments = tokens.unpack(tokens.token_ids), tokens.unpack(tokens.segment_ids)
    segmented = model.config.model_type in ("electra", "roberta", "xlm-roberta")
    rows = []
    for sequence, of_sequence in zip(ids, segments, strict=True):
        more = {"token_type_ids": torch.tensor(of_sequence)[None]} if segmented else {}
        rows.append(model(input_ids=torch.tensor(sequence)[None], **more)[0][0])
    return torch.cat(rows)


def test_a_folder_of_theirs_is_loaded_whole_and_computes_the_same(tmp_path, recwarn, theirs, tokens):
    theirs.save_pretrained(tmp_path)
    ours = load_ours(tmp_path)
    assert not recwarn.list
    with torch.no_grad():
        np.testing.assert_allclose(ours.hidden(tokens), their_hidden(theirs, tokens), atol=1e-9)


def test_gradients_of_all_parameters_are_theirs(tmp_path, theirs, tokens):
    theirs.save_pretrained(tmp_path)
    ours = load_ours(tmp_path)
    hidden, cache = ours.hidden_forward(tokens)
    d_hidden = np.random.default_rng(5).normal(size=hidden.shape)
    ours.hidden_backward(d_hidden, cache)
    their_hidden(theirs, tokens).backward(torch.tensor(d_hidden))
    expected = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    found = ours.grad_dict()
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        if gradient is not None and not name.endswith(("word_embeddings.weight", "position_embeddings.weight")):
            np.testing.assert_allclose(found[name], gradient, atol=1e-9, err_msg=name)
        elif gradient is not None:  # torch leaves the padding token's row out of what is looked up
            rows = np.abs(gradient.numpy()).sum(axis=1) > 0
            np.testing.assert_allclose(found[name][rows], gradient.numpy()[rows], atol=1e-9, err_msg=name)


def test_a_folder_of_ours_is_loaded_whole_by_transformers(tmp_path, theirs, tokens):
    theirs.save_pretrained(tmp_path / "theirs")
    load_ours(tmp_path / "theirs").save_pretrained(tmp_path / "ours")
    again, info = transformers.AutoModel.from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert type(again) is type(theirs)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), info
    with torch.no_grad():
        expected = their_hidden(theirs, tokens)
        np.testing.assert_allclose(their_hidden(again.double().eval(), tokens), expected, atol=1e-4)


def test_a_checkpoint_with_a_masked_lm_head_holds_the_encoder(tmp_path, recwarn, theirs, tokens):
    masked = transformers.AutoModelForMaskedLM.from_config(theirs.config).double()
    masked.base_model.load_state_dict(theirs.state_dict(), strict=False)
    masked.save_pretrained(tmp_path)
    np.testing.assert_allclose(load_ours(tmp_path).hidden(tokens), their_hidden(theirs, tokens).detach(), atol=1e-9)
    assert not [warning for warning in recwarn if "pooler" not in str(warning.message)]


def test_distances_fall_into_the_buckets_of_transformers():
    expected = transformers.MPNetModel(
        transformers.MPNetConfig(vocab_size=5, hidden_size=4, num_hidden_layers=0, num_attention_heads=2)
    ).encoder.relative_position_bucket(torch.arange(600)[None, :] - torch.arange(600)[:, None])
    np.testing.assert_array_equal(distance_buckets(600), expected)


# -- sentence encoders -------------------------------------------------------------------------------------------------

WORDS = ["my", "dog", "is", "cute", "he", "likes", "play", "##ing", "##s", ",", ".", "a", "b", "c"]
TEXTS = ["my dog is cute", "He likes playing, a dog.", "", "the b " * 20, "<mask> a [MASK] b", "é ñ x" * 3]
SENTENCES = ["my dog is cute.", "he likes playing, and my dog likes it.", "a b c"] * 20


def tokenizer_of(family):
    """A small tokenizer of the class that the family has."""
    if family == "roberta":
        tokenizer = byte_level()
    elif family == "xlm-roberta":
        tokenizer = unigram()
    elif family == "mpnet":
        specials = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
        tokenizer = transformers.MPNetTokenizer(vocab={token: i for i, token in enumerate([*specials, *WORDS])})
    else:
        specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        vocabulary = {token: i for i, token in enumerate([*specials, *WORDS])}
        kind = transformers.DistilBertTokenizer if family == "distilbert" else transformers.BertTokenizer
        tokenizer = kind(vocab=vocabulary)
    return tokenizer


def byte_level():
    from tokenizers import ByteLevelBPETokenizer

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(SENTENCES, 300, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    model = trained._tokenizer.model
    merges = __import__("json").loads(trained.to_str())["model"]["merges"]
    assert model
    return transformers.RobertaTokenizer(vocab=trained.get_vocab(), merges=[tuple(merge) for merge in merges])


def unigram():
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(f"▁{word}", -2.0) for word in WORDS] + [(letter, -5.0) for letter in "▁abcdefghiklmnoprstuvy,."]
    return transformers.XLMRobertaTokenizer(vocab=[*pieces, ("<mask>", 0.0)])


@pytest.mark.parametrize("family", ["roberta", "xlm-roberta", "distilbert", "electra", "mpnet"])
def test_a_sentence_encoder_of_each_family_is_theirs_before_and_after_it_was_saved_here(tmp_path, recwarn, family):
    sentence_transformers = pytest.importorskip("sentence_transformers", reason="not installed (the parity extra)")
    torch.manual_seed(0)
    tokenizer = tokenizer_of(family)
    config = transformers.AutoConfig.for_model(family, **{**FAMILIES[family], "vocab_size": len(tokenizer)})
    model = transformers.AutoModel.from_config(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    model.save_pretrained(tmp_path / "base")
    tokenizer.model_max_length = 20
    tokenizer.save_pretrained(tmp_path / "base")
    theirs = sentence_transformers.SentenceTransformer(str(tmp_path / "base"), device="cpu")
    theirs.save(str(tmp_path / "theirs"))
    recwarn.clear()
    ours = SentenceEncoder.from_pretrained(tmp_path / "theirs")
    assert not recwarn.list
    expected = theirs.encode(TEXTS)
    np.testing.assert_allclose(ours.encode(TEXTS, truncation="silent"), expected, atol=1e-5)
    assert ours.max_seq_length == theirs.max_seq_length == 20
    ours.save_pretrained(tmp_path / "ours")
    again = sentence_transformers.SentenceTransformer(str(tmp_path / "ours"), device="cpu")
    np.testing.assert_allclose(again.encode(TEXTS), expected, atol=1e-5)
    assert again.max_seq_length == 20
    here_again = SentenceEncoder.from_pretrained(tmp_path / "ours")
    np.testing.assert_allclose(here_again.encode(TEXTS, truncation="silent"), expected, atol=1e-5)


def test_every_family_has_a_case():
    families = {name.partition(",")[0] for name in FAMILIES}
    assert {encoder.layout.model_type for encoder in TRANSFORMERS} == families | {"bert"}


def test_peft_loads_an_adapter_of_ours_and_computes_the_same(tmp_path, theirs, tokens):
    peft = pytest.importorskip("peft", reason="peft is not installed (the parity extra)")
    theirs.save_pretrained(tmp_path / "base")
    ours = load_ours(tmp_path / "base")
    add_lora(ours, LoraSettings(2, 5, ours.layout.lora_targets, base=str(tmp_path / "base")))
    ours.storage.values[...] = np.random.default_rng(4).normal(size=ours.storage.values.size).astype(np.float32)
    ours.save_pretrained(tmp_path / "adapter")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # which peft gives where a tensor finds no place
        adapted = peft.PeftModel.from_pretrained(theirs, tmp_path / "adapter").double().eval()
    with torch.no_grad():
        np.testing.assert_allclose(ours.hidden(tokens), their_hidden(adapted, tokens), atol=1e-9)
