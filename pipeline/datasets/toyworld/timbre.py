"""The voice of each class: how one note sounds, with what varies from instance to instance drawn once."""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.datasets.toyworld.tones import (
    Wave,
    burst,
    cycle,
    envelope,
    fading,
    formants,
    harmonics,
    in_table,
    skin,
)

Note = Callable[[float, float, np.random.Generator], Wave]  # hertz, seconds, the note's own stream
Voice = Callable[[int, np.random.Generator], Note]  # sample rate, the instance's stream


def _plucked(
    rate: int,
    rng: np.random.Generator,
    *,
    tilt: float,
    comb: tuple[float, float],
    half_life: float,
    knock: float,
    most: int = 40,
) -> Note:
    """A string let go: upper harmonics fade first; comb: the range of the plucking point, whose harmonics are weak;
    most: harmonics at most."""
    tilt, point = tilt + rng.normal(0, 0.25), rng.uniform(*comb)
    half_life, knock = half_life * 2 ** rng.uniform(-1, 0.7), knock * rng.uniform(0.5, 1.5)
    dulling = rng.uniform(0.4, 0.8)

    def note(hertz: float, seconds: float, stream: np.random.Generator) -> Wave:
        order = harmonics(hertz, rate, most)
        strength = np.abs(np.sin(np.pi * order * point)) * order**-tilt
        strength *= np.sqrt(2) / max(float(np.linalg.norm(strength)), 1e-6)
        count = round(seconds * rate)
        wave = fading(hertz * order, strength, half_life / order**dulling, count, rate, stream)
        noise = burst(count, rate, 0.006, 0, stream)
        wave[: len(noise)] += np.float32(knock) * noise
        return wave * envelope(seconds, rate, 0.002, 0.03)

    return note


def _held(
    rate: int,
    rng: np.random.Generator,
    *,
    tilt: float,
    even: float,
    peaks: Sequence[tuple[float, float]],
    attack: float,
    vibrato: float,
    breath: float,
    grip: float,
    reeds: int = 1,
) -> Note:
    """A tone kept up by bow, lips, reed or bellows: brightens as it sets in. even: strength of even harmonics;
    vibrato: depth in octaves; breath: share of noise; grip: of the noise with which bow, tongue or valve takes hold;
    reeds: slightly detuned copies, which beat."""
    tilt, vibrato = tilt + rng.normal(0, 0.25), vibrato * rng.uniform(0.2, 1.4)
    rate_vibrato, breath = rng.uniform(4.4, 7.2), breath * 2 ** rng.uniform(-1.5, 1)
    attack, grip = attack * 2 ** rng.uniform(-0.7, 0.7), grip * rng.uniform(0.5, 1.5)
    body = [(hertz * 2 ** rng.normal(0, 0.15), width) for hertz, width in peaks]
    detunes = np.linspace(-1, 1, reeds) * rng.uniform(0.002, 0.007) if reeds > 1 else np.zeros(1)

    def note(hertz: float, seconds: float, stream: np.random.Generator) -> Wave:
        order = harmonics(hertz, rate)
        strength = order**-tilt * np.where(order % 2 == 0, even, 1) * formants(order * hertz, body)
        bright, dull = cycle(strength, stream), cycle(strength * order**-1.2, stream)
        count = max(1, round(seconds * rate))
        time = np.arange(count, dtype=np.float32) / np.float32(rate)
        wobble = np.sin(float(2 * np.pi * rate_vibrato) * time + stream.uniform(0, 6))
        wobble *= np.minimum(time * np.float32(vibrato * np.log(2) / 0.2), np.float32(vibrato * np.log(2)))
        turns = np.cumsum(np.exp(wobble), dtype=np.float64)
        wave = np.zeros(count, np.float32)
        set_in = max(1, round(3 * attack * rate))
        mix = 1 - np.arange(min(count, set_in), dtype=np.float32) / np.float32(set_in)
        for detune in detunes:
            place = in_table(turns * (hertz * 2**detune / rate) + stream.random())
            # The same phase in both tables would be needed for a true crossfade; the ear and the log-spectrogram
            # do not mind.
            clear = bright.take(place)
            clear[: len(mix)] += mix * (dull.take(place[: len(mix)]) - clear[: len(mix)])
            wave += clear
        wave /= np.float32(np.sqrt(len(detunes)))
        breathed = stream.standard_normal(count, np.float32)
        breathed *= np.float32(breath)
        wave += breathed
        wave *= envelope(seconds, rate, attack, min(0.05, 0.4 * seconds))
        taken = burst(count, rate, 0.012, 0, stream)
        wave[: len(taken)] += np.float32(grip) * taken
        return wave

    return note


def _guitar(rate: int, rng: np.random.Generator) -> Note:
    return _plucked(rate, rng, tilt=0.9, comb=(0.11, 0.2), half_life=0.22, knock=0.35)


def _harp(rate: int, rng: np.random.Generator) -> Note:
    string = _plucked(rate, rng, tilt=1.3, comb=(0.38, 0.5), half_life=0.24, knock=0.25, most=16)
    gap = rng.uniform(0.018, 0.03)

    def note(hertz: float, seconds: float, stream: np.random.Generator) -> Wave:
        """A rolled chord."""
        wave = np.zeros(round(seconds * rate), np.float32)
        for index, ratio in enumerate((1.0, 1.5, 2.0)):
            start = round(index * gap * rate)
            if start < len(wave) - 1:
                voice = string(hertz * ratio, (len(wave) - start) / rate, stream)[: len(wave) - start]
                wave[start : start + len(voice)] += 0.7 * voice
        return wave

    return note


def _violin(rate: int, rng: np.random.Generator) -> Note:
    peaks = [(480, 0.25), (950, 0.2), (2600, 0.5)]
    return _held(rate, rng, tilt=0.9, even=0.9, peaks=peaks, attack=0.025, vibrato=0.022, breath=0.06, grip=0.2)


def _trumpet(rate: int, rng: np.random.Generator) -> Note:
    peaks = [(1200, 0.5), (2400, 0.5)]
    return _held(rate, rng, tilt=0.25, even=1.0, peaks=peaks, attack=0.025, vibrato=0.004, breath=0.02, grip=0.2)


def _horn(rate: int, rng: np.random.Generator) -> Note:
    return _held(
        rate, rng, tilt=1.4, even=1.0, peaks=[(420, 0.8)], attack=0.028, vibrato=0.003, breath=0.015, grip=0.15
    )


def _saxophone(rate: int, rng: np.random.Generator) -> Note:
    peaks = [(700, 0.4), (1500, 0.3)]
    return _held(rate, rng, tilt=0.7, even=0.35, peaks=peaks, attack=0.03, vibrato=0.014, breath=0.16, grip=0.45)


def _accordion(rate: int, rng: np.random.Generator) -> Note:
    peaks = [(1000, 1.2), (3000, 0.8)]
    reed = _held(rate, rng, tilt=0.6, even=0.7, peaks=peaks, attack=0.018, vibrato=0, breath=0.03, grip=0.15, reeds=3)
    third = 2 ** (rng.choice([3, 4, 7]) / 12)

    def note(hertz: float, seconds: float, stream: np.random.Generator) -> Wave:
        return 0.7 * (reed(hertz, seconds, stream) + reed(hertz * third, seconds, stream))

    return note


def _piano(rate: int, rng: np.random.Generator) -> Note:
    stiffness, tilt = rng.uniform(2e-4, 8e-4), rng.uniform(1.1, 1.5)
    life, hammer = 0.25 * 2 ** rng.uniform(-1.2, 0.6), rng.uniform(0.15, 0.4)
    order = np.arange(1, 13)
    ratios = order * np.sqrt(1 + stiffness * order**2)
    # Each key strikes two strings that are never quite in tune.
    both, strengths, lives = np.append(ratios, ratios * 1.0012), np.tile(order**-tilt, 2), np.tile(life / order**0.6, 2)

    def note(hertz: float, seconds: float, stream: np.random.Generator) -> Wave:
        count = round(seconds * rate)
        wave = fading(hertz * both, strengths, lives, count, rate, stream)
        knock = burst(count, rate, 0.008, 1e-4, stream)
        wave[: len(knock)] += np.float32(hammer) * knock
        return wave * envelope(seconds, rate, 0.003, 0.03)

    return note


def _drum(rate: int, rng: np.random.Generator) -> Note:
    ratios = np.array([1, 1.59, 2.14, 2.30, 2.65, 2.92]) * rng.normal(1, 0.03, 6)  # an ideal membrane's
    strengths = 0.9 ** np.arange(6) * rng.uniform(0.4, 1, 6)
    ring = skin(ratios, strengths, 0.06 * 2 ** rng.uniform(-1, 1), rng.uniform(0.3, 1.2), rate)
    snare, softness, rattle = rng.uniform(0.3, 1.2), rng.uniform(0, 1.5e-4), 0.05 * 2 ** rng.uniform(-1, 1)

    def note(hertz: float, seconds: float, stream: np.random.Generator) -> Wave:
        count = round(seconds * rate)
        wave = ring(hertz / 2, count, stream)  # a skin is tuned an octave below the strings
        noise = burst(count, rate, rattle, softness, stream)
        wave[: len(noise)] += np.float32(snare) * noise
        return wave * envelope(seconds, rate, 0.001, 0.02)

    return note


def _bell(rate: int, rng: np.random.Generator) -> Note:
    ratios = np.array([0.5, 1, 1.19, 1.5, 2, 2.66, 3.01, 4.1, 5.4]) * rng.normal(1, 0.012, 9)  # hum, prime, tierce, ...
    lives = 0.4 * 2 ** rng.uniform(-1.5, 0.6) / np.sqrt(np.arange(1, 10, dtype=np.float64))
    strengths, height = rng.uniform(0.4, 1, 9) * 0.93 ** np.arange(9.0), rng.uniform(1.5, 2.5)

    def note(hertz: float, seconds: float, stream: np.random.Generator) -> Wave:
        count = round(seconds * rate)
        wave = fading(hertz * height * ratios, strengths, lives, count, rate, stream)
        return wave * envelope(seconds, rate, 0.001, 0.03)

    return note


VOICES: dict[str, Voice] = {
    "guitar": _guitar,
    "violin": _violin,
    "harp": _harp,
    "trumpet": _trumpet,
    "horn": _horn,
    "saxophone": _saxophone,
    "drum": _drum,
    "bell": _bell,
    "piano": _piano,
    "accordion": _accordion,
}

# These sound as long as they are played; the others are struck and ring out.
HELD = frozenset({"violin", "trumpet", "horn", "saxophone", "accordion"})
