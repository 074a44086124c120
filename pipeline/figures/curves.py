"""Training curves: a panel a run, the loss over steps, and the share of neighbours that tell the label."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from pipeline.figures.panels import no_panels, panels, save
from pipeline.figures.strip import FAINT, FONT

LOSS, NEIGHBOURS = "#4c72b0", "#dd8452"
BESIDES = ("step", "images", "learning_rate")
WATCHED = ("feature_std", "effective_rank", "knn_top1")
"""How columns of a log are called, or end, that hold no loss (`selfsup.training`, `selfsup.probes.watch`)."""


def curves(logs: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Writes a PNG. logs: by run, its `log.csv`. Runs without rows are left out.

    On the left axis the losses, from 0; on the right one, 0 to 1, the share of validation clips whose neighbours among
    training clips tell their label. Of several losses or encoders the second is dashed.
    """
    logs = {run: log for run, log in logs.items() if len(log)}
    if not logs:
        no_panels("no run trains", path)
        return
    figure, all_axes = panels(len(logs), width=250, height=170)
    for axes, (run, log) in zip(all_axes, logs.items(), strict=True):
        _panel(axes, run, log)
    save(figure, path)


def _panel(axes: Axes, run: str, log: pd.DataFrame) -> None:
    losses = [name for name in log.columns if name not in BESIDES and not name.endswith(WATCHED)]
    neighbours = [name for name in log.columns if name.endswith("knn_top1")]
    axes.set_title(run, fontsize=8, family=FONT)
    _lines(axes, log, losses, LOSS, "loss")
    axes.set_ylim(0, 1.08 * log[losses].max().max())
    axes.set_xlabel("step", fontsize=7, color=FAINT, labelpad=1)
    if neighbours:
        right = axes.twinx()
        _lines(right, log, neighbours, NEIGHBOURS, "neighbours")
        right.set_ylim(0, 1)


def _lines(axes: Axes, log: pd.DataFrame, names: Sequence[str], colour: str, label: str) -> None:
    for name, style in zip(names, cycle(("-", "--", ":")), strict=False):
        seen = log[["step", name]].dropna()
        axes.plot(seen["step"], seen[name], color=colour, linestyle=style, marker=".", markersize=3, linewidth=1.2)
    axes.set_ylabel(label, fontsize=7, color=colour, labelpad=2)
    axes.tick_params(labelsize=6, length=2)
