"""Shuffle & Learn's tuples over the motion that they were chosen by: a row a tuple, its curve, its five frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.figures.panels import MOST, canvas, fitted, no_panels, save
from pipeline.figures.strip import FAINT, FONT, INK
from pipeline.filenames import from_text, to_text

LETTERS = "abcde"
CURVE, BETWEEN = "#4c72b0", "#dd8452"
_ROW, _CURVE, _FRAME, _GAP = 118, 330, 92, 6  # px


@dataclass(frozen=True)
class MinedTuple:
    """id: of its clip. times: (T,) seconds and motion: (T,) px a frame, of the clip; threshold: px a frame that the
    mean from b to d had to reach. letters: the seconds of a to e. frames: (5, H, W, 3) uint8, of a to e."""

    id: str
    times: np.ndarray
    motion: np.ndarray
    threshold: float
    letters: Mapping[str, float]
    frames: np.ndarray


def tuples(mined: Sequence[MinedTuple], path: Path) -> None:
    """Writes a PNG: motion over time, its threshold dashed; shaded b to d, the positives; beside it a to e."""
    if not mined:
        no_panels("no tuples were mined", path)
        return
    width, height = _CURVE + 70 + 5 * (_FRAME + _GAP), len(mined) * _ROW + 30
    figure = canvas(width, height)
    for number, one in enumerate(mined):
        bottom = 1 - ((number + 1) * _ROW - 8) / height
        axes = figure.add_axes((46 / width, bottom, _CURVE / width, (_ROW - 30) / height))
        axes.plot(one.times, one.motion, color=CURVE, linewidth=1.2)
        axes.axhline(one.threshold, color=FAINT, linestyle="--", linewidth=0.8)
        axes.axvspan(one.letters["b"], one.letters["d"], color=BETWEEN, alpha=0.25, linewidth=0)
        top = 1.3 * max(float(one.motion.max()), one.threshold)
        axes.set_ylim(0, top)
        for letter, second in one.letters.items():
            axes.axvline(second, color=INK, linewidth=0.6)
            under = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            axes.text(second, 0.96 * top, letter, fontsize=7, ha="center", va="top", color=INK, family=FONT, bbox=under)
        name = fitted(to_text(from_text(one.id)), _CURVE, 7)  # with its spaces
        axes.set_title(name, fontsize=7, loc="left", pad=2, color=INK, family=FONT, parse_math=False)
        axes.set_ylabel("px a frame", fontsize=6, color=FAINT, labelpad=2)
        axes.tick_params(labelsize=6, length=2)
        if number == len(mined) - 1:
            axes.set_xlabel("seconds", fontsize=7, color=FAINT, labelpad=1)
        for place, (letter, frame) in enumerate(zip(LETTERS, one.frames, strict=True)):
            left = _CURVE + 64 + place * (_FRAME + _GAP)
            shown = figure.add_axes((left / width, bottom, _FRAME / width, _FRAME / height))
            shown.imshow(frame, interpolation="lanczos")
            shown.set_title(letter, fontsize=7, pad=2, color=BETWEEN if letter in "bcd" else FAINT, family=FONT)
            shown.set_axis_off()
    save(figure, path, MOST)
