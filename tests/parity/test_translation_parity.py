"""Translating against transformers' generate on a MarianMTModel: greedy, beams, and a folder with its tokenizer."""

import itertools

import numpy as np
import pytest

from minitransformer.inference.generation.generate import search_beams
from minitransformer.inference.generation.options import GenerationOptions
from minitransformer.inference.translation import translate
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer
from minitransformer.text.character_tokenizer import CharacterTokenizer
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder
from tests.small_models import randomise, small_seq2seq, small_seq2seq_config

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
from tests.parity.seq2seq_twin import padded, transformers_seq2seq  # noqa: E402

SOURCES = [[4, 7, 1], [9, 1], [3, 3, 5, 8, 11, 1], [14, 22, 20, 1]]
EOS = 1
TOLERANCE = 1e-5  # of scores, which transformers adds up in float32


@pytest.fixture(scope="module")
def ours():
    model = small_seq2seq(max_position_embeddings=40)
    model.storage.values[...] *= 0.6  # so that one token isn't all that the model can think of
    return model


@pytest.fixture(scope="module")
def theirs(ours):
    return transformers_seq2seq(ours)


def their_generate(theirs, sources, **options):
    ids, mask = padded(PackedTokens.pack(sources))
    with torch.no_grad():
        return theirs.generate(input_ids=ids, attention_mask=mask, do_sample=False, **options)


def until_eos(ids):
    ids = ids[1:].tolist()
    return ids[: ids.index(EOS)] if EOS in ids else ids


def test_greedy_gives_the_same_tokens_for_a_whole_batch(ours, theirs):
    """Theirs padded, ours packed."""
    expected = their_generate(theirs, SOURCES, max_new_tokens=40)
    assert translate(ours, PackedTokens.pack(SOURCES)) == [until_eos(ids) for ids in expected]


@pytest.mark.parametrize(("num_beams", "length_penalty"), [*itertools.product((2, 4), (0.0, 0.6, 1.0, 2.0))])
def test_beam_search_gives_the_same_tokens_and_scores(ours, theirs, num_beams, length_penalty):
    for source, max_new_tokens in itertools.product(SOURCES, (1, 7, 20)):
        options = {"num_beams": num_beams, "length_penalty": length_penalty}
        expected = their_generate(
            theirs,
            [source],
            max_new_tokens=max_new_tokens,
            return_dict_in_generate=True,
            output_scores=True,
            **options,
        )
        chosen = GenerationOptions(max_new_tokens, eos_token_id=EOS, **options)
        best = search_beams(ours.over(PackedTokens.pack([source])), [2], chosen)[0]
        assert best.token_ids == expected.sequences[0, 1:].tolist()
        assert best.score(length_penalty) == pytest.approx(expected.sequences_scores.item(), rel=TOLERANCE)


TEXTS = ["how many people live in texas", "what states border ohio ?", "ünd mehr <|endoftext|> \n"]


@pytest.mark.parametrize("kind", [BytePairTokenizer, CharacterTokenizer])
def test_a_folder_with_its_tokenizer_translates_texts_as_it_does_here(tmp_path, kind):
    vocab_size = [280] if kind is BytePairTokenizer else []
    tokenizer = kind.train(TEXTS * 2, *vocab_size, model_max_length=60, adds_eos=True)
    end = tokenizer.eos_token_id
    ids = {"eos_token_id": end, "decoder_start_token_id": end, "pad_token_id": end}
    config = small_seq2seq_config(vocab_size=tokenizer.vocab_size, max_position_embeddings=60, **ids)
    model = randomise(Seq2Seq(config), std=0.5)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)

    their_tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    their_model = transformers.AutoModelForSeq2SeqLM.from_pretrained(tmp_path)
    inputs = their_tokenizer(TEXTS[:2], return_tensors="pt", padding=True)
    found = [tokenizer.encode_sequence(text) for text in TEXTS[:2]]
    assert [row[mask == 1].tolist() for row, mask in zip(inputs.input_ids, inputs.attention_mask, strict=True)] == found

    for num_beams in (1, 3):
        expected = their_model.generate(**inputs, num_beams=num_beams, do_sample=False, max_length=60)
        targets = translate(model, PackedTokens.pack(found), num_beams=num_beams)
        cut = [row[1:] for row in expected.tolist()]
        cut = [row[: row.index(end)] if end in row else row for row in cut]
        assert [a[:59] for a in targets] == cut
        texts = [tokenizer.decode(ids[:59]) for ids in targets]
        assert texts == their_tokenizer.batch_decode(cut, skip_special_tokens=True)


def test_a_tokenizer_that_ends_texts_comes_back_from_its_folder(tmp_path):
    tokenizer = CharacterTokenizer.train(TEXTS, adds_eos=True)
    tokenizer.save_pretrained(tmp_path)
    again = tokenizer_of_folder(tmp_path)
    assert again.adds_eos
    assert again.texts() == tokenizer.texts()
    np.testing.assert_array_equal(again.encode("texas"), tokenizer.encode("texas"))
