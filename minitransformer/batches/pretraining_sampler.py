"""From a tokenised corpus to the batch of each pretraining step: of pairs, or of single stretches of text."""

import numpy as np

from minitransformer.batches.masked_lm_batch import MaskedLMBatch
from minitransformer.batches.masking import TokenMasker
from minitransformer.batches.next_sentence import SentencePairs, make_pairs, pack_pairs
from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.batches.stretches import Stretches, make_stretches, pack_stretches
from minitransformer.corpora.tokenized_corpus import Documents, TokenizedCorpus
from minitransformer.randomness import generator
from minitransformer.text.bert_tokenizer import BertTokenizer


class PretrainingSampler:
    """Deals out masked next-sentence pairs; the batch of a step depends on the arguments and the step alone.

    Without next sentences they are stretches of text instead (batches/stretches.py), for masked words alone.

    Each epoch makes its own pairs from the documents and shuffles them. The number of pairs varies a little from epoch
    to epoch, yet every epoch has as many steps as epoch 0 has full batches, so that a step's place is known without
    making the epochs before it: surplus pairs are left out, and if some are missing, the first ones come twice.
    """

    def __init__(
        self,
        corpus: TokenizedCorpus,
        documents: Documents,
        tokenizer: BertTokenizer,
        batch_size: int,
        max_length: int = 128,
        seed: int = 0,
        whole_words: bool = False,
        next_sentence: bool = True,
    ) -> None:
        """batch_size is in pairs, max_length in tokens with the special ones.

        Raises UserError if the documents can't give next-sentence pairs (batches/next_sentence.py says when).
        """
        self.corpus = corpus
        self.documents = documents
        self.batch_size = batch_size
        self.max_length = max_length
        self.seed = seed
        self.next_sentence = next_sentence
        self.masker = TokenMasker(tokenizer, whole_words=whole_words)
        self.special_ids = tokenizer.cls_token_id, tokenizer.sep_token_id
        self._epoch, self._pairs = 0, self.pairs(0)
        self.steps_per_epoch = max(1, len(self._pairs) // batch_size)

    def pairs(self, epoch: int) -> SentencePairs | Stretches:
        """The pairs or stretches of an epoch in the order in which they are dealt out."""
        make = make_pairs if self.next_sentence else make_stretches
        pairs = make(self.corpus, self.documents, self.max_length, generator(self.seed, "pairs", epoch))
        return pairs.select(generator(self.seed, "order", epoch).permutation(len(pairs)))

    def batch(self, step: int) -> PretrainingBatch | MaskedLMBatch:
        """The batch of a step, counted from 0 through all epochs."""
        epoch, step_of_epoch = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._pairs = epoch, self.pairs(epoch)
        first = step_of_epoch * self.batch_size
        chosen = self._pairs.select(np.arange(first, first + self.batch_size) % len(self._pairs))
        rng = generator(self.seed, "masking", step)
        if isinstance(chosen, Stretches):
            return MaskedLMBatch(*self.masker(pack_stretches(self.corpus, chosen, *self.special_ids), rng))
        return PretrainingBatch(*self.masker(pack_pairs(self.corpus, chosen, *self.special_ids), rng), chosen.is_random)
