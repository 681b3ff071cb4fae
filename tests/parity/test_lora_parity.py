"""LoRA against peft: its folders both ways, its merged weights, and twenty steps of training from the same A and B."""

import json
import logging
import shutil
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the parity extra)")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (the parity extra)")
peft = pytest.importorskip("peft", reason="peft is not installed (the parity extra)")

from minitransformer import Bert, BertForSequenceClassification, ClassifierSettings, Gpt, SentenceEncoder  # noqa: E402
from minitransformer.interop.lora_settings import LoraSettings, read_lora_settings  # noqa: E402
from minitransformer.models.lora import add_lora  # noqa: E402
from minitransformer.training.optimizer.adamw import AdamW  # noqa: E402
from minitransformer.training.optimizer.clipping import clip_scale, global_norm  # noqa: E402
from tests.parity.real_data import data_file  # noqa: E402
from tests.parity.test_fine_tuning_parity import inputs_of  # noqa: E402
from tests.small_encoders import random_texts, small_encoder  # noqa: E402
from tests.small_models import random_tokens, randomise, small_config, small_gpt_config  # noqa: E402

CONFIG = small_config(type_vocab_size=2)
TOKENS = random_tokens(CONFIG)
LABELS = ClassifierSettings(("no", "maybe", "yes"))
CLASSES = np.array([2, 0, 1, 2, 2])
HEADS = ("classifier", "bert.pooler")
LINEARS = ("query", "key", "value", "intermediate.dense", "output.dense")
ADAPTERS = {
    "query and value": {"targets": ("query", "value")},
    "every layer, by the root": {"targets": LINEARS, "use_rslora": True},
    "an expression": {"targets": r".*encoder\.layer\.1.*\.(key|output\.dense)"},
}
every_adapter = pytest.mark.parametrize("options", ADAPTERS.values(), ids=ADAPTERS.keys())


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    randomise(Bert(CONFIG), std=0.3).save_pretrained(folder)
    return folder


def settings_of(base, options):
    return LoraSettings(**{"rank": 2, "alpha": 5, "base": str(base), **options})


def adapted(base, options, model_type=Bert, heads=(), dtype=np.float32, **arguments):
    """A model of ours with a random adapter."""
    model = model_type.from_pretrained(base, dtype=dtype, **arguments)
    add_lora(model, settings_of(base, options), heads)
    return randomise(model, std=0.3)


def their_config(options, **more):
    targets = options["targets"]
    return peft.LoraConfig(
        r=2,
        lora_alpha=5,
        target_modules=targets if isinstance(targets, str) else list(targets),
        use_rslora=options.get("use_rslora", False),
        init_lora_weights=False,  # B at random, too
        **more,
    )


def loaded_by_peft(their_class, base, folder, **options):
    """The model with the adapter, after a look at what peft and transformers warn of: nothing."""
    model = their_class.from_pretrained(base, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        return peft.PeftModel.from_pretrained(model, folder).eval()


def hidden_of(theirs, tokens=TOKENS):
    with torch.no_grad():
        rows = theirs(**inputs_of(tokens)).last_hidden_state.numpy()
    return np.concatenate([row[:length] for row, length in zip(rows, tokens.lengths, strict=True)])


def logits_of(theirs):
    with torch.no_grad():
        return theirs(**inputs_of(TOKENS)).logits.numpy()


# -- ours to theirs ----------------------------------------------------------------------------------------------------


@every_adapter
def test_peft_loads_our_adapter_without_a_word_and_merges_to_the_same_weights(tmp_path, base, options):
    ours = adapted(base, options)
    ours.save_pretrained(tmp_path)
    theirs = loaded_by_peft(transformers.BertModel, base, tmp_path)
    np.testing.assert_allclose(hidden_of(theirs), ours.hidden(TOKENS), rtol=1e-4, atol=1e-5)
    weights = theirs.merge_and_unload().state_dict()
    for name, value in Bert.from_pretrained(tmp_path).state_dict().items():
        np.testing.assert_allclose(value, weights[name].numpy(), rtol=1e-6, atol=1e-7, err_msg=name)


def test_transformers_loads_our_adapters_folder_as_the_adapted_model(tmp_path, base):
    ours = adapted(base, ADAPTERS["query and value"])
    ours.save_pretrained(tmp_path)
    theirs = transformers.AutoModel.from_pretrained(tmp_path).eval()
    np.testing.assert_allclose(hidden_of(theirs), ours.hidden(TOKENS), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("load", ["peft", "transformers"])
def test_a_classifier_of_ours_is_loaded_with_its_head_and_pooler(tmp_path, base, load):
    ours = adapted(base, {"targets": LINEARS}, BertForSequenceClassification, HEADS, settings=LABELS)
    ours.save_pretrained(tmp_path)
    if load == "peft":
        theirs = loaded_by_peft(transformers.BertForSequenceClassification, base, tmp_path, num_labels=3)
    else:
        theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path, num_labels=3).eval()
    np.testing.assert_allclose(logits_of(theirs), ours(TOKENS), rtol=1e-4, atol=1e-5)


def test_sentence_transformers_loads_an_encoder_of_ours(tmp_path, caplog):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    small_encoder(pooling=("max",)).save_pretrained(tmp_path / "base")
    encoder = SentenceEncoder.from_pretrained(tmp_path / "base")
    before = encoder.encode(random_texts(9))
    add_lora(encoder, settings_of(tmp_path / "base", ADAPTERS["query and value"]))
    randomise(encoder, std=0.3)
    encoder.save_pretrained(tmp_path / "adapter")
    with caplog.at_level(logging.WARNING):
        theirs = sentence_transformers.SentenceTransformer(str(tmp_path / "adapter"), device="cpu")
    assert not caplog.records
    found = encoder.encode(random_texts(9))
    np.testing.assert_allclose(theirs.encode(random_texts(9)), found, rtol=1e-4, atol=1e-5)
    assert not np.allclose(before, found, atol=1e-3)


# -- theirs to ours ----------------------------------------------------------------------------------------------------


@every_adapter
def test_an_adapter_of_peft_is_a_model_here(tmp_path, base, options):
    theirs = peft.get_peft_model(transformers.BertModel.from_pretrained(base), their_config(options)).eval()
    theirs.save_pretrained(tmp_path)
    ours = Bert.from_pretrained(tmp_path)
    np.testing.assert_allclose(ours.hidden(TOKENS), hidden_of(theirs), rtol=1e-4, atol=1e-5)
    assert np.abs(ours.hidden(TOKENS) - Bert.from_pretrained(base).hidden(TOKENS)).max() > 0.01


@pytest.mark.parametrize("targets", [("query", "value"), ("dense",), "all-linear"])
def test_a_classifier_of_peft_is_a_classifier_here(tmp_path, base, targets):
    """Its pooler may be changed as well, and its labels are as many as its head has."""
    model = transformers.BertForSequenceClassification.from_pretrained(base, num_labels=3)
    theirs = peft.get_peft_model(model, their_config({"targets": targets}, task_type="SEQ_CLS")).eval()
    theirs.save_pretrained(tmp_path)
    ours = BertForSequenceClassification.from_pretrained(tmp_path)
    assert ours.settings.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    np.testing.assert_allclose(ours(TOKENS), logits_of(theirs), rtol=1e-4, atol=1e-5)


def test_an_adapter_of_sentence_transformers_is_a_sentence_encoder_here(tmp_path):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    small_encoder(pooling=("max",)).save_pretrained(tmp_path / "base")
    theirs = sentence_transformers.SentenceTransformer(str(tmp_path / "base"), device="cpu")
    try:
        theirs.add_adapter(their_config(ADAPTERS["query and value"], task_type="FEATURE_EXTRACTION"))
    except ValueError as error:  # transformers asks for a later peft than the one that is installed
        pytest.skip(str(error))
    theirs.save(str(tmp_path / "adapter"))
    ours = SentenceEncoder.from_pretrained(tmp_path / "adapter")
    assert ours.settings.pooling == ("max",)
    expected = theirs.encode(random_texts(9))
    np.testing.assert_allclose(ours.encode(random_texts(9)), expected, rtol=1e-4, atol=1e-5)


# -- training ----------------------------------------------------------------------------------------------------------

STEPS, WEIGHT_DECAY, MAX_NORM = 20, 0.1, 1.0


def learning_rate(step):
    return 0.02 * (1 - step / STEPS)


def our_losses(model, forward):
    optimizer, losses = AdamW(model.storage, weight_decay=WEIGHT_DECAY), []
    for step in range(STEPS):
        model.zero_grad()
        loss, cache = forward()
        model.backward(cache)
        optimizer.step(learning_rate(step), clip_scale(global_norm(model.storage.gradients), MAX_NORM))
        losses.append(loss)
    return losses


def their_losses(theirs, loss_of):
    trained = [parameter for parameter in theirs.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in trained if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer, losses = torch.optim.AdamW(groups), []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, MAX_NORM)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.step()
        losses.append(loss.item())
    return losses


def trained_by_our_names(theirs):
    for name, parameter in theirs.named_parameters():
        if parameter.requires_grad:
            yield name.replace(".default", "").replace(".modules_to_save", ""), parameter


def assert_same_trained_values(values, theirs):
    for name, parameter in trained_by_our_names(theirs):
        np.testing.assert_allclose(values[name], parameter.detach().numpy(), rtol=1e-7, atol=1e-9, err_msg=name)


@every_adapter
def test_twenty_steps_from_the_same_a_and_b_equal_pefts_and_so_do_the_first_gradients(tmp_path, base, options):
    """In float64, without dropout, with clipping. Here peft trains the pooler, too, as finetune does."""
    model = adapted(base, options, BertForSequenceClassification, HEADS, np.float64, settings=LABELS)
    model.storage.values[...] = model.storage.values.astype(np.float32)
    model.save_pretrained(tmp_path)
    theirs = transformers.BertForSequenceClassification.from_pretrained(base, num_labels=3)
    theirs = peft.PeftModel.from_pretrained(theirs, tmp_path, is_trainable=True).double().eval()
    assert sum(p.numel() for p in theirs.parameters() if p.requires_grad) == model.storage.values.size

    loss, cache = model.forward(TOKENS, CLASSES)
    model.backward(cache)
    their_loss = theirs(**inputs_of(TOKENS), labels=torch.tensor(CLASSES)).loss
    their_loss.backward()
    assert loss == pytest.approx(their_loss.item(), rel=1e-12)
    gradients = model.grad_dict()
    for name, parameter in trained_by_our_names(theirs):
        np.testing.assert_allclose(gradients[name], parameter.grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)

    losses = our_losses(model, lambda: model.forward(TOKENS, CLASSES))
    expected = their_losses(theirs, lambda: theirs(**inputs_of(TOKENS), labels=torch.tensor(CLASSES)).loss)
    np.testing.assert_allclose(losses, expected, rtol=1e-9)
    assert losses[-1] < losses[0]
    assert_same_trained_values(model.state_dict(), theirs)


# -- GPT ---------------------------------------------------------------------------------------------------------------

C_ATTN = [{"targets": ("c_attn",)}, {"targets": ("c_attn", "c_proj", "c_fc"), "use_rslora": True}]


@pytest.fixture(scope="module")
def gpt_base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt")
    randomise(Gpt(small_gpt_config()), std=0.3).save_pretrained(folder)
    return folder


def their_gpt_logits(theirs, tokens):
    inputs = {name: array for name, array in inputs_of(tokens).items() if name != "token_type_ids"}
    with torch.no_grad():
        logits = theirs(**inputs).logits.numpy()
    return np.concatenate([row[:length] for row, length in zip(logits, tokens.lengths, strict=True)])


@pytest.mark.parametrize("options", C_ATTN)
def test_peft_loads_our_adapter_of_gpt_and_merges_to_the_same_weights(tmp_path, gpt_base, options):
    ours, tokens = adapted(gpt_base, options, Gpt), random_tokens(small_gpt_config())
    ours.save_pretrained(tmp_path)
    theirs = loaded_by_peft(transformers.GPT2LMHeadModel, gpt_base, tmp_path)
    np.testing.assert_allclose(their_gpt_logits(theirs, tokens), ours(tokens), rtol=1e-4, atol=1e-5)
    weights = theirs.merge_and_unload().state_dict()
    for name, value in Gpt.from_pretrained(tmp_path).state_dict().items():
        np.testing.assert_allclose(value, weights[name].numpy(), rtol=1e-6, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("options", C_ATTN)
def test_an_adapter_of_peft_is_a_gpt_here_merged_or_not(tmp_path, gpt_base, options):
    model = transformers.GPT2LMHeadModel.from_pretrained(gpt_base)
    theirs = peft.get_peft_model(model, their_config(options, task_type="CAUSAL_LM", fan_in_fan_out=True)).eval()
    theirs.save_pretrained(tmp_path)
    tokens = random_tokens(small_gpt_config())
    expected = their_gpt_logits(theirs, tokens)
    np.testing.assert_allclose(Gpt.from_pretrained(tmp_path)(tokens), expected, rtol=1e-4, atol=1e-5)
    ours = Gpt.from_pretrained(gpt_base)
    add_lora(ours, read_lora_settings(tmp_path))
    ours.restore(tmp_path)
    np.testing.assert_allclose(ours(tokens), expected, rtol=1e-4, atol=1e-5)


def test_twenty_steps_of_gpt_equal_pefts_though_our_a_is_shared_by_three_layers(tmp_path, gpt_base):
    tokens = random_tokens(small_gpt_config(), lengths=(6, 6, 6))
    model = adapted(gpt_base, C_ATTN[0], Gpt, dtype=np.float64)
    model.storage.values[...] = model.storage.values.astype(np.float32)
    model.save_pretrained(tmp_path)
    theirs = transformers.GPT2LMHeadModel.from_pretrained(gpt_base)
    theirs = peft.PeftModel.from_pretrained(theirs, tmp_path, is_trainable=True).double().eval()
    ids = torch.from_numpy(tokens.to_padded(tokens.token_ids))

    def their_loss():  # that of transformers computes in float32
        return torch.nn.functional.cross_entropy(
            theirs(input_ids=ids).logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()
        )

    losses = our_losses(model, lambda: model.forward(tokens))
    expected = their_losses(theirs, their_loss)
    np.testing.assert_allclose([loss.total for loss in losses], expected, rtol=1e-9)
    assert expected[-1] < expected[0]
    assert_same_trained_values(model.state_dict(), theirs)


def test_a_real_adapter_of_gpt2_fits_a_gpt_of_its_size_and_changes_it_as_in_peft(tmp_path):
    """The base is random: as deep and wide as GPT-2 small, but with a small vocabulary and feed-forward network."""
    folder = data_file("peft_gpt2_emotion_adapter")
    shutil.copytree(folder, tmp_path / "adapter")
    config = small_gpt_config(
        hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=64, initializer_range=0.05
    )
    ours = Gpt(config)
    ours.save_pretrained(tmp_path / "base")
    file = tmp_path / "adapter/adapter_config.json"
    file.chmod(0o644)
    file.write_text(json.dumps({**json.loads(file.read_text()), "base_model_name_or_path": str(tmp_path / "base")}))

    tokens = random_tokens(config)
    theirs = loaded_by_peft(transformers.GPT2LMHeadModel, tmp_path / "base", tmp_path / "adapter")
    expected = their_gpt_logits(theirs, tokens)
    found = Gpt.from_pretrained(tmp_path / "adapter")(tokens)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    assert np.abs(found - ours(tokens)).max() > 0.01
