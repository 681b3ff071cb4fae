"""Batches of examples, epoch after epoch: each epoch deals out every example once, in an order of its own."""

from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import IntArray


class Epochs:
    """Which examples make up the batch of a step: a function of the seed and the step's number.

    The last batch of an epoch may be smaller than the others.
    """

    def __init__(self, num_examples: int, batch_size: int, seed: int) -> None:
        self.num_examples, self.batch_size, self.seed = num_examples, batch_size, seed
        self.steps_per_epoch = -(-num_examples // batch_size)
        self._epoch, self._order = 0, self._order_of(0)

    def examples(self, step: int) -> IntArray:
        """The numbers of the examples of a step, counted from 0 through all epochs."""
        epoch, step_of_epoch = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._order_of(epoch)
        return self._order[step_of_epoch * self.batch_size :][: self.batch_size]

    def _order_of(self, epoch: int) -> IntArray:
        return generator(self.seed, "order", epoch).permutation(self.num_examples)
