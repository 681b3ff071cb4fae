import os
import subprocess
import sys

import pytest

from minitransformer.errors import UserError
from minitransformer.text import wordpiece_training
from minitransformer.text.wordpiece_training import count_words, learn_vocabulary

WORDS = {"low": 5, "lower": 2, "newest": 6, "widest": 3}  # the example of Sennrich et al. 2016, section 3.2


def test_the_most_frequent_pair_is_merged_first_and_ties_go_by_the_alphabet():
    # Pairs at first: e s 9 times, s t 9, w e 8 (in lower and newest), l o 7, o w 7, n e 6, e w 6, ... So es, then est.
    # low's and lower's "lo" and "ow" both occur 7 times; ##o ##w sorts before l ##o because "#" does before letters.
    # newest then gives four ties at 6 between n ##e ##w ##est, of which the alphabet's first, ##e ##w, is taken.
    vocabulary = learn_vocabulary(WORDS, 26, ["[PAD]"])
    alphabet = list("deilnorstw")
    continued = ["##" + c for c in "deiorstw"]
    assert vocabulary[:19] == ["[PAD]", *alphabet, *continued]
    assert vocabulary[19:] == ["##es", "##est", "##ow", "low", "##ew", "##ewest", "newest"]


def test_the_error_names_the_number_of_tokens_that_the_words_support():
    with pytest.raises(UserError, match=r"vocab_size is 1000, but the text supports at most (\d+) tokens") as error:
        learn_vocabulary(WORDS, 1000, ["[PAD]"])
    supported = int(str(error.value).split("at most ")[1].split()[0])
    assert len(learn_vocabulary(WORDS, supported, ["[PAD]"])) == supported
    with pytest.raises(UserError, match=f"at most {supported} tokens"):
        learn_vocabulary(WORDS, supported + 1, ["[PAD]"])


def test_a_vocabulary_too_small_for_the_characters_is_refused():
    with pytest.raises(UserError, match="alone need 19"):
        learn_vocabulary(WORDS, 18, ["[PAD]"])


def test_characters_and_pieces_seen_less_than_min_count_times_get_no_token():
    vocabulary = learn_vocabulary({"abc": 4, "abz": 1}, 7, [])
    assert vocabulary == ["a", "b", "c", "##b", "##c", "##bc", "abc"]


def test_only_the_most_frequent_words_and_characters_are_learnt_from(monkeypatch):
    monkeypatch.setattr(wordpiece_training, "MAX_WORDS", 1)
    monkeypatch.setattr(wordpiece_training, "MAX_ALPHABET", 3)
    assert learn_vocabulary({"ab": 9, "cb": 5, "zz": 2}, 5, []) == ["a", "b", "c", "##b", "ab"]


def test_forgetting_rare_strings_keeps_memory_bounded_and_the_frequent_ones(monkeypatch):
    monkeypatch.setattr(wordpiece_training, "MAX_COUNTED", 10)
    texts = (f"the cat number{i}" for i in range(100))
    counts = count_words(texts, lambda text: [text])
    assert counts["the"] == counts["cat"] == 100
    assert len(counts) <= 10


def test_words_are_counted_as_the_tokenizer_splits_them():
    counts = count_words(["Play, play.", "", "play\tPLAY,"], lambda text: text.lower().replace(",", " ,").split())
    assert counts == {"play": 2, "play.": 1, ",": 2} | {"play": 3}


def test_the_vocabulary_is_the_same_in_every_process_and_for_every_number_of_threads():
    # Many ties: random short words over few letters. The tokenizers library's own trainer fails this test.
    program = (
        "import random\n"
        "from minitransformer.text.bert_tokenizer import BertTokenizer\n"
        "draw = random.Random(0)\n"
        "words = [''.join(draw.choices('abcde', k=draw.randint(1, 6))) for _ in range(800)]\n"
        "texts = [' '.join(words[i : i + 20]) for i in range(0, 800, 20)]\n"
        "print(BertTokenizer.train(texts, 150).convert_ids_to_tokens(range(150)))\n"
    )
    outcomes = set()
    for hash_seed, threads in (("0", "false"), ("1", "true"), ("2", "true")):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "TOKENIZERS_PARALLELISM": threads}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        outcomes.add(done.stdout)
    assert len(outcomes) == 1
