"""The sound of a clip: a note at each stroke, in a room, through an equaliser, over noise, at a level of its own."""

import numpy as np

from pipeline.datasets.toyworld.motion import Strokes
from pipeline.datasets.toyworld.timbre import HELD, VOICES
from pipeline.datasets.toyworld.tones import Wave

_PENTATONIC = (0, 2, 4, 7, 9, 12)  # semitones: any two sound well together


def record(label: str, played: Strokes, seconds: float, rate: int, rng: np.random.Generator) -> Wave:
    """(S,) float32 within -1 to 1, S = round(seconds * rate); notes begin exactly at the strokes."""
    count = round(seconds * rate)
    dry = _notes(label, played, count, rate, rng)
    wet = _room_and_equaliser(dry, rate, rng)
    signal = wet / max(float(np.sqrt(np.mean(wet**2))), 1e-6)
    noise = _noise(count, rate, rng)
    signal_to_noise = rng.uniform(0, 18)  # decibels
    mixed = signal + noise * np.float32(10 ** (-signal_to_noise / 20))
    # The level says nothing about the class: low enough that even a drum's peaks rarely have to be held below 0.95.
    level = 10 ** (rng.uniform(-32, -20) / 20)
    gain = min(level / float(np.sqrt(np.mean(mixed**2))), 0.95 / float(np.abs(mixed).max()))
    return np.asarray(mixed * np.float32(gain), np.float32)


def _notes(label: str, played: Strokes, count: int, rate: int, rng: np.random.Generator) -> Wave:
    """(S,) the notes alone. Pitches come from one range whatever the class: height alone would tell it."""
    note = VOICES[label](rate, rng)
    base = 2 ** rng.uniform(np.log2(165), np.log2(440))
    held = rng.uniform(0.55, 0.98)  # share of the gap to the next stroke for which a held note lasts
    ends = np.append(played.onsets[1:], count / rate)
    track = np.zeros(count, np.float32)
    for onset, end, strength in zip(played.onsets, ends, played.strengths, strict=True):
        start = round(onset * rate)
        room = (count - start) / rate
        lasts = min(max(0.06, held * (end - onset)), 0.6, room) if label in HELD else min(1.2, room)
        hertz = base * 2 ** (_PENTATONIC[rng.integers(len(_PENTATONIC))] / 12)
        wave = note(float(hertz), lasts, rng)[: count - start]
        track[start : start + len(wave)] += np.float32(strength) * wave
    return track


def _room_and_equaliser(dry: Wave, rate: int, rng: np.random.Generator) -> Wave:
    """(S,) filtered in one multiplication of spectra. The direct sound comes first, so onsets stay where they are."""
    tail = round(rng.uniform(0.05, 0.35) * rate)
    echo = rng.standard_normal(tail, np.float32) * np.exp(np.linspace(0, -6.9, tail, dtype=np.float32))  # to -60 dB
    response = np.concatenate([[np.float32(1)], echo * np.float32(rng.uniform(0.1, 0.8) / np.linalg.norm(echo))])
    size = 1 << (len(dry) + len(response) - 1).bit_length()
    frequencies = np.linspace(0, rate / 2, size // 2 + 1, dtype=np.float32)
    # A gain an octave, with straight lines between; no delay, since the phase is left alone.
    knots = np.arange(np.log2(40), np.log2(rate / 2) + 1)
    decibels = np.interp(np.log2(np.maximum(frequencies, 40)), knots, rng.normal(0, 6, len(knots)))
    gain = np.exp2(decibels.astype(np.float32) * np.float32(np.log2(10) / 20))
    spectrum = np.fft.rfft(dry, size) * np.fft.rfft(response, size) * gain
    return np.asarray(np.fft.irfft(spectrum, size)[: len(dry)], np.float32)


def _noise(count: int, rate: int, rng: np.random.Generator) -> Wave:
    """(S,) of unit power, from hiss to rumble: drawn as a spectrum that falls from a corner on."""
    size = 1 << (count - 1).bit_length()
    parts = rng.standard_normal((2, size // 2 + 1), np.float32)
    corner, slope = 2 ** rng.uniform(np.log2(100), np.log2(4000)), rng.uniform(0, 1.2)
    fall = (1 + (np.linspace(0, rate / 2, size // 2 + 1, dtype=np.float32) / corner) ** 2) ** (-slope / 2)
    noise = np.fft.irfft((parts[0] + 1j * parts[1]) * fall, size)[:count]
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), np.float32)
