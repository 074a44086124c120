"""What a linear classifier makes of each cheap cue, held against chance."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.parameters.models import ShortcutSettings
from pipeline.progress import progress
from pipeline.shortcuts.clips import Cues
from pipeline.shortcuts.values import CUES
from selfsup.probes.crossfit import Accuracy, Examples, crossfit
from selfsup.statistics.holm import power, upper_bounds

LEVEL = 0.95
ORDER, DIRECTION = "order", "time direction"
HEARD = ("loudness", "clip length")


@dataclass(frozen=True)
class Finding:
    """accuracy, error (standard), chance and upper (bound) as shares; penalties: those chosen, one a fold."""

    cue: str
    target: str
    accuracy: float
    error: float
    chance: float
    upper: float
    passes: bool
    clips: int
    penalties: list[float]


def examples_of(cues: Cues, cue: str, target: str, labels: Mapping[str, np.ndarray]) -> Examples:
    """labels: by target, (N,) int of the clips. Order and time direction show each tuple, or clip, both ways."""
    if target == ORDER:
        pairs = np.stack(cues.orders[cue])
        return _both_ways(pairs[:, 0], pairs[:, 1], np.array(cues.owners))
    if target == DIRECTION:
        arrows = np.stack(cues.arrows[cue])
        return _both_ways(arrows, -arrows, np.arange(len(arrows)))
    own = labels[target]
    return Examples(np.stack(cues.summaries[cue]), own, np.arange(len(own)), int(own.max()) + 1)


def _both_ways(right: np.ndarray, wrong: np.ndarray, clips: np.ndarray) -> Examples:
    return Examples(np.concatenate([wrong, right]), np.repeat([0, 1], len(right)), np.tile(clips, 2), 2)


def cheap(cues: Cues, labels: Mapping[str, np.ndarray], heard: str | None, settings: ShortcutSettings) -> list[Finding]:
    """Every cue for every label, for order and for time direction; loudness and length for the label `heard`.

    The bounds are corrected for there being as many. Raises ValueError for too few clips to fit to."""
    asked = [
        (cue, target) for cue in CUES for target in (*(name for name in labels if name != heard), ORDER, DIRECTION)
    ]
    asked += [(cue, heard) for cue in HEARD if heard is not None]
    found: list[tuple[Accuracy, list[float], int, int]] = []
    for cue, target in progress(asked, "classifiers", len(asked)):
        examples = examples_of(cues, cue, target, labels)
        accuracy, penalties = crossfit(examples, np.array(cues.folds), settings.penalties, settings.max_iterations)
        found.append((accuracy, penalties, examples.classes, len(np.unique(examples.clips))))
    bounds = upper_bounds(
        [one.value for one, *_ in found],
        [one.error for one, *_ in found],
        [1 / classes + settings.margin for *_, classes, _ in found],
        level=LEVEL,
    )
    return [
        Finding(cue, target, one.value, one.error, 1 / classes, bound.upper, bound.passes, clips, penalties)
        for (cue, target), (one, penalties, classes, clips), bound in zip(asked, found, bounds, strict=True)
    ]


def distances(cues: Cues, settings: ShortcutSettings) -> list[Finding]:
    """Order from how far apart the three frames are in each cue, which no linear classifier can tell from the cue
    itself: the L1 distances of the first two, the last two, and the outer two. Held against nothing, for what moves
    smoothly cannot help giving it away; but a network may go by it."""
    found = []
    for cue in CUES:
        pairs = np.stack(cues.orders[cue])
        shown = pairs.reshape(*pairs.shape[:2], 3, -1)
        apart = np.abs(shown - np.roll(shown, -1, axis=2)).sum(axis=3)
        examples = _both_ways(apart[:, 0], apart[:, 1], np.array(cues.owners))
        one, penalties = crossfit(examples, np.array(cues.folds), settings.penalties, settings.max_iterations)
        clips = len(np.unique(cues.owners))
        found.append(
            Finding(cue, ORDER, one.value, one.error, 0.5, one.value + 1.96 * one.error, True, clips, penalties)
        )
    return found


def powers(findings: list[Finding], margin: float) -> dict[float, float]:
    """By chance level: how probably a cue that tells nothing passes at the strictest of the corrected levels."""
    fewest: dict[float, int] = {}
    for one in findings:
        fewest[one.chance] = min(one.clips, fewest.get(one.chance, one.clips))
    return {chance: power(chance, margin, clips, len(findings), level=LEVEL) for chance, clips in fewest.items()}
