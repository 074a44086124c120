"""Cards: what a dataset is, where its bytes come from, which labels it carries."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from pipeline import layout
from pipeline.errors import UserError, did_you_mean
from pipeline.validation import Strict, load


class Archive(Strict):
    """One file to download."""

    url: str
    size: int = Field(gt=0, description="bytes")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Label(Strict):
    """A label, of a clip or of every frame, and its classes in the order of their numbers."""

    of: Literal["clip", "frame"]
    classes: list[str] = Field(min_length=1)


class Crops(Strict):
    """Stills cut around the objects of another dataset."""

    dataset: str
    label: str


class Card(Strict):
    """`data/cards/NAME.yaml`."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9_-]*$")
    kind: Literal["rendered", "archive", "folder", "crops"]
    modality: Literal["image", "video", "audio", "audio-visual"]
    title: str
    description: str
    licence: str
    citation: str
    labels: dict[str, Label]
    splits: list[Literal["train", "validation", "test"]] = Field(min_length=1)
    archives: list[Archive] = Field(default_factory=list)
    root: Path | None = None
    crops: Crops | None = None

    @model_validator(mode="after")
    def _kind_has_its_key(self) -> "Card":
        needed = {"archive": "archives", "folder": "root", "crops": "crops"}.get(self.kind)
        if needed and not getattr(self, needed):
            raise ValueError(f"kind {self.kind} needs the key {needed}")
        return self

    def classes_of(self, labels: Iterable[str]) -> dict[str, list[str]]:
        """The classes of some labels, by name. Raises UserError for a label that the dataset does not carry."""
        for label in labels:
            if label not in self.labels:
                raise UserError(
                    f"{layout.card(self.name)}: carries no label {label!r}{did_you_mean(label, self.labels)}"
                )
        return {label: self.labels[label].classes for label in labels}


def names() -> list[str]:
    """Datasets that have a card."""
    return sorted(path.stem for path in layout.card("*").parent.glob("*.yaml"))


def read(dataset: str) -> Card:
    """Raises UserError for a dataset without a card, or whose card does not fit."""
    path = layout.card(dataset)
    if not path.exists():
        raise UserError(f"{path}: there is no card for dataset {dataset!r}{did_you_mean(dataset, names())}")
    card = load(Card, path)
    if card.name != dataset:
        raise UserError(f"{path}: name: expected {dataset!r}, as the file is called, found {card.name!r}")
    return card
