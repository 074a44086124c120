"""Shuffle & Learn's tuples: five frames a < b < c < d < e of one clip, of which (b, c, d) are in order and (b, a, d)
and (b, e, d) are not.

Misra, Zitnick and Hebert, ECCV 2016, section 3.1. b and d are at most tau_max apart; a lies at least tau_min before b,
e at least tau_min after d; c looks different from a and from e, by the sum of squared differences of their RGB values
(SSD), since a frame in the middle that looks like a would make a negative of a positive [S]. Frames come from windows
of high motion [S]: the mean magnitude of the flow is a frame's weight [M]. The best bounds were tau_max 60 and tau_min
15 frames [M] of UCF101's clips, which have 25 frames a second and last 7.2 s on average [M]: a third and a twelfth of a
clip. Here they are shares of the clip. ([S]: read in the paper or its code; [M]: from memory.)

What the paper leaves open is chosen so: a window's weight is the mean motion from b to d, windows below a threshold are
left out, no window is taken twice; within a window c, a and e are drawn evenly from what the constraints allow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from pipeline.parameters.models import Mining

TOLERANCE = 1e-6  # seconds; absorbs the rounding of presentation times
VALUES_AT_ONCE = 4_000_000  # of pictures that are compared, as float32

TOO_SHORT = "too short for five frames that far apart"
TOO_STILL = "no window with enough motion"
TOO_ALIKE = "no frame before and after its windows that looks different"


@dataclass(frozen=True)
class FiveTuple:
    """frames: numbers of a, b, c, d, e in the clip. motion: mean of the motion stream from b to d, px of the store a
    frame; threshold: what it had to reach. ssd_ca, ssd_ce: see `ssd`."""

    frames: tuple[int, int, int, int, int]
    motion: float
    threshold: float
    ssd_ca: float
    ssd_ce: float


def ssd(frames: np.ndarray) -> np.ndarray:
    """(T, H, W, 3) uint8 -> (T, T) float64: squared differences of RGB values between 0 and 1, summed over the colours
    and averaged over the picture (the paper's sum would depend on its size), between 0 and 3."""
    count = len(frames)
    flat = frames.reshape(count, -1)
    gram = np.zeros((count, count))
    for start in range(0, flat.shape[1], step := max(1, VALUES_AT_ONCE // count)):
        block = flat[:, start : start + step].astype(np.float32)
        # Differences do not see what all frames have in common, and without it less is lost to rounding.
        block -= block[0]
        gram += block @ block.T
    own = np.diag(gram)
    return np.maximum(own[:, None] + own[None, :] - 2 * gram, 0) / (255**2 * flat.shape[1] / 3)


def five_tuples(
    times: np.ndarray,
    motion: np.ndarray,
    side: int,
    distances: Callable[[], np.ndarray],
    rules: Mining,
    strategy: str,
    generator: np.random.Generator,
) -> tuple[list[FiveTuple], str | None]:
    """At most `rules.per_clip` tuples of one clip, and the reason where there is none.

    times: (T,) ascending seconds. motion: (T,), that of each frame since the one before. side: of the store's pictures,
    px. distances: makes `ssd` of the clip's frames; called only if a window qualifies. strategy: `motion` as the paper
    has it, or `uniform`, in which every window counts the same and none is too still.
    """
    count = len(times)
    if count < 5:
        return [], TOO_SHORT
    interval = float(times[-1] - times[0]) / (count - 1)
    longest, apart = rules.tau_max * count * interval, rules.tau_min * count * interval
    # Frames 0 to before[b] - 1 may be a, frames after[d] and later may be e.
    numbers = np.arange(count)
    before = np.minimum(np.searchsorted(times, times - apart + TOLERANCE, side="right"), numbers)
    after = np.maximum(np.searchsorted(times, times + apart - TOLERANCE, side="left"), numbers + 1)
    b, d = np.triu_indices(count, 2)
    fits = (times[d] - times[b] <= longest + TOLERANCE) & (before[b] > 0) & (after[d] < count)
    b, d = b[fits], d[fits]
    if not len(b):
        return [], TOO_SHORT
    total = np.cumsum(motion, dtype=np.float64)
    moved = (total[d] - total[b]) / (d - b)
    # From shares of the picture a second to the stream's unit: the same in any store and at any frame rate.
    threshold = rules.motion * side * interval if strategy == "motion" else 0.0
    if strategy == "motion":
        moving = moved >= max(threshold, np.finfo(np.float64).tiny)
        b, d, moved = b[moving], d[moving], moved[moving]
        if not len(b):
            return [], TOO_STILL
    weights = moved if strategy == "motion" else np.ones(len(b))
    between = distances()
    differs = between >= rules.ssd
    # (c, b): whether a frame that may be a differs from c; (c, d): whether one that may be e does.
    seen = np.pad(np.cumsum(differs, axis=1), ((0, 0), (1, 0)))
    has_earlier = seen[:, before] > 0
    has_later = seen[:, -1:] > seen[:, np.minimum(after, count)]
    found: list[FiveTuple] = []
    # By weight, without replacement: Efraimidis and Spirakis, Information Processing Letters 97, 2006.
    for window in np.argsort(generator.exponential(size=len(b)) / weights):
        first, last = int(b[window]), int(d[window])
        middles = np.flatnonzero(has_earlier[first + 1 : last, first] & has_later[first + 1 : last, last])
        if not len(middles):
            continue
        c = first + 1 + _one_of(middles, generator)
        a = _one_of(np.flatnonzero(differs[c, : before[first]]), generator)
        e = int(after[last]) + _one_of(np.flatnonzero(differs[c, after[last] :]), generator)
        found.append(FiveTuple((a, first, c, last, e), float(moved[window]), threshold, between[c, a], between[c, e]))
        if len(found) == rules.per_clip:
            break
    return found, None if found else TOO_ALIKE


def _one_of(options: np.ndarray, generator: np.random.Generator) -> int:
    return int(options[generator.integers(len(options))])


def generator_of(seed: int, clip: str, strategy: str) -> np.random.Generator:
    """Of one clip's draws: another clip, or another strategy, changes nothing in them."""
    return np.random.default_rng([seed, crc32(clip.encode()), crc32(strategy.encode())])
