"""What stands for somebody's own files in the DAG: their names, sizes and times, looked at whenever it is planned."""

from functools import cache
from pathlib import Path

from pipeline import cards, paths
from pipeline.cards import read_card
from pipeline.datasets.folder.walk import digest, walk
from pipeline.filenames import from_text
from pipeline.files import write_text


@cache
def _digest(root: str) -> str:
    """Once in a process, for all scales."""
    return digest(walk(from_text(root)))


def refresh(scale: str) -> list[Path]:
    """Write what has changed; returns the written. A folder that is not there now (a drive that is not connected) stays
    as it was: what was decoded from it is still good."""
    written = []
    for dataset in cards.folders():
        path, root = paths.listed(scale, dataset), read_card(dataset).root or ""
        text = f"{_digest(root)}\n" if from_text(root).is_dir() else "not there\n"
        known = path.read_text(encoding="utf-8") if path.exists() else None
        if text != known and (known is None or from_text(root).is_dir()):
            write_text(path, text)
            written.append(path)
    return written
