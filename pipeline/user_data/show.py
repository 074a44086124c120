"""show: print and draw what was decoded of a dataset, as the store has it."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline import paths
from pipeline.cards import read_card
from pipeline.errors import UserError
from pipeline.figures import decoded
from pipeline.files import DRAWN, written
from pipeline.parameters import Parameters
from pipeline.store import index
from pipeline.store.index import read_index
from pipeline.store.sample import chosen, windows

SHOWN = 24
"""Windows of the sheet."""


def show(parameters: Parameters, scale: str, dataset: str) -> None:
    """Writes `reports/SCALE/DATASET/figures/show-*.png`. Raises UserError for what is not decoded yet."""
    parameters.at(scale)
    card = read_card(dataset)
    indices = [paths.index(scale, dataset, split) for split in card.splits]
    if not all(path.exists() for path in indices):
        raise UserError(
            f"{dataset}: is not decoded yet at scale {scale}; "
            f"`snakemake --cores all {' '.join(path.as_posix() for path in indices)}` does it"
        )
    rows = pd.concat([read_index(path) for path in indices], ignore_index=True)
    files = _files(rows)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(f"[bold]{escape(card.title)}[/bold], {card.modality}, scale {scale}")
    console.print(_splits(rows, files, card.splits))
    for name, values in _values(files).items():
        if len(values):
            console.print(f"  {name:20} {spread(values)}")
    reasons = rows.loc[rows["reason"].notna()].drop_duplicates("parent")["reason"].value_counts()
    for reason, count in reasons.items():
        console.print(f"  [yellow]{count} not used[/yellow]: {escape(str(reason))}")
    folder = paths.report(scale, dataset) / "figures"
    sample = windows(paths.decoded(scale, dataset), chosen(rows, card.main, SHOWN), card.main)
    counts = files[f"label_{card.main}"].value_counts(sort=False).sort_index() if card.main else pd.Series(dtype=int)
    _draw(folder / f"{DRAWN}sheet.png", lambda path: decoded.sheet(sample, path), console)
    classes = {str(label): int(count) for label, count in counts.items()}
    _draw(folder / f"{DRAWN}histograms.png", lambda path: decoded.histograms(_values(files), classes, path), console)


def spread(values: np.ndarray) -> str:
    """`all 64`, or the range with the median; values that print alike are alike."""
    low, middle, high = (f"{one:.4g}" for one in np.quantile(values, [0, 0.5, 1]))
    return f"all {low}" if low == high else f"{low} to {high}, half of them below {middle}"


def _draw(path: Path, draw: Callable[[Path], None], console: Console) -> None:
    with written(path) as temporary:
        draw(temporary)
    console.print(f"drew {path}")


def _files(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a file that is used: its columns, `end` being that of its last window."""
    used = rows.iloc[index.usable(rows)]
    last = used.groupby("parent")["end"].max()
    files = used.drop_duplicates("parent").copy()
    files["end"] = files["parent"].map(last)
    return files


def _splits(rows: pd.DataFrame, files: pd.DataFrame, splits: Sequence[str]) -> Table:
    table = Table("split", "files", "used", "windows", box=None, header_style="bold", pad_edge=False)
    usable = rows.iloc[index.usable(rows)]
    for split in splits:
        counts = [one.loc[one["split"] == split] for one in (rows, files, usable)]
        table.add_row(split, str(counts[0]["parent"].nunique()), str(len(counts[1])), str(len(counts[2])))
    return table


def _values(files: pd.DataFrame) -> dict[str, np.ndarray]:
    """Of the files that are used, by what they are; empty where a modality has none."""
    times = [np.asarray(one) for one in files["frame_times"] if one is not None and len(one) > 1]
    sides = files[["width", "height"]].min(axis=1).dropna().to_numpy(float)
    lengths = files["end"].dropna().to_numpy(float)
    return {
        "decoded length, s": lengths[lengths > 0],
        "shorter side, px": sides[sides > 0],
        "frames a second": np.array([1 / np.median(np.diff(one)) for one in times]),
    }
