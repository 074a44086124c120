"""What a dataset's modality and labels allow, and the reason for what they do not."""

from pathlib import Path

import pytest

from pipeline import cards, eligibility, parameters
from pipeline.cards import Card, Label
from pipeline.parameters import read_parameters
from pipeline.store.streams import streams_of

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ["train", "validation", "test"]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> parameters.Parameters:
    monkeypatch.chdir(ROOT)
    return read_parameters()


def card(modality: str, classes: list[str], splits: list[str] = SPLITS) -> Card:
    labels = {"class": Label(of="clip", classes=classes)} if classes else {}
    texts = {"title": "", "description": "", "licence": "", "citation": ""}
    kind = {"kind": "folder", "root": "x", "files": dict.fromkeys(splits, 1)}
    return Card.model_validate(
        {"name": "mine", "modality": modality, **texts, **kind, "labels": labels, "splits": splits}
    )


def evaluations(given: parameters.Parameters, mine: Card) -> list[tuple[str, str]]:
    found = eligibility.evaluations(given, "smoke", "mine", lambda _: mine)
    assert all(of == on == "mine" for of, _, on, _ in found)
    return [(run, protocol) for _, run, _, protocol in found]


OF_STILLS = ("random", "supervised", "rotation")
VIDEO = ("random_video", "supervised_video", "shuffle_and_learn", "shuffle_and_learn_uniform")


def test_videos_with_sound_and_labels_allow_every_run_and_protocol_but_the_control(
    given: parameters.Parameters,
) -> None:
    mine = card("audio-visual", ["a", "b"])
    asked = [(run, protocol) for _, run, _, protocol in given.evaluations("mine")]
    not_run, forbidden = eligibility.not_run(given, "smoke", mine)
    assert evaluations(given, mine) == [one for one in asked if one[0] not in not_run]
    # What frames show is known of rendered datasets alone.
    assert "shuffle_and_learn_background" in not_run
    assert set(not_run.values()) == {"needs to be told what a frame shows, which is not known of `mine`"}
    assert forbidden == {}


def test_stills_allow_what_needs_no_motion_and_no_sound(given: parameters.Parameters) -> None:
    mine = card("image", ["a", "b"])
    found = evaluations(given, mine)
    assert {(run, protocol) for run in OF_STILLS for protocol in ("linear", "knn")} < set(found)
    assert ("rotation", "pretext") in found
    assert not {run for run, _ in found} & {*VIDEO, "random_sound", "ave_net"}
    runs, protocols = eligibility.not_run(given, "smoke", mine)
    assert runs["shuffle_and_learn"] == protocols["action"] == "needs several frames of a clip, and `mine` has stills"
    assert runs["ave_net"] == "needs sound, and `mine` has pictures only"


def test_silent_videos_allow_order_and_action(given: parameters.Parameters) -> None:
    found = evaluations(given, card("video", ["a", "b"]))
    assert {run for run, protocol in found if protocol == "action"} == set(VIDEO)
    assert not [run for run, protocol in found if protocol in ("sound_svm", "correspondence")]


def test_sounds_allow_what_needs_no_frames(given: parameters.Parameters) -> None:
    mine = card("audio", ["a", "b"])
    runs, protocols = eligibility.not_run(given, "smoke", mine)
    assert runs["rotation"] == protocols["linear"] == "needs pictures, and `mine` has sound only"
    assert evaluations(given, mine) == [("random_sound", "sound_svm"), ("supervised_sound", "sound_svm")]


def test_a_stream_that_the_store_does_not_keep_is_named(given: parameters.Parameters) -> None:
    scale = given.at("smoke")
    store = scale.store.model_copy(update={"streams": ["frames", "flow", "motion"]})
    less = given.model_copy(update={"scales": {"smoke": scale.model_copy(update={"store": store})}})
    runs, _ = eligibility.not_run(less, "smoke", card("audio-visual", ["a", "b"]))
    assert runs["ave_net"] == "needs spectrogram, which store.streams of params.yaml does not keep"


def test_without_labels_there_is_pretraining_alone(given: parameters.Parameters) -> None:
    alone = card("image", [], ["train"])
    found = eligibility.runs(given, "smoke", "mine", lambda _: alone)
    assert {("mine", "random"), ("mine", "rotation")} <= set(found)
    assert ("mine", "supervised") not in found
    runs, protocols = eligibility.not_run(given, "smoke", alone)
    assert runs["supervised"] == protocols["linear"] == "needs labels, and `mine` has none"


def beginning(given: parameters.Parameters, run: str, source: str) -> parameters.Parameters:
    """With the first run `init_from` the second."""
    train = given.runs[run].train.model_copy(update={"init_from": {"encoder": source}})
    block = given.runs[run].model_copy(update={"train": train})
    return given.model_copy(update={"runs": {**given.runs, run: block}})


def test_a_run_is_possible_where_those_are_that_it_begins_with(given: parameters.Parameters) -> None:
    alone = card("image", [], ["train"])
    begun = beginning(beginning(given, "rotation", "random"), "random", "supervised")
    runs, _ = eligibility.not_run(begun, "smoke", alone)
    assert runs["random"] == "begins with `supervised`, which needs labels, and `mine` has none"
    assert runs["rotation"] == f"begins with `random`, which {runs['random']}"
    # Of what is rendered each is trained on its own dataset.
    begun = beginning(given, "rotation", "ave_net")
    assert ("toyworld-stills", "rotation") in eligibility.runs(begun, "smoke", "toyworld", cards.read_card)


def test_a_missing_split_allows_no_evaluation(given: parameters.Parameters) -> None:
    _, protocols = eligibility.not_run(given, "smoke", card("image", ["a", "b"], ["train", "test"]))
    assert protocols["linear"] == "needs train, validation and test, and `mine` has no validation"


def test_the_images_of_the_dataset_of_params_are_its_stills(given: parameters.Parameters) -> None:
    on = {(run, protocol): (of, on) for of, run, on, protocol in given.evaluations("toyworld")}
    assert on["rotation", "linear"] == ("toyworld-stills", "toyworld-stills")
    assert on["ave_net", "linear"] == ("toyworld", "toyworld-stills")
    assert on["ave_net", "sound_svm"] == ("toyworld", "toyworld")
    assert {name for of, _, on, _ in given.evaluations("mine") for name in (of, on)} == {"mine"}


def test_streams_follow_the_modality() -> None:
    kept = ["frames", "sound", "spectrogram"]
    found = {modality: streams_of(modality, kept) for modality in ("image", "video", "audio", "audio-visual")}
    assert found == {
        "image": ["frames"],
        "video": ["frames"],
        "audio": ["sound", "spectrogram"],
        "audio-visual": ["frames", "sound", "spectrogram"],
    }
