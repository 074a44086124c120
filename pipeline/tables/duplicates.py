"""Files that stand in the data under two names, by a link or as a copy, and are used each time."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pandas as pd

from pipeline.paths import SPLITS
from pipeline.store import index
from pipeline.tables.markdown import some

SHOWN = 6
"""Pairs of places, before the rest is counted."""

Place = tuple[str, str | None]
"""A split, and a class where there are classes."""


@dataclass(frozen=True)
class Duplicate:
    """Two files of the same bytes, by their ids and places."""

    first: str
    second: str
    places: tuple[Place, Place]

    @property
    def is_leak(self) -> bool:
        """Whether it is trained on and tested on."""
        return leaks([split for split, _ in self.places])


def leaks(splits: Collection[str]) -> bool:
    """Whether a file that stands in these splits is trained on and tested on."""
    return "train" in splits and "test" in splits


def duplicates(rows: pd.DataFrame, label: str | None) -> list[Duplicate]:
    """rows: of the store's indices, of every split. Of each file that is used and was used before, in the order of
    splits, the first of the same bytes; in the order of their ids."""
    files = rows.iloc[index.usable(rows)].drop_duplicates("parent")
    files = files.assign(turn=files["split"].map(SPLITS.index)).sort_values(["turn", "parent"])
    firsts: dict[str, tuple[str, Place]] = {}
    found = []
    for row in files.to_dict("records"):
        place = (str(row["split"]), str(row[f"label_{label}"]) if label else None)
        first, there = firsts.setdefault(row["origin"], (row["parent"], place))
        if first != row["parent"]:
            found.append(Duplicate(first, row["parent"], (there, place)))
    return sorted(found, key=lambda one: one.second)


def in_places(pairs: Iterable[tuple[Place, Place]]) -> str:
    """`2 in train/cat and test/dog, 1 twice in train/cat`, most first."""
    counts = Counter(sorted(tuple(sorted(pair, key=_order)) for pair in pairs))
    return some([f"{count} {_named(*pair)}" for pair, count in counts.most_common()], SHOWN)


def _named(one: Place, other: Place) -> str:
    first, second = ("/".join(part for part in place if part is not None) for place in (one, other))
    return f"twice in {first}" if one == other else f"in {first} and {second}"


def _order(place: Place) -> tuple[int, str]:
    return SPLITS.index(place[0]), place[1] or ""
