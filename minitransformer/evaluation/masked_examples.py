"""A few sentences with a masked word, to see what a model has learnt."""

import numpy as np

from minitransformer.corpora.tokenized_corpus import Documents, TokenizedCorpus
from minitransformer.inference.fill_mask import fill_mask
from minitransformer.models.bert_for_masked_lm import BertForMaskedLM
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import IntArray, PackedTokens

SHORTEST, LONGEST = 8, 24  # tokens per sentence: enough context to guess from, short enough for one line
MIN_LETTERS = 5  # of a word that is worth guessing, unlike "the"


def filled_examples(
    model: BertForPreTraining | BertForMaskedLM,
    tokenizer: BertTokenizer,
    corpus: TokenizedCorpus,
    documents: Documents,
    rng: np.random.Generator,
    count: int = 5,
) -> list[str]:
    """Up to `count` sentences from different documents, each with a masked word that is a single token, filled."""
    vocabulary = tokenizer.convert_ids_to_tokens(range(tokenizer.vocab_size))
    is_word = np.array([token.isalpha() and len(token) >= MIN_LETTERS for token in vocabulary])
    lengths = range(SHORTEST, min(LONGEST, tokenizer.model_max_length - 2) + 1)
    examples: list[str] = []
    for document in rng.permutation(len(documents.first)):
        sentence = rng.integers(documents.first[document], documents.end[document])
        start, end = corpus.sentence_starts[sentence : sentence + 2]
        token_ids = corpus.token_ids[start:end].astype(np.int64)
        is_continued = np.append(tokenizer.is_continuation[token_ids[1:]], False)
        positions = np.flatnonzero(is_word[token_ids] & ~is_continued)
        if len(token_ids) in lengths and len(positions):
            examples.append(_describe_fillings(model, tokenizer, token_ids, int(rng.choice(positions))))
        if len(examples) == count:
            break
    return examples


def _describe_fillings(
    model: BertForPreTraining | BertForMaskedLM, tokenizer: BertTokenizer, token_ids: IntArray, position: int
) -> str:
    """The sentence with a [MASK] at a position, and under it the model's best fillings next to the original word."""
    masked = np.concatenate([[tokenizer.cls_token_id], token_ids, [tokenizer.sep_token_id]])
    masked[position + 1] = tokenizer.mask_token_id
    [fillings] = fill_mask(model, PackedTokens.pack([masked]), tokenizer.mask_token_id)
    best = tokenizer.convert_ids_to_tokens(filling.token_id for filling in fillings)
    shown = ", ".join(f"{token} {filling.probability:.0%}" for token, filling in zip(best, fillings, strict=True))
    [answer] = tokenizer.convert_ids_to_tokens([token_ids[position]])
    before, after = tokenizer.decode(token_ids[:position]), tokenizer.decode(token_ids[position + 1 :])
    return f"{before} [MASK] {after}\n    {shown}  (it was: {answer})"
