"""The cheap cues of one clip, as numbers: what a classifier could go by without recognising anything.

Measured on what the store holds, since that is what networks see.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import uniform_filter

CELLS = 8  # of the thumbnail of the background, across and down
LEVELS = 4  # of each colour in a histogram
MARGIN = 2  # px around a silhouette that do not count as background: the codec smears edges into it
PHASES = 24  # frames from the first whose quality is looked at: two short groups of pictures
QUIETEST = 1e-10  # power of silence, so that its logarithm is a number

CUES = {
    "mean colour": "of the frame",
    "colour histogram": f"{LEVELS} x {LEVELS} x {LEVELS} cells of RGB",
    "position of the main object": "centre of its box",
    "position of motion": "centre of the flow that differs from the frame's median flow",
    "loudness": "level of the whole clip and of its loudest frame; of each frame, in order and direction",
    "clip length": "frames, seconds of pictures, seconds of sound",
    "background": f"objects and actor cut out; {CELLS} x {CELLS} grey thumbnail and colour histogram of what is left",
    "brightness drift": "rise of the mean brightness from first to last frame, and its slope; of each frame, in order "
    "and direction",
    "keyframe phase": "sharpness and difference to the frame before, each against its neighbours in time, by the "
    "number of the frame; sharpness of each frame, in order; both series, in direction",
}


@dataclass(frozen=True)
class Clip:
    """frames: (T, S, S, 3) uint8. flow: (T, s, s, 2) px of its own grid. spectrogram: (N, 257), log magnitude, `rate`
    a second. times: (T,) seconds from the clip's start. visible: (T, S, S) bool, the background. centre: (T, 2), of the
    main object, shares of the frame from its top left corner; nan where it is not seen."""

    frames: np.ndarray
    flow: np.ndarray
    spectrogram: np.ndarray
    rate: float
    times: np.ndarray
    visible: np.ndarray
    centre: np.ndarray


@dataclass(frozen=True)
class Values:
    """Of one cue. summary: (D,) of the clip. frames: (T, d) of each frame. arrow: (E,), what changes its sign, and
    nothing but its sign, where the clip is played backwards."""

    summary: np.ndarray
    frames: np.ndarray
    arrow: np.ndarray


def values_of(clip: Clip, points: int) -> dict[str, Values]:
    """Every cue of a clip of three frames or more. points: how many of them, evenly spread, tell a cue's course."""
    count = len(clip.frames)
    spread = evenly(count, points)
    grey = clip.frames @ np.array([0.299, 0.587, 0.114], np.float32) / 255
    brightness = grey.mean(axis=(1, 2))
    slope = np.polyfit(clip.times, brightness, 1)[0] if count > 1 else 0.0
    level = loudness(clip)
    everywhere = np.ones_like(clip.visible)
    length = np.array([count, clip.times[-1], len(clip.spectrogram) / clip.rate])
    sharpness, change = quality(grey)
    phases = np.zeros((PHASES, 2))
    inner = np.stack([against_neighbours(one) for one in (sharpness, change)], axis=1)[:PHASES]
    phases[: len(inner)] = inner
    courses = [one[evenly(len(one), PHASES)] for one in (sharpness, change[1:])]

    # What moves into the first frame is not known: in time direction it stands for nothing, in order as the second.
    moved = motion_centre(clip.flow)
    moved[0] = moved[1]

    def over_time(frames: np.ndarray, summary: np.ndarray | None = None) -> Values:
        return Values(frames.mean(axis=0) if summary is None else summary, frames, arrow(frames[spread]))

    whole = np.concatenate([grey_cells(grey, clip.visible), histogram(clip.frames, clip.visible)], axis=1)
    every = {
        "mean colour": over_time(clip.frames.mean(axis=(1, 2)) / 255),
        "colour histogram": over_time(histogram(clip.frames, everywhere)),
        "position of the main object": over_time(filled(clip.centre)),
        "position of motion": Values(moved.mean(axis=0), moved, arrow(moved[1:][evenly(count - 1, points)])),
        "loudness": over_time(level, np.array([10 * np.log10(np.mean(10 ** (level / 10))), level.max()])),
        "clip length": over_time(np.tile(length, (count, 1))),
        "background": over_time(whole),
        "brightness drift": over_time(brightness[:, None], np.array([brightness[-1] - brightness[0], slope])),
        "keyframe phase": Values(phases.ravel(), sharpness[:, None], np.concatenate([arrow(one) for one in courses])),
    }
    assert every.keys() == CUES.keys()
    return every


def evenly(count: int, points: int) -> np.ndarray:
    """(points,) numbers of `count` elements, from the first to the last; the same from either end."""
    first_half = np.linspace(0, count - 1, points)[: (points + 1) // 2].round().astype(int)
    return np.concatenate([first_half, count - 1 - first_half[: points // 2][::-1]])


def arrow(series: np.ndarray) -> np.ndarray:
    """(P, ...) -> the first half less its mirror image in time, in one row."""
    return (series - series[::-1])[: len(series) // 2].ravel()


def histogram(frames: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """frames: (T, S, S, 3) uint8. counted: (T, S, S) bool -> (T, LEVELS ** 3) shares of the pixels that count."""
    bins = (frames // (256 // LEVELS)).astype(np.int64) @ np.array([LEVELS**2, LEVELS, 1])
    cells = LEVELS**3
    flat = (bins + cells * np.arange(len(frames))[:, None, None])[counted]
    counts = np.bincount(flat, minlength=cells * len(frames)).reshape(len(frames), cells)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def grey_cells(grey: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """grey, counted: (T, S, S) -> (T, CELLS ** 2), the mean of each cell's pixels that count. A cell without any takes
    its neighbours' mean: a constant there would show the silhouette that was cut out."""
    step = grey.shape[1] // CELLS
    cut = slice(0, step * CELLS)
    shape = (len(grey), CELLS, step, CELLS, step)
    weights = counted[:, cut, cut].reshape(shape).sum(axis=(2, 4))
    sums = (grey * counted)[:, cut, cut].reshape(shape).sum(axis=(2, 4))
    known = weights > 0
    cells = np.where(known, sums / np.maximum(weights, 1), 0.0)
    known = np.where(known.any(axis=(1, 2), keepdims=True), known, True)
    while not known.all():
        near = uniform_filter(cells * known, size=(1, 3, 3), mode="constant")
        share = uniform_filter(known.astype(np.float64), size=(1, 3, 3), mode="constant")
        reached = share > 1e-9
        cells = np.where(known, cells, np.where(reached, near / np.maximum(share, 1e-9), 0.0))
        known = known | reached
    return cells.reshape(len(grey), -1)


def motion_centre(flow: np.ndarray) -> np.ndarray:
    """(T, s, s, 2) px -> (T, 2), x and y as shares of the frame; .5 where nothing moves against the frame."""
    moving = flow - np.median(flow, axis=(1, 2), keepdims=True)
    strength = np.hypot(moving[..., 0], moving[..., 1])
    # An estimate of flow is never quite even: what is below a quarter of a pixel says nothing of where.
    strength[strength < 0.25] = 0
    total = strength.sum(axis=(1, 2))
    place = (np.arange(flow.shape[1]) + 0.5) / flow.shape[1]
    sums = np.stack([strength.sum(axis=1) @ place, strength.sum(axis=2) @ place], axis=1)
    return np.where(total[:, None] > 0, sums / np.maximum(total, 1e-9)[:, None], 0.5)


def loudness(clip: Clip) -> np.ndarray:
    """(T, 1) decibels of the sound while each frame is shown; silence where there is none."""
    power = np.exp(2 * clip.spectrogram).mean(axis=1)
    interval = clip.times[-1] / max(len(clip.times) - 1, 1)
    starts = np.round(clip.times * clip.rate).astype(int)
    ends = np.maximum(np.round((clip.times + interval) * clip.rate).astype(int), starts + 1)
    heard = [power[start:end].mean() if start < len(power) else 0.0 for start, end in zip(starts, ends, strict=True)]
    return 10 * np.log10(np.maximum(heard, QUIETEST))[:, None]


def quality(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, S, S) -> (T,) log of the variance of the Laplacian, and (T,) log of the mean difference to the frame before
    (the first frame's: that of the second): a codec renews both at a keyframe."""
    sharpness = np.log([cv2.Laplacian(one, cv2.CV_32F).var() + 1e-8 for one in grey.astype(np.float32)])
    change = np.log(np.abs(np.diff(grey, axis=0)).mean(axis=(1, 2)) + 1e-5)
    return sharpness, np.concatenate([change[:1], change]) if len(change) else np.zeros(1)


def against_neighbours(series: np.ndarray) -> np.ndarray:
    """(T,) -> (T - 2,), each inner one less the mean of its neighbours: what belongs to a single frame's number."""
    return series[1:-1] - (series[:-2] + series[2:]) / 2


def filled(places: np.ndarray) -> np.ndarray:
    """(T, 2) with nan -> the mean of the others in their place, .5 if there are none."""
    seen = ~np.isnan(places).any(axis=1)
    middle = places[seen].mean(axis=0) if seen.any() else np.full(2, 0.5)
    return np.where(seen[:, None], places, middle)
