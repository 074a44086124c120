"""When things happen in a clip and how they move: bursts of strokes, the gesture that goes with each, the camera.

A matrix is a 2x3 affine map of pixels, as cv2.warpAffine takes it, from an object's or the world's centre to the frame.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Strokes:
    """onsets: (N,) seconds from the clip's start, ascending, some of them before it; strengths: (N,) in 0.6 to 1."""

    onsets: Floats
    strengths: Floats


LEAD = 0.6  # seconds before a clip from which on strokes are still heard and seen in it
AUDIBLE = 0.06  # seconds before a clip's end up to which a stroke is heard for long enough to be told
_LAST = 0.02  # seconds before its end after which none begins: nothing of it would be heard


def strokes(seconds: float, rng: np.random.Generator) -> Strokes:
    """Bursts of two to six strokes with stillness between them, from LEAD seconds before the clip, at negative times,
    to its end; at least one is in the clip.

    The clip is cut out of a course that looks alike at all times. If it began in silence and ended in what rings on,
    loudness and movement would tell the direction of time."""
    while True:
        time = -LEAD - rng.uniform(0, 2.0)
        onsets: list[float] = []
        while time < seconds:
            gap, count = rng.uniform(0.14, 0.32), int(rng.integers(2, 7))
            onsets += list(time + gap * np.arange(count) + rng.normal(0, 0.01, count))
            time += gap * (count - 1) + rng.uniform(0.4, 1.1)
        times = np.sort(np.array(onsets))
        times = times[(times > -LEAD) & (times < seconds - _LAST)]
        if ((times > 0) & (times < seconds - AUDIBLE)).any():
            return Strokes(times, rng.uniform(0.6, 1.0, len(times)))


@dataclass(frozen=True)
class Gesture:
    """How an instance answers a stroke: a damped swing that sets off at the stroke at its greatest speed.

    move: (2,) of the frame's side; turn: radians; stretch: relative; all at full strength.
    """

    move: Floats
    turn: float
    stretch: float
    frequency: float  # hertz
    decay: float  # seconds

    def displacement(self, times: Floats, played: Strokes) -> Floats:
        """(T,) the swing at times, about -1 to 1; exactly 0 before the first stroke."""
        since = times[:, None] - played.onsets[None, :]
        # Each stroke starts the swing anew and stops what was left of the one before.
        ended = np.concatenate([played.onsets[1:], [np.inf]])[None, :] <= times[:, None]
        swing = np.exp(-since / self.decay) * np.sin(2 * np.pi * self.frequency * since)
        return np.asarray(np.where((since > 0) & ~ended, played.strengths * swing, 0).sum(axis=1))


def gesture(rng: np.random.Generator) -> Gesture:
    """Hop, shake, sway or swell, mostly one of them, drawn without looking at the class."""
    mix = rng.dirichlet([0.5, 0.5, 0.5, 0.5]) ** 0.5
    signs = rng.choice([-1.0, 1.0], 4)
    return Gesture(
        move=np.array([signs[0] * mix[0] * rng.uniform(0.05, 0.09), signs[3] * mix[1] * rng.uniform(0.05, 0.09)]),
        turn=float(signs[1] * mix[2] * np.deg2rad(rng.uniform(12, 20))),
        stretch=float(signs[2] * mix[3] * rng.uniform(0.12, 0.20)),
        frequency=rng.uniform(2.2, 3.6),
        decay=rng.uniform(0.12, 0.22),
    )


def camera(times: Floats, side: int, rng: np.random.Generator) -> Floats:
    """(T, 2, 3) world to frame: slow oscillations of position, angle and zoom, alike forwards and backwards in time,
    and a hand's tremor. The tremor is of each frame for itself and larger than the oscillation: otherwise the camera
    would be on its way from one frame to another in the frames between, and order could be read from the background."""
    amplitudes = rng.uniform(0.2, 1.0, 4) * [0.010, 0.010, np.deg2rad(0.8), 0.008]
    if rng.random() < 0.1:
        amplitudes *= 0  # on a tripod
    angles = 2 * np.pi * (times[:, None] / rng.uniform(2.5, 6.0, 4) + rng.random(4))
    tremor = rng.uniform(1.0, 1.6) * rng.normal(0, 1, (len(times), 4))
    right, down, turn, zoom = (amplitudes * (np.sin(angles) + tremor)).T
    centre = np.full((len(times), 2), (side - 1) / 2)
    return similarity(centre + side * np.stack([right, down], axis=1), turn, np.exp(zoom))


def similarity(centres: Floats, turns: Floats, scales: Floats) -> Floats:
    """(T, 2, 3): about the origin turn (radians, clockwise on the screen) and scale, then move it to centres (T, 2)."""
    cosine, sine = scales * np.cos(turns), scales * np.sin(turns)
    matrices = np.empty((len(centres), 2, 3))
    matrices[:, 0, 0], matrices[:, 0, 1] = cosine, -sine
    matrices[:, 1, 0], matrices[:, 1, 1] = sine, cosine
    matrices[:, :, 2] = centres
    return matrices


def compose(outer: Floats, inner: Floats) -> Floats:
    """(..., T, 2, 3): inner first, then outer, which may be one (T, 2, 3) for all."""
    both = outer[..., :2] @ inner
    both[..., 2] += outer[..., 2]
    return np.asarray(both)
