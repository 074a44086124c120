"""What a method or a probe draws from besides the store: files that its job therefore depends on."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline import paths
from pipeline.cards import Card
from pipeline.class_source import class_literal


def tuples(entry: str, scale: str, dataset: str, splits: Iterable[str]) -> list[Path]:
    """entry: of a method or a probe. The mined tuples of these splits, where it draws tuples."""
    drawn = class_literal(entry, "table", "") == "tuples"
    return [paths.tuples(scale, dataset, split) for split in splits] if drawn else []


def drawing(probe: str, method: str) -> str:
    """Entries of a protocol's probe and of a run's method -> the one that says what is drawn: the probe, unless it asks
    the method's own question, for which the method draws."""
    return method if class_literal(probe, "table", "") == "method" else probe


def reads_features(entry: str) -> bool:
    """entry: of a probe. Whether it is given features of an encoder of pictures, and not a run's networks."""
    return bool(class_literal(entry, "reads_features", False))


def objects(entry: str, scale: str, card: Card) -> list[Path]:
    """The annotation table, where it draws what is made of it and the dataset knows it."""
    asked = class_literal(entry, "annotations", ())
    return [paths.annotations(scale, card.name, "objects")] if asked and knows(card) else []


def told_boxes(probe: str, method: str, arguments: Mapping[str, Any], trained: bool) -> bool:
    """Entries of a protocol's probe and of a run's method, with the run's arguments. Whether what is measured was told
    where the main object is: in the run's training, or where the probe asks. A method that shows objects has an
    argument `around`, null for whole frames."""
    shown = "boxes" in class_literal(method, "annotations", ()) and arguments.get("around", ()) is not None
    return shown and (trained or "boxes" in class_literal(probe, "annotations", ()))


def knows(card: Card) -> bool:
    """Whether it is known of a dataset what its frames show."""
    return card.kind == "rendered"
