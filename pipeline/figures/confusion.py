"""Confusion matrices: of the examples of a class, which share was taken for which."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.figures.panels import no_panels, panels, save
from pipeline.figures.strip import FAINT, FONT

MOST = 30  # classes whose names can be read


@dataclass(frozen=True)
class Answers:
    """Of one number. name: its alias. classes: names, C of them. label, prediction: (N,) int, 0 to C - 1."""

    name: str
    classes: Sequence[str]
    label: np.ndarray
    prediction: np.ndarray


def confusion(numbers: Sequence[Answers], path: Path) -> None:
    """Writes a PNG: a panel a number, rows what is there, columns what was predicted, rows adding up to 1."""
    if not numbers:
        no_panels("no number has classes to be confused", path)
        return
    figure, all_axes = panels(len(numbers), width=300, height=320)
    for axes, one in zip(all_axes, numbers, strict=True):
        axes.imshow(shares(one), cmap="Blues", vmin=0, vmax=1, aspect="equal")
        axes.set_title(one.name, fontsize=7, family=FONT, parse_math=False)
        places = range(len(one.classes)) if len(one.classes) <= MOST else []
        names = [name[:16] for name in one.classes] if places else []
        for ticks in (axes.set_xticks(places, names, rotation=90), axes.set_yticks(places, names)):
            for tick in ticks:
                tick.label1.set_parse_math(False)
        axes.tick_params(labelsize=6, length=0, labelcolor=FAINT)
    save(figure, path)


def shares(one: Answers) -> np.ndarray:
    """(C, C) in 0 to 1: of the examples of the row's class, those that were taken for the column's. A class without
    examples is a row of zeros."""
    counts = np.zeros((len(one.classes), len(one.classes)))
    np.add.at(counts, (one.label, one.prediction), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
