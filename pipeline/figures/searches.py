"""What was found for a few examples: a row an example, to its right what is nearest to it, nearest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.figures.panels import MOST, canvas, no_panels, save, spectrogram
from pipeline.figures.strip import FAINT, FONT, INK

_ALIKE, _UNLIKE = "#2ca02c", "#c8c8c8"
_CELL, _GAP, _ASIDE, _HEAD, _NAME, _MARGIN = 62, 6, 14, 26, 14, 12  # px


@dataclass(frozen=True)
class Shown:
    """label: its class. picture: (H, W, 3) uint8, or a spectrogram (N, 257)."""

    label: str
    picture: np.ndarray


@dataclass(frozen=True)
class Panel:
    """title: who looked. rows: what was looked for, and what was found, as many in every row."""

    title: str
    rows: Sequence[tuple[Shown, Sequence[Shown]]]


def searches(panels: Sequence[Panel], columns: int, path: Path) -> None:
    """Writes a PNG: panels, `columns` side by side; green frames around what is of the class that was looked for."""
    panels = [panel for panel in panels if panel.rows]
    if not panels:
        no_panels("nothing was looked for", path)
        return
    across = max(len(found) for panel in panels for _, found in panel.rows)
    down = max(len(panel.rows) for panel in panels)
    columns = min(columns, len(panels))
    wide = (1 + across) * (_CELL + _GAP) + _ASIDE
    high = _HEAD + down * (_CELL + _NAME)
    size = (columns * (wide + 2 * _MARGIN), -(-len(panels) // columns) * (high + _MARGIN))
    figure = canvas(*size)
    for number, panel in enumerate(panels):
        left = number % columns * (wide + 2 * _MARGIN) + _MARGIN
        top = number // columns * (high + _MARGIN)
        _write(figure, panel.title, (left, top + 12), size, 8, INK)
        for place, (asked, found) in enumerate(panel.rows):
            below = top + _HEAD + place * (_CELL + _NAME) + _NAME
            _write(figure, asked.label.replace("_", " "), (left, below - 6), size, 6.5, FAINT)
            _cell(figure, asked, (left, below), size, None)
            for turn, one in enumerate(found):
                beside = left + _ASIDE + (1 + turn) * (_CELL + _GAP)
                _cell(figure, one, (beside, below), size, _ALIKE if one.label == asked.label else _UNLIKE)
    save(figure, path, MOST)


def _write(figure: Figure, text: str, at: tuple[int, int], size: tuple[int, int], points: float, colour: str) -> None:
    left, middle = at[0] / size[0], 1 - at[1] / size[1]
    figure.text(left, middle, text, fontsize=points, color=colour, va="center", family=FONT, parse_math=False)


def _cell(figure: Figure, shown: Shown, at: tuple[int, int], size: tuple[int, int], frame: str | None) -> None:
    """at: its left upper corner, px. frame: a colour."""
    place = (at[0] / size[0], 1 - (at[1] + _CELL) / size[1], _CELL / size[0], _CELL / size[1])
    axes = figure.add_axes(place)
    if shown.picture.ndim == 3:
        axes.imshow(shown.picture, interpolation="lanczos", aspect="auto")
        axes.set_axis_off()
    else:
        spectrogram(axes, shown.picture, -60, 40)
    if frame is not None:
        axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, edgecolor=frame, linewidth=4))
