"""The sound of a clip: a note at each stroke, in a room, through an equaliser, among other sounds, as a small recorder
with automatic gain takes it."""

from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.datasets.toyworld.motion import AUDIBLE, Strokes
from pipeline.datasets.toyworld.surroundings import surroundings
from pipeline.datasets.toyworld.timbre import HELD, VOICES
from pipeline.datasets.toyworld.tones import Wave, between, level

_PENTATONIC = (0, 2, 4, 7, 9, 12)  # semitones: any two sound well together

_SWAY, _SWAYS = 3.0, 0.3  # decibels (standard deviation) by which the level sways, seconds from one to the next
_LONGEST_TAIL = 0.35  # seconds that a room rings at most
_BANDS, _RISING, _RISE = 100, 4, 10.0  # a stroke is heard where this many of the bands rise by so many decibels


def record(label: str, played: Strokes, seconds: float, rate: int, rng: np.random.Generator) -> Wave:
    """(S,) float32 within -1 to 1, S = round(seconds * rate); notes begin exactly at the strokes."""
    count = round(seconds * rate)
    notes = _room_and_equaliser(_notes(label, played, count, rate, rng), rate, rng)
    notes /= np.float32(max(level(notes), 1e-6))
    others = surroundings(count, rate, rng)
    told = played.onsets[(played.onsets >= 0) & (played.onsets < seconds - AUDIBLE)]
    below = _below(notes, others, told, rate, rng.uniform(0, 10))
    others *= np.float32(10 ** (-below / 20))
    mixed = notes + others
    # How loud, how uneven and how peaked it is says nothing about the class: each is drawn.
    limited = _limiter(mixed, crest=rng.uniform(10.5, 13.0))
    even = _automatic_gain(limited, rate, peak=rng.uniform(3.0, 6.0))
    # Notes are loudest while the object moves most: how near to what is heard the recorder is held hides some of that,
    # so that loudness hardly tells which frame stood between two others.
    even *= between(10 ** (rng.normal(0, _SWAY, max(2, round(seconds / _SWAYS) + 1)) / 20), count)
    loud = 10 ** (rng.uniform(-34, -20) / 20)
    even *= np.float32(loud / level(even))
    return even


def _notes(label: str, played: Strokes, count: int, rate: int, rng: np.random.Generator) -> Wave:
    """(S,) the notes alone. Pitches come from one range whatever the class: height alone would tell it."""
    note = VOICES[label](rate, rng)
    base = 2 ** rng.uniform(np.log2(165), np.log2(440))
    held = rng.uniform(0.35, 0.9)  # share of the gap to the next stroke for which a held note lasts
    step = 0
    # The next stroke after the last may come after the clip: a note that ended with the clip would tell where that is.
    ends = np.append(played.onsets[1:], played.onsets[-1] + rng.uniform(0.14, 1.0))
    track = np.zeros(count, np.float32)
    for onset, end, strength in zip(played.onsets, ends, played.strengths, strict=True):
        start = round(onset * rate)
        room = (count - start) / rate  # to the clip's end, from before its start where the stroke was
        lasts = min(max(0.06, held * (end - onset)), 0.6, room) if label in HELD else min(1.2, room)
        # Never the same pitch twice running, which would hide a note in what rings on of the last.
        step = (step + int(rng.integers(1, len(_PENTATONIC)))) % len(_PENTATONIC)
        wave = note(float(base * 2 ** (_PENTATONIC[step] / 12)), lasts, rng)[: count - start]
        heard = wave[max(0, -start) :]
        start = max(0, start)
        track[start : start + len(heard)] += np.float32(strength) * heard
    return track


def _room_and_equaliser(dry: Wave, rate: int, rng: np.random.Generator) -> Wave:
    """(S,) filtered in one multiplication of spectra. The direct sound comes first, so onsets stay where they are."""
    tail = round(rng.uniform(0.05, _LONGEST_TAIL) * rate)
    echo = rng.standard_normal(tail, np.float32)
    echo *= np.exp(np.arange(tail, dtype=np.float32) * np.float32(-6.9 / (tail - 1)))  # to -60 dB
    response = np.concatenate([np.ones(1, np.float32), echo * np.float32(rng.uniform(0.1, 0.6) / np.linalg.norm(echo))])
    # Of one size for all clips of a length.
    size = scipy.fft.next_fast_len(len(dry) + round(_LONGEST_TAIL * rate), real=True)
    # A gain an octave, with straight lines between; no delay, since the phase is left alone.
    firsts, shares = _octaves(size, rate)
    nepers = (rng.normal(0, 4, len(firsts)) * (np.log(10) / 20)).astype(np.float32)
    gain = shares * np.repeat(np.diff(nepers), np.diff(firsts))
    gain += np.repeat(nepers[:-1], np.diff(firsts))
    spectrum = scipy.fft.rfft(dry, size)
    spectrum *= scipy.fft.rfft(response, size)
    spectrum *= np.exp(gain, out=gain)
    return np.asarray(scipy.fft.irfft(spectrum, size, overwrite_x=True)[: len(dry)])


@cache
def _octaves(size: int, rate: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Of a spectrum's frequencies, the first of each octave from 40 Hz on, what is below being of the first, and at the
    end their number; how far each lies in its octave, 0 to 1."""
    frequencies = np.arange(size // 2 + 1) * (rate / size)
    place = np.log2(np.maximum(frequencies, 40) / 40)
    octaves = int(np.ceil(np.log2(rate / 80)))
    octave = np.minimum(place.astype(int), octaves - 1)
    return np.searchsorted(octave, np.arange(octaves + 1)), (place - octave).astype(np.float32)


def _below(notes: Wave, others: Wave, onsets: NDArray[np.float64], rate: int, least: float) -> float:
    """Decibels over the whole clip, from least to 10, by which the other sounds have to stay below the notes for every
    stroke to be heard: bands that rise by `_RISE` from the 40 ms before it to those after."""
    width = round(0.04 * rate)
    starts = np.round(onsets * rate).astype(int)[:, None] + [0, width]  # in the padded waves: before, after
    padded = np.zeros((2, len(notes) + 2 * width), np.float32)
    padded[0, width:-width], padded[1, width:-width] = notes, others
    pieces = padded[:, starts[:, :, None] + np.arange(width)] * np.hanning(width).astype(np.float32)
    power = np.abs(scipy.fft.rfft(pieces)[..., : _BANDS * 3]) ** 2
    power = power.reshape(*power.shape[:-1], -1, 3).sum(axis=-1)  # (2, N, before and after, bands of 75 Hz)
    for decibels in np.arange(least, 10, 1.0):
        before, after = np.moveaxis(power[0] + power[1] * 10 ** (-decibels / 10), 1, 0)
        risen = np.sort(after / (before + 1e-6 * power.max()), axis=1)[:, -_RISING:]
        if (risen.min(axis=1) > 10 ** (_RISE / 10)).all():
            return float(decibels)
    return max(least, 10.0)


def _automatic_gain(wave: Wave, rate: int, peak: float) -> Wave:
    """(S,) with a gain that follows the power of the last and next 40 ms, as a power of it, so that the loudest such
    stretch stands `peak` decibels above the mean. Without it a drum would be told from a horn by its loudest moment."""
    hop = rate // 100
    steps = len(wave) // hop
    power = np.pad(np.mean(wave[: steps * hop].reshape(steps, hop) ** 2, axis=1), 4, mode="reflect")
    around = 10 * np.log10(np.convolve(power, np.full(8, 1 / 8), mode="valid") + 1e-9)  # (steps + 1,) decibels
    # Frames fall anywhere: the loudest of every eighth stretch, averaged over the eight ways to begin.
    loudest = around[: steps // 8 * 8].reshape(-1, 8).max(axis=0).mean()
    low, high = 0.0, 2.0
    for _ in range(20):
        middle = (low + high) / 2
        stands = middle * loudest - 10 * np.log10(np.mean(10 ** (middle * around / 10)))
        low, high = (middle, high) if stands < peak else (low, middle)
    return wave * between(10 ** ((low - 1) * (around - around.mean()) / 20), len(wave))


def _limiter(wave: Wave, crest: float) -> Wave:
    """(S,) with peaks bent down smoothly to `crest` decibels above the level, or left where they are lower."""
    power = wave * wave
    highest, some = float(power.max()), power[::13].copy()
    low, high = 0.0, 20 / level(wave)
    for _ in range(16):
        middle = (low + high) / 2
        peak = highest / (1 + middle**2 * highest)
        mean = float(np.mean(some / (1 + middle**2 * some)))
        low, high = (middle, high) if peak > mean * 10 ** (crest / 10) else (low, middle)
    power *= np.float32(low**2)
    power += 1
    return np.divide(wave, np.sqrt(power, out=power), out=power)
