"""Random numbers as a function of what they are for, not of what was drawn before.

Every draw starts from `generator(seed, purpose, ...)`. The masks of step 812 can be made again from the seed, the
word "masking" and the number 812: a run that resumes needs no generator's state, and two purposes never disturb
each other.
"""

import zlib

import numpy as np


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A fresh generator for one purpose, such as generator(7, "dropout", step, shard).

    Words enter by their CRC-32, so the result is the same in every process and on every machine.
    """
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in purpose]
    # As a spawn_key every word counts; as a part of the entropy, zeros at its end would not.
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=words)))
