"""What takes meaning from numbers on somebody's own files, and what they are to be held against."""

from collections.abc import Sequence

import pandas as pd

from pipeline.cards import Card
from pipeline.store import index
from pipeline.tables.duplicates import Duplicate
from pipeline.tables.markdown import code, percent, some
from pipeline.tables.numbers import Measured

FEW_FILES = 10
"""Test files, below which a bootstrap's interval is no measure of what is not known: it redraws the few there are."""
SHOWN_CLASSES = 12
"""Before the rest is counted."""
SHOWN_FILES = 3
"""Test files that are training files too, before the rest is counted."""
UNEVEN = 1.2
"""Times chance that the largest class's share has to be, to be worth a word."""
OF_CLASSES, OF_SEARCHES = "top1", "ndcg_"
"""How metrics begin that are shares of right classes, and those of retrieval."""


def data_warnings(
    card: Card, rows: pd.DataFrame, measured: Sequence[Measured], duplicates: Sequence[Duplicate]
) -> list[str]:
    """rows: the indices of all splits."""
    used = usable(rows, "test")
    made = [*_few(used), *_leak(used, duplicates)]
    if card.main is None:
        return made
    labels, metrics = used[f"label_{card.main}"], [one.id.split("/")[-1] for one in measured]
    made += _missing(card.labels[card.main].classes, labels)
    if any(metric.startswith(OF_CLASSES) for metric in metrics):
        made += _largest(labels)
    searched = [one.protocol for one, metric in zip(measured, metrics, strict=True) if metric.startswith(OF_SEARCHES)]
    return [*made, *(_silent(searched[0], used["parent"], labels) if searched else [])]


def usable(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    """The rows of a split that may be drawn."""
    mine = rows[rows["split"] == split]
    return mine.iloc[index.usable(mine)]


def _few(used: pd.DataFrame) -> list[str]:
    files = used["parent"].nunique()
    if files >= FEW_FILES:
        return []
    why = (
        "tested on 1 file alone: its interval has no width, and yet the number says next to nothing"
        if files == 1
        else f"tested on {files} files alone: with fewer than {FEW_FILES} even the intervals say little"
    )
    return [f"**Few test files**: {why}."]


def _leak(used: pd.DataFrame, duplicates: Sequence[Duplicate]) -> list[str]:
    leaks = [one for one in duplicates if one.is_leak]
    if not leaks:
        return []
    files = used["parent"].nunique()
    which = "1 is a training file" if len(leaks) == 1 else f"{len(leaks)} are training files"
    pairs = some([f"{code(one.second)} is {code(one.first)}" for one in leaks], SHOWN_FILES)
    return [f"**Leak**: of {files} test files {which} too, byte for byte ({pairs}); numbers may be too high by it."]


def _missing(classes: Sequence[str], labels: pd.Series) -> list[str]:
    there = set(labels)
    missing = [one for one in classes if one not in there]
    if not missing:
        return []
    named = some([code(one) for one in missing], SHOWN_CLASSES)
    alone = ": with one class there, whoever always named it would be right" if len(there) == 1 else ""
    return [
        f"**Classes missing**: no test file is of {len(missing)} of the {len(classes)} classes ({named}), so "
        f"the numbers say nothing of {'it' if len(missing) == 1 else 'them'}{alone}."
    ]


def _largest(labels: pd.Series) -> list[str]:
    counts = labels.value_counts()
    if len(counts) < 2 or counts.max() / counts.sum() < UNEVEN / len(counts):
        return []
    largest = min(counts.index[counts == counts.max()])
    return [
        f"**Largest class**: {percent(counts.max() / counts.sum())} % of the test windows are of {code(largest)}. "
        f"Whoever always named it would be right that often: with uneven classes that, not chance, is what a "
        f"`{OF_CLASSES}` has to exceed."
    ]


def _silent(protocol: str, files: pd.Series, labels: pd.Series) -> list[str]:
    """Of windows that have nothing to find: `selfsup.probes.retrieval` lets them ask for nothing."""
    alone = files.groupby(labels).nunique() == 1
    classes = sorted(alone.index[alone])
    windows = int(labels.isin(classes).sum())
    if not windows:
        return []
    named = some([code(one) for one in classes], SHOWN_CLASSES)
    which = "1 does not ask" if windows == 1 else f"{windows} do not ask"
    return [
        f"**Searches left out**: in {code(protocol)}, of {len(labels)} test windows {which}, since no other test file "
        f"is of the same class ({named}); they can be found, and count in no number of it."
    ]
