"""A card of somebody's own folder that was edited wrongly is refused in one line."""

from pathlib import Path

import pytest
import yaml

from pipeline import cards
from pipeline.cards import read_card
from pipeline.errors import UserError

GOOD = {
    "name": "mine",
    "kind": "folder",
    "root": "/somewhere",
    "modality": "video",
    "title": "",
    "description": "",
    "licence": "",
    "citation": "",
    "labels": {"class": {"of": "clip", "classes": ["a", "b"]}},
    "splits": ["train", "test"],
    "files": {"train": 8, "test": 2},
}


def read(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> cards.Card:
    monkeypatch.chdir(folder)
    Path("data/cards").mkdir(parents=True)
    Path("data/cards/mine.yaml").write_text(yaml.safe_dump({**GOOD, **changes}))
    return read_card("mine")


def test_the_one_label_of_a_folder_stands_for_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = read(tmp_path, monkeypatch)
    assert card.arguments({"label": "main", "flip": 0.5}) == {"label": "class", "flip": 0.5}
    assert card.arguments({"label": "object"}) == {"label": "class"}
    assert card.arguments({"flip": 0.5}) == {"flip": 0.5}


def test_without_labels_there_is_no_main_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = read(tmp_path, monkeypatch, labels={})
    with pytest.raises(UserError, match=r"data/cards/mine.yaml: carries no labels"):
        card.arguments({"label": "main"})


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("root", None, "kind folder needs the key root"),
        ("files", {"train": 8}, "files: expected how many there are of each of the splits"),
        ("files", {"train": 8, "test": -1}, "files.test: input should be greater than or equal to 0"),
        ("splits", ["test"], "files: expected how many"),
        ("main_label", "classs", "main_label: 'classs' is not among the labels"),
        ("held_out", {"test": 2.0}, "held_out.test: input should be less than or equal to 0.5, found 2.0"),
        ("modality", "vidoe", "modality: input should be 'image', 'video', 'audio' or 'audio-visual', found 'vidoe'"),
        ("labels", {"class": {"of": "frame", "classes": ["a"]}}, "labels: expected one at most, of a clip"),
        (
            "labels",
            {"bird-species": {"of": "clip", "classes": ["a"]}},
            "labels.bird-species: string should match pattern '^[a-z][a-z0-9_]*$', found 'bird-species'",
        ),
        ("name", "other", "name: expected 'mine', as the file is called, found 'other'"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: object, expected: str
) -> None:
    with pytest.raises(UserError) as raised:
        read(tmp_path, monkeypatch, **{key: value})
    assert expected in str(raised.value)
    assert str(raised.value).startswith("data/cards/mine.yaml: ")
