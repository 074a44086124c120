"""What a file of the data may be called by somebody: its id, with or without escapes, or any path that leads to it."""

import os
from pathlib import Path

import pandas as pd

from pipeline.cards import read_card
from pipeline.filenames import from_text, to_id, to_text


def by_id(rows: pd.DataFrame, name: str) -> "pd.Series[bool]":
    """Which rows of an index are of the file, or the one window, of this id, as it is printed."""
    return (rows["parent"] == name) | (rows["id"] == name)


def by_written_id(rows: pd.DataFrame, name: str) -> "pd.Series[bool]":
    """The same of an id with its spaces and other characters as the file has them. It may be the printed id of another
    file: ask `by_id` of all rows first."""
    file, at, window = name.rpartition("@")
    ids = {to_id(name), *([f"{to_id(file)}@{window}"] if at and window.isdigit() else [])}
    return rows["parent"].isin(ids) | rows["id"].isin(ids)


def by_path(rows: pd.DataFrame, name: str, dataset: str) -> "pd.Series[bool]":
    """Which rows are of the file at this path: absolute, from here, or from the root of the dataset's folder; through
    whatever links."""
    # realpath of a link in a circle too, where Path.resolve raises
    wanted = {os.path.realpath(path) for path in _paths(name, dataset)}
    same = {path for path in rows["path"].unique() if os.path.realpath(from_text(path)) in wanted}
    return rows["path"].isin(same)


def id_of_path(name: str, dataset: str) -> str | None:
    """Of a path, of a file that may not be there, into the dataset's own folder: the id that it would have if its
    folders are those of the split and class. None for a path that leads elsewhere."""
    root = _root(dataset)
    if root is None:
        return None
    path, top = Path(os.path.realpath(name)), Path(os.path.realpath(root))
    return to_id(f"{dataset}/{path.relative_to(top)}") if path.is_relative_to(top) else None


def links(rows: pd.DataFrame, name: str, dataset: str) -> dict[str, str]:
    """By path: where it leads; of the name itself, and of those of the rows' files that lie behind a link."""
    asked = [path for path in _paths(name, dataset) if path.is_symlink()]
    listed = [from_text(path) for path in rows["path"].unique()]
    root = _root(dataset)
    followed = [*asked, *(path for path in listed if root is not None and _is_behind_link(path, root))]
    return {to_text(path.absolute()): to_text(os.path.realpath(path)) for path in followed}


def _is_behind_link(path: Path, root: Path) -> bool:
    """Whether a link lies on the way from the root to a file below it."""
    return path.is_relative_to(root) and os.path.realpath(path) != str(
        Path(os.path.realpath(root)) / path.relative_to(root)
    )


def _paths(name: str, dataset: str) -> list[Path]:
    root = _root(dataset)
    return [Path(name), *([root / name] if root is not None else [])]


def _root(dataset: str) -> Path | None:
    card = read_card(dataset)
    return from_text(card.root) if card.root else None
