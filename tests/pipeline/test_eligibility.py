"""What a dataset's modality and labels allow, and the reason for what they do not."""

from pathlib import Path

import pytest

from pipeline import eligibility, parameters
from pipeline.cards import Card, Label
from pipeline.store.streams import streams_of

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ["train", "validation", "test"]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> parameters.Parameters:
    monkeypatch.chdir(ROOT)
    return parameters.read()


def card(modality: str, classes: list[str], splits: list[str] = SPLITS) -> Card:
    labels = {"class": Label(of="clip", classes=classes)} if classes else {}
    texts = {"title": "", "description": "", "licence": "", "citation": ""}
    kind = {"kind": "folder", "root": "x", "files": dict.fromkeys(splits, 1)}
    return Card.model_validate(
        {"name": "mine", "modality": modality, **texts, **kind, "labels": labels, "splits": splits}
    )


def evaluations(given: parameters.Parameters, mine: Card) -> list[tuple[str, str]]:
    found = eligibility.evaluations(given, "smoke", "mine", lambda _: mine)
    assert all(on == "mine" for on, _, _ in found)
    return [(run, protocol) for _, run, protocol in found]


def test_pictures_with_labels_allow_every_run_and_protocol(given: parameters.Parameters) -> None:
    for modality in ("image", "video", "audio-visual"):
        mine = card(modality, ["a", "b"])
        assert evaluations(given, mine) == [(run, "linear") for run in ("random", "supervised", "rotation")]
        assert eligibility.not_run(given, "smoke", mine) == {}


def test_sounds_allow_what_needs_no_frames(given: parameters.Parameters) -> None:
    reasons = eligibility.not_run(given, "smoke", card("audio", ["a", "b"]))
    assert reasons["rotation"] == "needs frames, and `mine` has spectrogram only"
    assert reasons["linear"] == "no run to evaluate"
    assert evaluations(given, card("audio", ["a", "b"])) == []


def test_without_labels_there_is_pretraining_alone(given: parameters.Parameters) -> None:
    alone = card("image", [], ["train"])
    found = eligibility.runs(given, "smoke", "mine", lambda _: alone)
    assert found == [("mine", "random"), ("mine", "rotation")]
    assert eligibility.not_run(given, "smoke", alone) == {"supervised": "no labels", "linear": "no labels"}


def test_a_missing_split_allows_no_evaluation(given: parameters.Parameters) -> None:
    reasons = eligibility.not_run(given, "smoke", card("image", ["a", "b"], ["train", "test"]))
    assert reasons == {"linear": "needs train, validation and test, and `mine` has no validation"}


def test_the_images_of_the_dataset_of_params_are_its_stills(given: parameters.Parameters) -> None:
    assert {on for on, _, _ in given.evaluations("toyworld")} == {"toyworld-stills"}
    assert {on for on, _, _ in given.evaluations("mine")} == {"mine"}


def test_streams_follow_the_modality() -> None:
    kept = ["frames", "sound", "spectrogram"]
    found = {modality: streams_of(modality, kept) for modality in ("image", "video", "audio", "audio-visual")}
    assert found == {
        "image": ["frames"],
        "video": ["frames"],
        "audio": ["sound", "spectrogram"],
        "audio-visual": ["frames", "sound", "spectrogram"],
    }
