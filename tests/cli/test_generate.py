import json

import numpy as np
import pytest

from minitransformer.models.gpt import Gpt
from minitransformer.models.gpt_config import GptConfig
from minitransformer.text.character_tokenizer import CharacterTokenizer
from tests.small_encoders import small_encoder


@pytest.fixture(scope="module")
def gpt_folder(tmp_path_factory):
    """A language model of characters with random weights, too sure of itself to be untrained."""
    folder = tmp_path_factory.mktemp("gpt")
    tokenizer = CharacterTokenizer.train("to be or not to be, é\n")
    config = GptConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=40,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = Gpt(config, seed=4)
    model.storage.values[...] = np.random.default_rng(1).normal(0, 0.5, model.storage.values.shape)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_it_prints_how_the_text_goes_on_and_the_same_again(run, gpt_folder):
    first, again = (run("generate", gpt_folder, "to be", "--max-new-tokens", 12) for _ in range(2))
    assert first.status == 0
    assert 1 <= len(first.output.removesuffix("\n")) <= 12
    assert first == again
    assert first.error == ""


@pytest.mark.parametrize("options", [(), ("--temperature", 0.8, "--seed", 1), ("--beams", 3)], ids=str)
def test_json_has_the_text_its_ids_and_their_log_probabilities(run, gpt_folder, options):
    arguments = "generate", gpt_folder, "to be", "--max-new-tokens", 9, *options
    found = json.loads(run(*arguments, "--json").output)
    assert found["text"] + "\n" == run(*arguments).output
    tokenizer = CharacterTokenizer.from_pretrained(gpt_folder)
    assert tokenizer.decode(found["token_ids"]) == found["text"]
    assert len(found["log_probabilities"]) == len(found["token_ids"])
    assert sum(found["log_probabilities"]) == pytest.approx(found["log_probability"])
    assert found["log_probability"] < 0


def test_a_seed_decides_what_is_drawn_and_without_one_it_is_named(run, gpt_folder):
    def drawn(*seed):
        return run("generate", gpt_folder, "to", "--temperature", 2, "--max-new-tokens", 30, *seed)

    assert drawn("--seed", 1).output == drawn("--seed", 1).output != drawn("--seed", 2).output
    unsaid = drawn()
    assert unsaid.output == drawn("--seed", unsaid.error.split()[2]).output


def test_the_text_ends_before_the_stop_text(run, gpt_folder):
    whole = run("generate", gpt_folder, "to", "--temperature", 2, "--seed", 3, "--max-new-tokens", 30).output
    stop = whole[4:6]
    stopped = run("generate", gpt_folder, "to", "--temperature", 2, "--seed", 3, "--max-new-tokens", 30, "--stop", stop)
    assert stopped.output == whole.partition(stop)[0] + "\n"


def test_a_text_that_uses_up_the_positions_says_so(run, gpt_folder):
    result = run("generate", gpt_folder, "to be", "--temperature", 3, "--top-k", 4, "--seed", 1)
    assert result.status == 0
    assert result.error == "Note: the text ends here because the model's 40 positions are used up\n"


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", (), "the prompt is empty"),
        ("to be" * 9, (), "the prompt has 45 tokens, but the model has 40 positions"),
        ("to xx", (), "'x'"),
        ("to", ("--temperature", 0), "the temperature must be a number above 0, found 0.0"),
        ("to", ("--temperature", -1), "the temperature must be a number above 0, found -1.0"),
        ("to", ("--temperature", 1, "--beams", 2), "contradict each other"),
        ("to", ("--top-k", 3), "without a temperature none are drawn"),
        ("to", ("--top-p", 0.5), "without a temperature none are drawn"),
        ("to", ("--temperature", 1, "--top-p", 1.5), "top_p must be above 0 and at most 1, found 1.5"),
        ("to", ("--length-penalty", 2), "there is only one"),
        ("to", ("--stop", ""), "--stop is empty"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, gpt_folder, text, options, words):
    result = run("generate", gpt_folder, text, *options)
    assert (result.status, result.output) == (1, "")
    assert result.error.startswith("Error: ")
    assert result.error.count("\n") == 1
    assert words in result.error


def test_a_folder_of_another_architecture_is_one_line(run, tmp_path):
    small_encoder().save_pretrained(tmp_path)
    result = run("generate", tmp_path, "my dog")
    assert result.status == 1
    assert "model_type is 'bert', expected 'gpt2'" in result.error
    assert result.error.count("\n") == 1
