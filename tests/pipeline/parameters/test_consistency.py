"""What params.yaml names is there, and every argument is one that its class takes; else one line names the key."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.parameters import read_parameters
from tests.pipeline.parameters.changed import changed
from tests.project import ROOT


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("scale", "defualt", "scale: unknown 'defualt'; did you mean 'default'?"),
        ("dataset", "toywrld", "there is no card for dataset 'toywrld'; did you mean 'toyworld'?"),
        ("images", "toyworld-stils", "there is no card for dataset 'toyworld-stils'; did you mean 'toyworld-stills'?"),
        ("scales/smoke/datasets/toyworld-stills/around", [0.5, 1.4], "around: expected 1 to 10, found 0.5"),
        ("scales/smoke/datasets/toyworld-stills/per_clp", 2, "toyworld-stills.per_clp: unknown key; did you mean"),
        ("seeds", [1, 1], "seeds: expected different numbers"),
        ("pretrained/images", ["rnadom"], "pretrained.images: unknown 'rnadom'; did you mean 'random'?"),
        ("pretrained/images", ["random", "ave_net"], "expected each run once, found ave_net twice"),
        ("suites/image/protocols", ["sound_svm"], "protocol sound_svm needs one encoder of spectrogram"),
        ("suites/image/protocols", ["order"], "protocol order asks for order, which run random does not answer"),
        ("suites/image/runs", ["rotaton"], "suites.image.runs: unknown 'rotaton'; did you mean 'rotation'?"),
        ("suites/image/protocols", ["linaer"], "unknown 'linaer'; did you mean 'linear'?"),
        ("runs/rotation/method", "rotatoin", "runs.rotation.method: unknown 'rotatoin'; did you mean 'rotation'?"),
        ("runs/rotation/arguments/trns", [0], "runs.rotation.arguments.trns: unknown key; did you mean 'turns'?"),
        (
            "runs/rotation/arguments/turns",
            "all",
            "runs.rotation.arguments.turns: expected list[Literal[0, 90, 180, 270]], found 'all'",
        ),
        ("runs/rotation/arguments/crop_scale", [2.0, 1.0], "arguments.crop_scale: expected 0.01 to 1, found 2.0"),
        ("runs/rotation/arguments/flip", -0.5, "arguments.flip: expected 0 to 1, found -0.5"),
        ("scales/smoke/datasets/toyworld/fps", 0, "toyworld.fps: expected 1 to 240, found 0"),
        ("scales/smoke/datasets/toyworld/clips", {"train": -1}, "toyworld.clips: expected 0 to 10000000, found -1"),
        ("scales/smoke/protocols/action/dims", 0, "protocols.action.dims: expected 1 to 1000000, found 0"),
        ("protocols/features", {"probe": "knn", "label": "main", "arguments": {}}, "the name of the folder of kept"),
        ("suites/image/protocols", ["linear", "order"], "suites.image.protocols: some read features, others networks"),
        ("runs/rotation/arguments/turns", [0, 45], "arguments.turns: expected list[Literal[0, 90, 180, 270]], found"),
        ("runs/rotation/arguments/crop_scale", [0.5], "arguments.crop_scale: expected tuple[float, float], found"),
        ("protocols/linear/arguments/penalties", [], "linear.penalties: expected at least one value"),
        ("scales/smoke/protocols/linear/label", "object", "linear.label: stands under protocols.linear too"),
        (
            "scales/smoke/training/supervised/schedule",
            None,
            "expected a schedule, since its method reads",
        ),
        ("scales/smoke/store/streams", ["sound"], "draws frames, which is not in this scale's store.streams"),
        ("scales/smoke/datasets/toyworld/clips/validation", 0, "clips.validation: expected at least 1, found none"),
        ("protocols/linear/label", "objct", "unknown 'objct'; did you mean 'object'?"),
        ("scales/smoke/datasets/toyworld/cilps", 3, "toyworld.cilps: unknown key; did you mean 'clips'?"),
        ("scales/smoke/training/rotation/networks/encoder/name", "convnt", "unknown 'convnt'; did you mean 'convnet'"),
        ("scales/smoke/training/rotation/networks/encoder/wdths", [1], "wdths: unknown key; did you mean 'widths'?"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, key: str, value: object, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        read_parameters(changed(tmp_path, key, value))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("runs/rotation/arguments/flip", "runs.rotation.arguments.flip: missing"),
        ("scales/smoke/training/rotation", "scales.smoke.training.rotation: missing"),
        ("scales/smoke/protocols/linear", "scales.smoke.protocols.linear: missing"),
        ("scales/smoke/datasets/toyworld/fps", "toyworld.fps: missing"),
        ("scales/smoke/datasets/toyworld-stills", "scales.smoke.datasets.toyworld-stills: missing"),
    ],
)
def test_a_missing_key_is_named(tmp_path: Path, key: str, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        read_parameters(changed(tmp_path, key, None, remove=True))


def test_pictures_are_of_the_dataset_or_cut_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_parameters(changed(tmp_path, "images", "toyworld")).images == "toyworld"
    cards = tmp_path / "data" / "cards"
    cards.mkdir(parents=True)
    for name in ("toyworld", "toyworld-stills"):
        text = (ROOT / "data" / "cards" / f"{name}.yaml").read_text()
        (cards / f"{name}.yaml").write_text(text)
        (cards / f"my-{name}.yaml").write_text(text.replace(f"name: {name}", f"name: my-{name}"))
    path = changed(tmp_path, "dataset", "my-toyworld")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"images: expected my-toyworld or stills .* found 'toyworld-stills'"):
        read_parameters(path)


def test_the_untrained_twin_of_ave_net_differs_in_its_schedule_alone() -> None:
    given = read_parameters()
    assert given.runs["random_ave_net"] == given.runs["ave_net"]
    for scale in given.scales.values():
        twin, trained = (scale.training[run].networks for run in ("random_ave_net", "ave_net"))
        assert list(twin.items()) == list(trained.items()), "weights are drawn in the order of the networks"
