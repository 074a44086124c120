"""Confusion matrices: of the examples of a class, which share was taken for which."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from pipeline.figures.panels import MOST, fitted, no_panels, panels, save
from pipeline.figures.strip import FAINT, FONT, INK

NAMED = 30  # classes whose names can be read
COUNTED = 15  # classes whose examples can be counted in their cells
_MARGIN, _NAME, _LEAST = 150, 96, 180  # px: beside the matrix, of a name, of a matrix
_CELL, _SMALL = 26, 17  # px: with a count in it, and without


@dataclass(frozen=True)
class Answers:
    """Of one number. name: its alias. classes: names, C of them. label, prediction: (N,) int, 0 to C - 1."""

    name: str
    classes: Sequence[str]
    label: np.ndarray
    prediction: np.ndarray


def confusion(numbers: Sequence[Answers], path: Path) -> None:
    """Writes a PNG: a panel a number, rows what is there, columns what was predicted, coloured by shares of the row; in
    the cells how many examples."""
    if not numbers:
        no_panels("no number has classes to be confused", path)
        return
    most = min(NAMED, max(len(one.classes) for one in numbers))
    side = _MARGIN + max(_LEAST, (_CELL if most <= COUNTED else _SMALL) * most)
    figure, all_axes = panels(len(numbers), width=side, height=side + 32)
    for axes, one in zip(all_axes, numbers, strict=True):
        axes.imshow(shares(one), cmap="Blues", vmin=0, vmax=1, aspect="equal")
        # The run above what was measured of it: both in one line would be wider than most matrices.
        title = "\n".join(fitted(line, side - _NAME, 8) for line in one.name.split(".", 1))
        axes.set_title(title, fontsize=8, family=FONT, color=INK, parse_math=False)
        axes.set_xlabel("prediction", fontsize=8, family=FONT, color=INK)
        axes.set_ylabel("label", fontsize=8, family=FONT, color=INK)
        _name(axes, one.classes if len(one.classes) <= NAMED else [])
        if len(one.classes) <= COUNTED:
            _count(axes, one)
    save(figure, path, MOST)


def _name(axes: Axes, classes: Sequence[str]) -> None:
    places, names = range(len(classes)), [fitted(name, _NAME, 8) for name in classes]
    for ticks in (axes.set_xticks(places, names, rotation=90), axes.set_yticks(places, names)):
        for tick in ticks:
            tick.label1.set_parse_math(False)
    axes.tick_params(labelsize=8, length=0, labelcolor=FAINT)


def _count(axes: Axes, one: Answers) -> None:
    of_row = shares(one)
    for row, column in np.argwhere(of_row):
        count = counts(one)[row, column]
        colour = "white" if of_row[row, column] > 0.5 else INK
        axes.text(column, row, str(count), fontsize=7, ha="center", va="center", color=colour, family=FONT)


def counts(one: Answers) -> np.ndarray:
    """(C, C) int: the examples of the row's class that were taken for the column's."""
    found = np.zeros((len(one.classes), len(one.classes)), int)
    np.add.at(found, (one.label, one.prediction), 1)
    return found


def shares(one: Answers) -> np.ndarray:
    """(C, C) in 0 to 1: of the examples of the row's class, those that were taken for the column's. A class without
    examples is a row of zeros."""
    found = counts(one)
    return found / np.maximum(found.sum(axis=1, keepdims=True), 1)
