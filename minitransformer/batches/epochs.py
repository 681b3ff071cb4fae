"""Batches of examples, epoch after epoch: each epoch deals out every example once, in an order of its own."""

from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import IntArray


class Epochs:
    """Which examples make up the batch of a step: a function of the seed and the step's number.

    The last batch of an epoch may be smaller than the others. One that would have fewer than `smallest` examples is
    joined to the one before it.
    """

    def __init__(self, num_examples: int, batch_size: int, seed: int, smallest: int = 1) -> None:
        self.num_examples, self.batch_size, self.seed = num_examples, batch_size, seed
        rest = num_examples % batch_size
        self.steps_per_epoch = max(1, num_examples // batch_size + (rest >= smallest if rest else 0))
        self._epoch, self._order = 0, self._order_of(0)

    def examples(self, step: int) -> IntArray:
        """The numbers of the examples of a step, counted from 0 through all epochs."""
        epoch, step_of_epoch = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._order_of(epoch)
        is_last = step_of_epoch == self.steps_per_epoch - 1
        start = step_of_epoch * self.batch_size
        return self._order[start : None if is_last else start + self.batch_size]

    def _order_of(self, epoch: int) -> IntArray:
        return generator(self.seed, "order", epoch).permutation(self.num_examples)
