"""Randomness that can be asked for at any instant: the same seed and place always give the same number.

A simulated house must answer for any second in any order and in any process, so nothing here has state that steps
forward. Three shapes: a hashed lattice with smooth values between (`NoiseField`), a table of meter noise that repeats
(`Texture`), and an ordinary generator for one thing on one day (`make_dice`).
"""

import random
from hashlib import blake2b

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def make_dice(seed: int, name: str, index: int) -> random.Random:
    """Return a generator that is the same wherever seed, name and index are (for the choices of one day)."""
    return random.Random(f"{seed}/{name}/{index}")


def compute_smooth_step(x: float) -> float:
    """Return 0 below 0, 1 above 1, and an S between, without a kink at either end."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    return x * x * (3.0 - 2.0 * x)


class NoiseField:
    """A random number for every integer, and a smooth curve through them.

    Args:
        seed: The house's seed.
        name: What the field describes; fields of different names are independent.
    """

    def __init__(self, seed: int, name: str) -> None:
        digest = blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, "big")

    def compute_point(self, index: int) -> float:
        """Return the number of one lattice point, uniform in [0, 1). SplitMix64: fast, and mixes neighbours well."""
        z = (self._key + index * _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53

    def interpolate(self, x: float) -> float:
        """Return the curve at x, in [0, 1): the lattice value at integers, an S-curve between neighbours."""
        index = int(x // 1)
        before = self.compute_point(index)
        return before + (self.compute_point(index + 1) - before) * compute_smooth_step(x - index)

    def compute_swing(self, x: float) -> float:
        """Return the curve at x scaled to [-1, 1)."""
        return 2.0 * self.interpolate(x) - 1.0


class Texture:
    """Second-by-second meter noise: a table of normal deviates, read round and round.

    A table is twenty times cheaper than a hash for each second. Its mean is exactly zero, so that noise never
    becomes energy, and its length is prime, so that it does not beat with minutes or hours.

    Args:
        seed: The house's seed.
        name: Which noise; different names are independent.
    """

    LENGTH = 4093

    def __init__(self, seed: int, name: str) -> None:
        generator = make_dice(seed, name, 0)
        # Nothing beyond 3 sigma: a meter does not jump without a cause.
        values = [max(-3.0, min(3.0, generator.gauss(0.0, 1.0))) for _ in range(self.LENGTH)]
        mean = sum(values) / self.LENGTH
        # 60 values again at the end, so that a minute is always one slice.
        centred = [value - mean for value in values]
        self._table = centred + centred[:60]

    def get_minute(self, minute: int) -> list[float]:
        """Return the 60 values (unit variance) of the minute that starts at epoch second 60 * minute."""
        start = (minute * 60) % self.LENGTH
        return self._table[start : start + 60]
