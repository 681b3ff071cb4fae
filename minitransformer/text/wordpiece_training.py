"""Learn a WordPiece vocabulary from words and how often they occur.

Every word starts as its characters, all but the first marked as continuations: playing = p ##l ##a ##y ##i ##n ##g.
The pair of neighbours that occurs most often in the text becomes a new token everywhere, and this is repeated until the
vocabulary is full. Choosing by count is byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909, section 3.2), and
the WordPiece trainer of the `tokenizers` library does the same. But it breaks ties by the order of a hash map, so that
the same text gives a different vocabulary in each process. Here ties are broken alphabetically.
"""

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from minitransformer.errors import UserError

CONTINUATION = "##"
MAX_ALPHABET = 1000  # characters with a token of their own; rarer ones become [UNK]
MAX_WORD_LENGTH = 100  # characters; the tokenizer reads a longer word as [UNK]
MAX_COUNTED = 4_000_000  # different strings to count; beyond that the rarest are dropped
MAX_WORDS = 200_000  # the most frequent words are enough to learn from, and this bounds memory and time

BETWEEN_SPACES = re.compile(r"[^ \t\r\n]+")

Pair = tuple[str, str]


def count_words(texts: Iterable[str], split_into_words: Callable[[str], list[str]]) -> Counter[str]:
    """How often each word of the texts occurs, as the tokenizer splits it.

    Splitting into words takes a hundred times as long as splitting at spaces. So the strings between spaces are counted
    first, and each different string is split into words only once.
    """
    strings: Counter[str] = Counter()
    rarest = 0
    for text in texts:
        strings.update(BETWEEN_SPACES.findall(text))
        while len(strings) > MAX_COUNTED:
            rarest += 1
            strings = Counter({string: count for string, count in strings.items() if count > rarest})
    words: Counter[str] = Counter()
    for string, count in strings.items():
        for word in split_into_words(string):
            words[word] += count
    return words


def learn_vocabulary(
    word_counts: Mapping[str, int], vocab_size: int, special_tokens: Iterable[str], min_count: int = 2
) -> list[str]:
    """The tokens in the order of their ids: special tokens, characters, continuing characters, then merged pairs.

    A character or pair that occurs fewer than min_count times gets no token. The result depends only on the arguments.
    Raises UserError if vocab_size is too small for the characters, or larger than the words support.
    """
    alphabet = frequent_characters(word_counts, min_count)
    counts, words = split_into_characters(word_counts, alphabet)
    continued = {symbol for word in words for symbol in word[1:]}
    vocabulary = dict.fromkeys([*special_tokens, *sorted(alphabet), *sorted(continued)])
    if vocab_size < len(vocabulary):
        needed = f"the special tokens and the characters of the text alone need {len(vocabulary)}"
        raise UserError(f"vocab_size is {vocab_size}, but {needed}; choose at least that many")
    for token in merge_pairs(counts, words, min_count):
        if len(vocabulary) == vocab_size:
            break
        vocabulary[token] = None
    if len(vocabulary) < vocab_size:
        raise UserError(
            f"vocab_size is {vocab_size}, but the text supports at most {len(vocabulary)} tokens "
            f"(pieces seen {min_count} times or more in its {len(word_counts)} different words); "
            f"choose a smaller vocabulary (--vocab-size {len(vocabulary)}) or give more text"
        )
    return list(vocabulary)


def frequent_characters(word_counts: Mapping[str, int], min_count: int) -> set[str]:
    """The most frequent characters, at most MAX_ALPHABET, that occur at least min_count times."""
    counts: Counter[str] = Counter()
    for word, count in word_counts.items():
        for character in word:
            counts[character] += count
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    return {character for character in ranked[:MAX_ALPHABET] if counts[character] >= min_count}


def split_into_characters(word_counts: Mapping[str, int], alphabet: set[str]) -> tuple[list[int], list[list[str]]]:
    """The counts and the symbols of the most frequent words that the alphabet can spell."""
    words = [word for word in word_counts if 0 < len(word) <= MAX_WORD_LENGTH and alphabet.issuperset(word)]
    words.sort(key=lambda word: (-word_counts[word], word))
    kept = words[:MAX_WORDS]
    symbols = [[word[0], *(CONTINUATION + character for character in word[1:])] for word in kept]
    return [word_counts[word] for word in kept], symbols


def merge_pairs(counts: list[int], words: list[list[str]], min_count: int) -> Iterable[str]:
    """Merge the most frequent pair again and again, yielding each new token; `words` is rewritten along the way.

    The queue may hold outdated counts, because a pair's count falls when a neighbour is merged away. So a popped count
    is compared with the true one, and an outdated entry goes back with the true count. Counts that rise are pushed at
    once.
    """
    pair_counts: Counter[Pair] = Counter()
    words_with: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, word in enumerate(words):
        for pair in pairwise(word):
            pair_counts[pair] += counts[index]
            words_with[pair].add(index)
    queue = [(-count, pair) for pair, count in pair_counts.items()]
    heapq.heapify(queue)
    while queue:
        negative_count, pair = heapq.heappop(queue)
        if pair_counts[pair] < min_count:
            continue
        if pair_counts[pair] < -negative_count:
            heapq.heappush(queue, (-pair_counts[pair], pair))
            continue
        token = pair[0] + pair[1].removeprefix(CONTINUATION)
        yield token
        risen: set[Pair] = set()
        for index in words_with.pop(pair):
            before, after = words[index], merge(words[index], pair, token)
            for neighbours in pairwise(before):
                pair_counts[neighbours] -= counts[index]
            for neighbours in pairwise(after):
                pair_counts[neighbours] += counts[index]
                if token in neighbours:
                    words_with[neighbours].add(index)
                    risen.add(neighbours)
            words[index] = after
        for neighbours in risen:
            heapq.heappush(queue, (-pair_counts[neighbours], neighbours))


def merge(word: list[str], pair: Pair, token: str) -> list[str]:
    """The word with each occurrence of the pair, from the left, replaced by the token.

    >>> merge(["b", "##a", "##n", "##a", "##n", "##a"], ("##a", "##n"), "##an")
    ['b', '##an', '##an', '##a']
    """
    merged: list[str] = []
    for symbol in word:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] = token
        else:
            merged.append(symbol)
    return merged
