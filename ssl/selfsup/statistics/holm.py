"""Many tests at once: Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm


def rejected(p_values: Sequence[float], *, level: float) -> list[bool]:
    """Which of m hypotheses are rejected, so that with probability `level` or more no true one is: the one with the
    smallest p is tested at a / m, the next at a / (m - 1) and so on until one is not rejected; a = 1 - level."""
    found = [False] * len(p_values)
    for rank, position in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[position] > (1 - level) / (len(p_values) - rank):
            break
        found[position] = True
    return found


@dataclass(frozen=True)
class Bound:
    """upper: of the corrected interval. passes: whether it is at most the limit that the value was held against."""

    upper: float
    passes: bool


def upper_bounds(
    values: Sequence[float], errors: Sequence[float], limits: Sequence[float], *, level: float
) -> list[Bound]:
    """Upper ends of `level` two-sided intervals of normally distributed values, corrected for there being m of them.

    errors: standard errors. limits: what each value's true one should not exceed. Of the m hypotheses "the true value
    is above its limit" the one with the smallest p is tested at a / m, the next at a / (m - 1) and so on until one is
    not rejected, at whose level all others stay; a = (1 - level) / 2. A bound is at its hypothesis' own level, so it
    is at most the limit exactly where Holm rejects: with probability `level` or more no value passes wrongly.
    """
    estimate, error, limit = (np.asarray(numbers, dtype=np.float64) for numbers in (values, errors, limits))
    if not estimate.shape == error.shape == limit.shape:
        raise ValueError(f"as many errors and limits as values: got {len(estimate)}, {len(error)} and {len(limit)}")
    count = len(estimate)
    # A value without spread is known: its p is 0 or 1.
    distance = np.where(estimate <= limit, -np.inf, np.inf)
    distance = np.divide(estimate - limit, error, out=distance, where=error > 0)
    upper = np.empty(count)
    at = (1 - level) / 2 / max(count, 1)
    stopped = False
    for rank, position in enumerate(np.argsort(distance, kind="stable")):
        if not stopped:
            at = (1 - level) / 2 / (count - rank)
        upper[position] = estimate[position] + norm.isf(at) * error[position]
        stopped = stopped or bool(upper[position] > limit[position])
    return [Bound(float(one), bool(one <= most)) for one, most in zip(upper, limit, strict=True)]


def power(chance: float, margin: float, clips: int, count: int, *, level: float) -> float:
    """The probability that a value whose truth is chance passes at the strictest of the levels of `count` hypotheses:
    that its bound is at most chance + margin, with one independent right-or-wrong answer a clip."""
    error = np.sqrt(chance * (1 - chance) / clips)
    return float(norm.cdf(margin / error - norm.isf((1 - level) / 2 / count)))
