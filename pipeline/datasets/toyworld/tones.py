"""Material of notes: single cycles, sums of partials, bursts of noise, and how they swell and fade.

Harmonic tones are read from a table of one cycle, since a sine a harmonic a sample would cost more than the pictures
do.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Wave = NDArray[np.float32]

_TABLE = 2048
_SINE: Wave = np.sin(np.arange(_TABLE) * (2 * np.pi / _TABLE)).astype(np.float32)


def cycle(amplitudes: ArrayLike, rng: np.random.Generator) -> Wave:
    """(2048,) one period of a tone with the given amplitudes of harmonics 1, 2, ...; phases are drawn."""
    given = np.asarray(amplitudes, np.float64)
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    spectrum[1 : len(given) + 1] = given * np.exp(2j * np.pi * rng.random(len(given)))
    table = np.fft.irfft(spectrum)
    return np.asarray(table / np.sqrt(np.mean(table**2)), np.float32)


def read(table: Wave, frequency: NDArray[np.float64], rate: int) -> Wave:
    """(S,) the table's tone at a frequency (S,) in hertz."""
    phase = np.cumsum(frequency) * (_TABLE / rate)
    return np.take(table, phase.astype(np.int64) & (_TABLE - 1))


def harmonics(hertz: float, rate: int, most: int = 40) -> NDArray[np.float64]:
    """1, 2, ... up to the last that stays below 0.45 of the rate."""
    return np.arange(1, max(2, min(most, int(0.45 * rate / hertz)) + 1), dtype=np.float64)


def formants(frequencies: NDArray[np.float64], peaks: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Gain of a body that rings at peaks of (hertz, octaves wide)."""
    gain = np.full(frequencies.shape, 0.15)
    for hertz, width in peaks:
        gain += np.exp(-0.5 * (np.log2(frequencies / hertz) / width) ** 2)
    return gain


def envelope(seconds: float, rate: int, attack: float, release: float) -> Wave:
    """(S,) up within attack seconds, held, down within release seconds."""
    time = np.arange(max(1, round(seconds * rate))) / rate
    return np.asarray(np.minimum(time / attack, 1) * np.clip((seconds - time) / release, 0, 1), np.float32)


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


def partials(ratios: ArrayLike, strengths: ArrayLike, half_lives: ArrayLike, rate: int) -> Callable[..., Wave]:
    """A sum of fading sines at ratios of a frequency, those beyond 0.45 of the rate left out: a function of the
    frequency in hertz, the number of samples, how far it glides down at first (relative) and the note's stream."""

    def ring(hertz: float, count: int, glide: float, stream: np.random.Generator) -> Wave:
        time = np.arange(count) / rate
        steps = time * (hertz * _TABLE)
        if glide:  # starts higher and settles within some 30 ms
            steps += hertz * _TABLE * glide * 0.03 * (1 - np.exp(-time / 0.03))
        wave = np.zeros(count, np.float32)
        for ratio, strength, life in np.broadcast(ratios, strengths, half_lives):
            if ratio * hertz < 0.45 * rate:
                fading = decay(count, rate, life)
                phase = steps[: len(fading)] * ratio + stream.uniform(0, _TABLE)
                wave[: len(fading)] += np.float32(strength) * fading * _SINE[phase.astype(np.int64) & (_TABLE - 1)]
        return wave

    return ring
