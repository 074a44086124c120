"""Material of notes: single cycles, sums of fading sines, bursts of noise, and how they swell and fade.

Held tones are read from a table of one cycle, fading ones are a product of two small matrices: a sine a harmonic a
sample would cost more than the pictures do.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

Wave = NDArray[np.float32]
Floats = NDArray[np.float64]

_TABLE = 2048
_SINE: Wave = np.sin(np.arange(_TABLE) * (2 * np.pi / _TABLE)).astype(np.float32)
_BLOCK = 256  # samples that one row of the product holds


def cycle(amplitudes: ArrayLike, rng: np.random.Generator) -> Wave:
    """(2048,) one period of a tone with the given amplitudes of harmonics 1, 2, ...; phases are drawn."""
    given = np.asarray(amplitudes, np.float64)
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    spectrum[1 : len(given) + 1] = given * np.exp(2j * np.pi * rng.random(len(given)))
    table = scipy.fft.irfft(spectrum)
    return np.asarray(table / np.sqrt(np.mean(table**2)), np.float32)


def places(frequency: Floats, rate: int, start: float = 0) -> NDArray[np.int64]:
    """(S,) where in a table of one cycle a tone of a frequency (S,) in hertz stands at each sample. start: of the
    cycle, 0 to 1."""
    return in_table(np.cumsum(frequency) / rate + start)


def in_table(turns: Floats) -> NDArray[np.int64]:
    """(S,) where in a table of one cycle a tone stands after so many turns (S,), not below 0."""
    place = (turns * _TABLE).astype(np.int64)
    place &= _TABLE - 1
    return place


def harmonics(hertz: float, rate: int, most: int = 40) -> Floats:
    """1, 2, ... up to the last that stays below 0.45 of the rate."""
    return np.arange(1, max(2, min(most, int(0.45 * rate / hertz)) + 1), dtype=np.float64)


def formants(frequencies: Floats, peaks: Sequence[tuple[float, float]]) -> Floats:
    """Gain of a body that rings at peaks of (hertz, octaves wide)."""
    gain = np.full(frequencies.shape, 0.15)
    for hertz, width in peaks:
        gain += np.exp(-0.5 * (np.log2(frequencies / hertz) / width) ** 2)
    return gain


def envelope(seconds: float, rate: int, attack: float, release: float) -> Wave:
    """(S,) up within attack seconds, held, down within release seconds."""
    count = max(1, round(seconds * rate))
    up, down = max(1, min(count, round(attack * rate))), max(1, min(count, round(release * rate)))
    shape = np.ones(count, np.float32)
    shape[:up] = np.arange(up, dtype=np.float32) / np.float32(up)
    shape[count - down :] *= np.arange(down, 0, -1, dtype=np.float32) / np.float32(down)
    return shape


def decay(most: int, rate: int, half_life: float) -> Wave:
    """(S,) fading from 1, S at most `most`: it ends where 60 dB are gone, so that nothing inaudible is computed."""
    count = min(most, round(10 * half_life * rate))
    return np.asarray(np.exp2(np.arange(count, dtype=np.float32) * np.float32(-1 / (rate * half_life))), np.float32)


def burst(most: int, rate: int, half_life: float, softness: float, stream: np.random.Generator) -> Wave:
    """(S,) of fading noise, as of a hammer or a snare. softness: seconds over which it is averaged, to take treble
    off; 0 for white."""
    shape = decay(most, rate, half_life)
    noise = stream.standard_normal(len(shape), np.float32)
    if (width := round(softness * rate)) > 1:
        noise = np.convolve(noise, np.full(width, width**-0.5, np.float32))[: len(shape)]
    return noise * shape


def fading(
    hertz: Floats, strengths: Floats, half_lives: Floats, count: int, rate: int, stream: np.random.Generator
) -> Wave:
    """(count,) a sum of sines that fade; hertz, strengths, half_lives: (K,), those beyond 0.45 of the rate left out.

    Sample q * 256 + r of a fading sine is the real part of z ** (256 q) times z ** r, so that all sines together are a
    product of matrices (q, K) and (K, r)."""
    heard = hertz < 0.45 * rate
    hertz, strengths, half_lives = hertz[heard], strengths[heard], half_lives[heard]
    logarithm = (2j * np.pi * hertz - np.log(2) / half_lives) / rate
    fine = _powers(logarithm, _BLOCK)
    starts = strengths * np.exp(2j * np.pi * stream.random(len(hertz)))
    coarse = starts[:, None] * _powers(logarithm * _BLOCK, -(-count // _BLOCK))
    left = np.concatenate([coarse.real, -coarse.imag]).astype(np.float32)
    right = np.concatenate([fine.real, fine.imag]).astype(np.float32)
    return np.asarray((left.T @ right).ravel()[:count])


def _powers(logarithm: NDArray[np.complex128], count: int) -> NDArray[np.complex128]:
    """(K, count) the powers 0, 1, ... of K numbers given by their logarithm, from a table of some square root of it."""
    step = int(np.ceil(np.sqrt(count)))
    counted = np.arange(step)
    inner = np.exp(logarithm[:, None] * counted)
    outer = np.exp(logarithm[:, None] * (counted * step))
    return (outer[:, :, None] * inner[:, None, :]).reshape(len(logarithm), -1)[:, :count]


def skin(ratios: Floats, strengths: Floats, half_life: float, glide: float, rate: int) -> Callable[..., Wave]:
    """Fading sines at ratios of a frequency that starts higher and settles within some 30 ms: a function of the
    frequency in hertz, the number of samples and the note's stream. glide: how much higher, relative."""

    def ring(hertz: float, count: int, stream: np.random.Generator) -> Wave:
        shape = decay(count, rate, half_life)
        time = np.arange(len(shape)) / rate
        steps = (time + glide * 0.03 * (1 - np.exp(-time / 0.03))) * (hertz * _TABLE)
        wave = np.zeros(count, np.float32)
        for ratio, strength in zip(ratios, strengths, strict=True):
            if ratio * hertz < 0.45 * rate:
                place = (steps * ratio + stream.uniform(0, _TABLE)).astype(np.int64) & (_TABLE - 1)
                wave[: len(shape)] += np.float32(strength) * _SINE[place]
        wave[: len(shape)] *= shape
        return wave

    return ring


def between(values: ArrayLike, count: int) -> Wave:
    """(count,) straight lines through values (N,) that are evenly spread from the first sample to the last."""
    given = np.asarray(values, np.float32)
    width = -(-count // (len(given) - 1))
    ramp = np.arange(width, dtype=np.float32) / np.float32(width)
    return (given[:-1, None] + np.diff(given)[:, None] * ramp).ravel()[:count]


def noise(gain: Callable[[Wave], Wave], count: int, rate: int, rng: np.random.Generator) -> Wave:
    """(count,) of unit power. gain: of frequencies in hertz. Drawn as a spectrum, and repeated after some 0.7 s: a
    period joins the next without a seam."""
    size = 1 << (rate * 2 // 3 - 1).bit_length()
    spectrum = rng.standard_normal((size // 2 + 1, 2), np.float32).view(np.complex64)[:, 0]
    spectrum *= gain(_hertz(size, rate))
    period = scipy.fft.irfft(spectrum, size)
    period /= np.float32(max(level(period), 1e-9))
    return np.concatenate([period] * -(-count // size))[:count]


@cache
def _hertz(size: int, rate: int) -> Wave:
    """(size // 2 + 1,) frequencies of a spectrum."""
    return np.linspace(0, rate / 2, size // 2 + 1, dtype=np.float32)


def level(wave: Wave) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.dot(wave, wave) / len(wave)))
