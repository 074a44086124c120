"""What a method or a probe draws from besides the store: files that its job therefore depends on."""

from collections.abc import Iterable
from pathlib import Path

from pipeline import paths
from pipeline.cards import Card
from pipeline.class_source import class_literal


def tuples(entry: str, scale: str, dataset: str, splits: Iterable[str]) -> list[Path]:
    """entry: of a registry. The mined tuples of these splits, where it draws tuples."""
    drawn = class_literal(entry, "table", "") == "tuples"
    return [paths.tuples(scale, dataset, split) for split in splits] if drawn else []


def reads_features(entry: str) -> bool:
    """entry: of a probe. Whether it is given features that are kept, and not a run's networks and the store."""
    return bool(class_literal(entry, "reads_features", False))


def objects(entry: str, scale: str, card: Card) -> list[Path]:
    """The annotation table, where it draws what is made of it and the dataset knows it."""
    asked = class_literal(entry, "annotations", ())
    return [paths.annotations(scale, card.name, "objects")] if asked and knows(card) else []


def knows(card: Card) -> bool:
    """Whether it is known of a dataset what its frames show."""
    return card.kind == "rendered"
