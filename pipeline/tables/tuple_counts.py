"""How many tuples were mined, and from which clips none, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.tables.markdown import grid, paragraph


@dataclass(frozen=True)
class TupleCounts:
    """Of one split. clips: that could be used. tuples: how many, by strategy. without: of clips that have none, how
    many, by strategy and reason."""

    split: str
    clips: int
    tuples: dict[str, int]
    without: dict[str, dict[str, int]]


def tuple_counts_section(found: Sequence[TupleCounts]) -> list[str]:
    """Nothing of a dataset that nothing is mined from."""
    rows = [
        [split.split, strategy, str(split.clips), str(split.tuples.get(strategy, 0)), _reasons(split, strategy)]
        for split in found
        for strategy in sorted({*split.tuples, *split.without})
    ]
    if not rows:
        return []
    return [
        "### Tuples",
        paragraph(
            """Tuples of frames, mined from every clip that could be used, by strategy. A clip without any is not
            trained on where tuples are, and counts in no number of order."""
        ),
        grid(["Split", "Strategy", "Clips", "Tuples", "Clips without any"], rows, right=frozenset({2, 3})),
    ]


def _reasons(split: TupleCounts, strategy: str) -> str:
    return "; ".join(f"{count}: {reason}" for reason, count in split.without.get(strategy, {}).items()) or "0"
