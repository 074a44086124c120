"""Holm's bounds decide as his step-down test does, and let a family through only as often as they may."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from selfsup.statistics.holm import power, rejected, upper_bounds

numbers = st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 0.1), st.floats(0, 1)), min_size=1, max_size=12)


@given(numbers)
def test_a_bound_is_below_its_limit_where_holm_rejects(family: list[tuple[float, float, float]]) -> None:
    values, errors, limits = zip(*family, strict=True)
    bounds = upper_bounds(values, errors, limits, level=0.95)
    # Holm as he wrote it: sort the p, compare the k-th of m with a / (m - k), stop at the first that is too large.
    p = norm.cdf((np.array(values) - limits) / errors)
    rejected = np.zeros(len(p), dtype=bool)
    for rank, position in enumerate(np.argsort(p, kind="stable")):
        if p[position] > 0.025 / (len(p) - rank):
            break
        rejected[position] = True
    close = np.isclose([bound.upper for bound in bounds], limits, atol=1e-9)
    assert [bound.passes for bound, near in zip(bounds, close, strict=True) if not near] == rejected[~close].tolist()


def test_one_value_has_its_plain_interval() -> None:
    (bound,) = upper_bounds([0.5], [0.01], [0.55], level=0.95)
    assert bound.upper == pytest.approx(0.5 + 1.96 * 0.01, abs=1e-4)
    assert bound.passes


def test_a_value_without_spread_is_taken_as_it_is() -> None:
    bounds = upper_bounds([0.5, 0.6], [0.0, 0.0], [0.55, 0.55], level=0.95)
    assert [(bound.upper, bound.passes) for bound in bounds] == [(0.5, True), (0.6, False)]


@pytest.mark.slow
def test_a_family_at_its_limits_rarely_passes_and_one_at_chance_nearly_always_does() -> None:
    rng = np.random.default_rng(0)
    errors = np.full(20, 0.01)
    at_limit = at_chance = 0
    for _ in range(1000):
        noise = rng.normal(0, 0.01, 20)
        at_limit += any(one.passes for one in upper_bounds(0.55 + noise, errors, [0.55] * 20, level=0.95))
        at_chance += all(one.passes for one in upper_bounds(0.5 + noise, errors, [0.55] * 20, level=0.95))
    assert at_limit <= 1000 * 0.025 + 3 * np.sqrt(1000 * 0.025)
    strictest = power(0.5, 0.05, clips=2500, count=20, level=0.95)
    assert at_chance / 1000 > 1 - 20 * (1 - strictest)


def test_power_is_that_of_a_simulation() -> None:
    rng = np.random.default_rng(1)
    accuracy = rng.binomial(600, 0.1, 20_000) / 600
    error = np.sqrt(0.1 * 0.9 / 600)
    passed = np.mean(accuracy + norm.isf(0.025 / 10) * error <= 0.15)
    assert power(0.1, 0.05, clips=600, count=10, level=0.95) == pytest.approx(passed, abs=0.02)


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="as many errors and limits as values: got 2, 1 and 2"):
        upper_bounds([0.1, 0.2], [0.1], [0.2, 0.2], level=0.95)


def test_hypotheses_are_rejected_until_one_is_not() -> None:
    # At 5 %: .01 is held against .05 / 4, .02 against .05 / 3, which is less; .03 and .04 are not looked at.
    assert rejected([0.03, 0.01, 0.04, 0.02], level=0.95) == [False, True, False, False]
    assert rejected([0.012, 0.01, 0.02, 0.04], level=0.95) == [True, True, True, True]
    assert rejected([], level=0.95) == []
