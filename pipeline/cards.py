"""Cards: what a dataset is, where its bytes come from, which labels it carries."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline import paths
from pipeline.errors import UserError, did_you_mean
from pipeline.validation import Strict, parse

Split = Literal["train", "validation", "test"]
# Of labels: parts of columns' names (`label_class`), which are read as attributes.
LabelName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
MAIN = "main"
"""Stands in params.yaml for the label that a dataset's card calls its main one."""


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
    """Stills cut around the main objects of another dataset, which is annotated. label: of the object's class."""

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
    labels: dict[LabelName, Label]
    splits: list[Split] = Field(min_length=1)
    main_label: str | None = Field(default=None, description="what `label: main` of params.yaml means; else the first")
    archives: list[Archive] = Field(default_factory=list)
    root: str | None = Field(default=None, description="of kind folder; as `pipeline.filenames.to_text` writes a path")
    files: dict[Split, Annotated[int, Field(ge=0)]] | None = Field(default=None, description="of a folder, as counted")
    held_out: dict[Literal["test", "validation"], Annotated[float, Field(gt=0, le=0.5)]] = Field(
        default_factory=dict, description="share of a folder's train that goes into a split without a folder of its own"
    )
    crops: Crops | None = None

    @model_validator(mode="after")
    def _kind_has_its_key(self) -> "Card":
        needed = {"archive": "archives", "folder": "root", "crops": "crops"}.get(self.kind)
        if needed and not getattr(self, needed):
            raise ValueError(f"kind {self.kind} needs the key {needed}")
        if self.crops and self.crops.label not in self.labels:
            raise ValueError(f"crops.label: {self.crops.label!r} is not one of the labels")
        if self.main_label is not None and self.main_label not in self.labels:
            raise ValueError(f"main_label: {self.main_label!r} is not among the labels ({', '.join(self.labels)})")
        if self.kind == "folder":
            self._fits_a_folder()
        return self

    def _fits_a_folder(self) -> None:
        if self.files is None or set(self.files) != set(self.splits):
            raise ValueError("files: expected how many there are of each of the splits; `add --replace` counts them")
        if "train" not in self.splits:
            raise ValueError("splits: expected train among them")
        if len(self.labels) > 1 or any(label.of != "clip" for label in self.labels.values()):
            raise ValueError("labels: expected one at most, of a clip: the class that a file's folder names")

    @property
    def main(self) -> str | None:
        """The main label; None for a dataset without any."""
        return self.main_label or next(iter(self.labels), None)

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of a run or protocol with `label: main` put into this dataset's words; the one label of somebody's
        own folder stands for any. Raises UserError for a dataset without labels."""
        if "label" not in given or not self.means_main(given["label"]):
            return dict(given)
        if self.main is None:
            raise UserError(f"{paths.card(self.name)}: carries no labels, so there is none to learn or to predict")
        return {**given, "label": self.main}

    def means_main(self, label: str) -> bool:
        """Whether a label of params.yaml is this dataset's main one: `main`, or, of somebody's own folder, any."""
        return label == MAIN or self.kind == "folder"

    def classes_of(self, labels: Iterable[str]) -> dict[str, list[str]]:
        """The classes of some labels, by name. Raises UserError for a label that the dataset does not carry."""
        for label in labels:
            if label not in self.labels:
                raise UserError(
                    f"{paths.card(self.name)}: carries no label {label!r}{did_you_mean(label, self.labels)}"
                )
        return {label: self.labels[label].classes for label in labels}


def names() -> list[str]:
    """Datasets that have a card."""
    return sorted(path.stem for path in paths.card("*").parent.glob("*.yaml"))


def parent(dataset: str) -> str | None:
    """The dataset whose clips a dataset of crops is cut from; None for any other. Raises as `read` does."""
    crops = read_card(dataset).crops
    return crops.dataset if crops else None


def stills_of(dataset: str, among: Iterable[str]) -> str:
    """The first of some datasets that is cut from this one; itself where none is."""
    return next((name for name in among if parent(name) == dataset), dataset)


def folders() -> list[str]:
    """Datasets that are somebody's own files: nothing makes them."""
    return [name for name in names() if read_card(name).kind == "folder"]


def is_folder(dataset: str) -> bool:
    """Whether it has a card and is somebody's own files, which no parameter changes."""
    return paths.card(dataset).exists() and read_card(dataset).kind == "folder"


def read_card(dataset: str) -> Card:
    """Raises UserError for a dataset without a card, or whose card does not fit."""
    path = paths.card(dataset)
    if not path.exists():
        raise UserError(f"{path}: there is no card for dataset {dataset!r}{did_you_mean(dataset, names())}")
    card = _read(path, path.read_text(encoding="utf-8"))
    if card.name != dataset:
        raise UserError(f"{path}: name: expected {dataset!r}, as the file is called, found {card.name!r}")
    return card


@cache
def _read(path: Path, text: str) -> Card:
    """Whoever plans asks for the same card hundreds of times."""
    return parse(Card, text, path)
