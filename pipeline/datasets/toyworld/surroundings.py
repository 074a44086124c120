"""What is heard besides the object: a bed of noise and, at times, hum, gusts, voices, birds, a whistle, clicks.

None of them looks at the strokes or at the class.
"""

from collections.abc import Callable

import numpy as np

from pipeline.datasets.toyworld.tones import Wave, between, cycle, level, noise, places

Gain = Callable[[Wave], Wave]  # of frequencies in hertz
Surrounding = Callable[[int, int, np.random.Generator], Wave]  # samples, sample rate, stream -> (S,)


def surroundings(count: int, rate: int, rng: np.random.Generator) -> Wave:
    """(count,) of unit power: the bed and none to three others, none of them above it by more than 3 decibels."""
    mixed = _bed(count, rate, rng)
    for number in rng.permutation(len(_OTHERS))[: rng.integers(0, 4)]:
        other = _OTHERS[number](count, rate, rng)
        loud = 10 ** (rng.uniform(-9, 3) / 20)
        mixed += other * np.float32(loud / max(level(other), 3e-5))
    mixed /= np.float32(level(mixed))
    return mixed


def _bed(count: int, rate: int, rng: np.random.Generator) -> Wave:
    """From hiss to rumble: noise that falls from a corner on."""
    corner, slope = 2 ** rng.uniform(np.log2(100), np.log2(4000)), rng.uniform(0, 1.2)
    return noise(lambda hertz: np.exp(np.log(1 + (hertz / corner) ** 2) * (-slope / 2)), count, rate, rng)


def _hum(count: int, rate: int, rng: np.random.Generator) -> Wave:
    """Of a machine: harmonics of a tone far below the notes, the same all along."""
    hertz = np.full(round(rate / rng.uniform(45, 120)), 0.0)
    order = np.arange(1, 13)
    table = cycle(order ** -rng.uniform(0.6, 1.6) * rng.uniform(0.1, 1, 12), rng)
    hertz[:] = rate / len(hertz)
    return np.resize(table[places(hertz, rate)], count)


def _gusts(count: int, rate: int, rng: np.random.Generator) -> Wave:
    """Noise in one broad band, which swells and fades: wind, water, a car."""
    centre, width = 2 ** rng.uniform(np.log2(80), np.log2(6000)), rng.uniform(0.5, 1.5)
    swells = rng.uniform(0.05, 1, max(3, round(count / rate * rng.uniform(1.5, 4)) + 1))
    return noise(_band(centre, width), count, rate, rng) * between(swells, count)


def _voices(count: int, rate: int, rng: np.random.Generator) -> Wave:
    """Babble: noise in the bands of vowels, which change from syllable to syllable."""
    mixed = np.zeros(count, np.float32)
    for _ in range(2):
        first, second = 2 ** rng.uniform(np.log2(300), np.log2(900)), 2 ** rng.uniform(np.log2(900), np.log2(2600))
        low, high = _band(first, 0.25), _band(second, 0.2)

        def formants(hertz: Wave, low: Gain = low, high: Gain = high) -> Wave:
            return low(hertz) + 0.5 * high(hertz)

        syllables = np.zeros(max(4, round(count / rate * rng.uniform(7, 12)) + 1))
        syllables[1::2] = rng.uniform(0, 1, len(syllables[1::2]))
        vowel = noise(formants, count, rate, rng)
        mixed += vowel * between(syllables, count)
    return mixed


def _band(centre: float, width: float) -> Gain:
    """Gain of a band around a frequency in hertz; width: octaves to one side, as of a normal distribution."""
    # In single precision the natural logarithm is several times as fast as that to base 2.
    return lambda hertz: np.exp(-0.5 * (np.log(np.maximum(hertz, 1) / centre) * (1 / (np.log(2) * width))) ** 2)


def _birds(count: int, rate: int, rng: np.random.Generator) -> Wave:
    """Chirps that sweep up or down, above the notes' fundamentals."""
    return _tones(count, rate, rng, number=int(rng.integers(2, 9)), lasts=(0.04, 0.15), lowest=1500, sweep=0.8)


def _whistle(count: int, rate: int, rng: np.random.Generator) -> Wave:
    """One to three long tones that waver."""
    return _tones(count, rate, rng, number=int(rng.integers(1, 4)), lasts=(0.2, 0.6), lowest=600, sweep=0.25)


def _tones(
    count: int,
    rate: int,
    rng: np.random.Generator,
    *,
    number: int,
    lasts: tuple[float, float],
    lowest: float,
    sweep: float,
) -> Wave:
    """Pure tones at any time, up to two octaves above the lowest; sweep: octaves at most, either way."""
    mixed = np.zeros(count, np.float32)
    table = cycle([1.0, 0.1], rng)
    for _ in range(number):
        size = min(count, round(rng.uniform(*lasts) * rate))
        start = rng.integers(count - size + 1)
        hertz = lowest * 2 ** (rng.uniform(0, 2) + rng.uniform(-sweep, sweep) * np.linspace(-0.5, 0.5, size))
        shape = np.sin(np.linspace(0, np.pi, size, dtype=np.float32))
        mixed[start : start + size] += np.float32(rng.uniform(0.3, 1)) * shape * table[places(hertz, rate)]
    return mixed


def _clicks(count: int, rate: int, rng: np.random.Generator) -> Wave:
    """Taps of a few milliseconds."""
    mixed = np.zeros(count, np.float32)
    size = min(count, round(0.012 * rate))
    shape = np.exp(-np.arange(size, dtype=np.float32) / np.float32(rate * rng.uniform(0.001, 0.003)))
    for start in rng.integers(0, count - size + 1, rng.integers(3, 12)):
        mixed[start : start + size] += np.float32(rng.uniform(0.3, 1)) * shape * rng.standard_normal(size, np.float32)
    return mixed


_OTHERS: tuple[Surrounding, ...] = (_hum, _gusts, _voices, _birds, _whistle, _clicks)
