"""What params.yaml names is there, and every argument is one that its class takes; else one line names the key."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.parameters import read_parameters
from tests.pipeline.parameters.changed import changed
from tests.project import read_settings, write_settings


def refused(path: Path) -> str:
    """The one line."""
    with pytest.raises(UserError) as caught:
        read_parameters(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ") or "card" in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("scale", "defualt", "scale: unknown 'defualt'; did you mean 'default'?"),
        ("dataset", "toywrld", "there is no card for dataset 'toywrld'; did you mean 'toyworld'?"),
        ("seeds", [1, 1], "seeds: expected different numbers"),
        ("scales/smoke/datasets/toyworld-stills/around", [0.5, 1.4], "around: expected 1 to 10, found 0.5"),
        ("scales/smoke/datasets/toyworld-stills/per_clp", 2, "toyworld-stills.per_clp: unknown key; did you mean"),
        ("scales/smoke/datasets/toyworld/fps", 0, "toyworld.fps: expected 1 to 240, found 0"),
        ("scales/smoke/datasets/toyworld/clips", {"train": -1}, "toyworld.clips: expected 0 to 10000000, found -1"),
        ("scales/smoke/datasets/toyworld/clips/validation", 0, "clips.validation: expected at least 1, found none"),
        ("scales/smoke/datasets/toyworld/cilps", 3, "toyworld.cilps: unknown key; did you mean 'clips'?"),
        ("scales/smoke/store/streams", ["sound"], "scales.smoke.store.streams: run "),
        ("scales/smoke/networks/stills/encoder/wdths", [1], "stills.encoder.wdths: unknown key; did you mean 'widths'"),
        (
            "scales/smoke/networks/stills/encoder/network",
            "convnt:ConvNet",
            "networks.stills.encoder.network: no class 'convnt:ConvNet' in selfsup.networks; did you mean "
            "'convnet:ConvNet'?",
        ),
        (
            "scales/smoke/networks/stills/encoder/network",
            "convnet:ConvNt",
            "convnet.py has no class 'ConvNt'; did you mean 'ConvNet'?",
        ),
        ("scales/smoke/networks/video", {}, "train (scale smoke): networks: dictionary should have at least 1 item"),
        ("scales/smoke/schedules/untrained", "untrained", "scales.smoke.schedules.untrained: input should be a valid"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, key: str, value: object, expected: str) -> None:
    assert expected in refused(changed(tmp_path, key, value))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (
            "method",
            "image.rotatoin:Rotation",
            "runs.rotation.train.method: no class 'image.rotatoin:Rotation' in selfsup.methods; did you mean "
            "'image.rotation:Rotation'?",
        ),
        ("on", "toyworld-stils", "there is no card for dataset 'toyworld-stils'; did you mean 'toyworld-stills'?"),
        (
            "networks",
            "stils",
            "runs.rotation.train.networks (scale smoke): unknown 'stils'; did you mean 'stills'?",
        ),
        ("schedule", "image", "runs.rotation.train.schedule (scale smoke): unknown 'image'; did you mean 'images'?"),
        ("networks", "pairs", "scales.smoke.networks.pairs: expected encoder, which run rotation takes, found vision,"),
        ("init_from", {"encoder": "supervisd"}, "train.init_from: unknown 'supervisd'; did you mean 'supervised'?"),
        ("init_from", {"encodr": "supervised"}, "train.init_from: unknown 'encodr'; did you mean 'encoder'?"),
        ("init_from", {"encoder": "rotation"}, "init_from: expected no cycle, found rotation from rotation"),
        ("steps", {"smoke": 60, "default": 90}, "runs.rotation.train.steps.paper: missing; schedule 'images' needs it"),
        ("batch_size", {"smoke": 8}, "runs.rotation.train.batch_size.default: missing; schedule 'images' needs it"),
        (
            "steps",
            {"smoke": 60, "default": 90, "paper": 90, "papre": 9},
            "rotation.train.steps: unknown 'papre'; did you mean",
        ),
        ("learning_rate", {"defalt": 0.1}, "rotation.train.learning_rate: unknown 'defalt'; did you mean 'default'?"),
        ("steps", {"smoke": 5, "default": 350, "paper": 1}, "warmup_steps: expected fewer than the 5 steps, found 5"),
    ],
)
def test_what_a_run_names_is_there(tmp_path: Path, key: str, value: object, expected: str) -> None:
    assert expected in refused(changed(tmp_path, f"runs/rotation/train/{key}", value))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("arguments/trns", [0], "runs.rotation.train.arguments.trns: unknown key; did you mean 'turns'?"),
        ("arguments/turns", "all", "arguments.turns: expected list[Literal[0, 90, 180, 270]], found 'all'"),
        ("arguments/turns", [0, 45], "arguments.turns: expected list[Literal[0, 90, 180, 270]], found"),
        ("arguments/crop", 0.5, "runs.rotation.train.arguments.crop: expected a mapping (RandomCrop), found 0.5"),
        ("arguments/crop/scale", [2.0, 1.0], "arguments.crop.scale: expected 0.01 to 1, found 2.0"),
        ("arguments/crop/scale", [0.5], "arguments.crop.scale: expected tuple[float, float], found"),
        ("arguments/crop/scael", [0.5, 1.0], "arguments.crop.scael: unknown key; did you mean 'scale'?"),
        ("arguments/crop/flip", -0.5, "arguments.crop.flip: expected 0 to 1, found -0.5"),
    ],
)
def test_arguments_are_those_of_the_method_and_a_mapping_those_of_its_dataclass(
    tmp_path: Path, key: str, value: object, expected: str
) -> None:
    assert expected in refused(changed(tmp_path, f"runs/rotation/train/{key}", value))


@pytest.mark.parametrize(
    ("run", "schedule", "expected"),
    [
        ("random", "images", "scales.smoke.schedules.images: expected null, since the method of run random does not"),
        ("supervised", "untrained", "schedules.untrained: expected a schedule, since the method of run supervised rea"),
    ],
)
def test_a_schedule_fits_its_method(tmp_path: Path, run: str, schedule: str, expected: str) -> None:
    data = read_settings()
    train = data["runs"][run]["train"] | {"schedule": schedule}
    train |= {name: dict.fromkeys(data["scales"], 90) for name in ("steps", "batch_size")}
    assert expected in refused(changed(tmp_path, f"runs/{run}/train", train))


@pytest.mark.parametrize(
    ("evaluate", "expected"),
    [
        ({"linaer": "random"}, "runs.rotation.evaluate: unknown 'linaer'; did you mean 'linear'?"),
        ({"linear": "rndom"}, "runs.rotation.evaluate.linear: unknown 'rndom'; did you mean 'random'?"),
        (
            {"linear": "random_sound"},
            "evaluate.linear: run random_sound is not evaluated under linear: add it to runs.random_sound.evaluate",
        ),
        ({"order": "rotation"}, "evaluate.order: asks for order, which the method of run rotation does not answer"),
        (
            {"sound_svm": "rotation"},
            "evaluate.sound_svm: needs one encoder of spectrogram: at scale smoke run rotation has 0",
        ),
    ],
)
def test_an_evaluation_fits_its_run_and_its_reference(tmp_path: Path, evaluate: dict, expected: str) -> None:
    assert expected in refused(changed(tmp_path, "runs/rotation/evaluate", evaluate))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("probe", "knn:Knn", "knn.py has no class 'Knn'; expected one of KNN"),
        ("probe", "kn:KNN", "protocols.knn.probe: no class 'kn:KNN' in selfsup.probes; did you mean 'knn:KNN'?"),
        ("on", "toywrld", "there is no card for dataset 'toywrld'; did you mean 'toyworld'?"),
        ("label", "objct", "protocols.knn.label (dataset toyworld-stills): unknown 'objct'; did you mean 'object'?"),
        ("arguments/neighbours", [], "protocols.knn.neighbours: expected at least one value"),
        ("arguments/neighbors", [3], "knn.neighbors: unknown key; did you mean 'neighbours'?"),
    ],
)
def test_what_a_protocol_names_is_there(tmp_path: Path, key: str, value: object, expected: str) -> None:
    assert expected in refused(changed(tmp_path, f"protocols/knn/{key}", value))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("action/dims", 0, "protocols.action.dims: expected 1 to 1000000, found 0"),
        ("action/dms", 256, "scales.smoke.protocols.action.dms: unknown key; did you mean 'dims'?"),
        ("linear/label", "object", "protocols.linear.label: stands under protocols.linear too; remove one"),
        ("linaer", {}, "scales.smoke.protocols: unknown 'linaer'; did you mean 'linear'?"),
    ],
)
def test_a_protocol_has_its_sizes_at_a_scale(tmp_path: Path, key: str, value: object, expected: str) -> None:
    assert expected in refused(changed(tmp_path, f"scales/smoke/protocols/{key}", value))


def test_a_label_that_a_method_learns_is_one_of_its_dataset(tmp_path: Path) -> None:
    """Else the run would be left out of the report as one that the data do not allow."""
    expected = (
        "runs.supervised.train.arguments.label (dataset toyworld-stills): unknown 'objct'; did you mean 'object'?"
    )
    assert refused(changed(tmp_path, "runs/supervised/train/arguments/label", "objct")) == expected


def test_a_cycle_of_several_runs_is_told_in_its_order(tmp_path: Path) -> None:
    path = changed(tmp_path, "runs/supervised/train/init_from", {"encoder": "rotation"})
    data = read_settings(path)
    data["runs"]["rotation"]["train"]["init_from"] = {"encoder": "supervised"}
    write_settings(path, data)
    said = refused(path)
    assert said == "runs.supervised.train.init_from: expected no cycle, found supervised from rotation from supervised"


def test_runs_that_begin_with_others_without_a_cycle_are_taken(tmp_path: Path) -> None:
    path = changed(tmp_path, "runs/rotation/train/init_from", {"encoder": "supervised"})
    read = read_parameters(path)
    assert read.chain_of("rotation") == ["rotation", "supervised"]
    assert read.trained_on("rotation", "toyworld-stills") == ["toyworld-stills"]
    # A folder of the user's own takes the place of both.
    assert read.sources("rotation", "mine") == {"encoder": ("supervised", "mine")}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("runs/rotation/train/arguments/crop/flip", "runs.rotation.train.arguments.crop.flip: missing"),
        ("runs/rotation/train/arguments/turns", "runs.rotation.train.arguments.turns: missing"),
        ("scales/smoke/networks/stills/encoder/widths", "scales.smoke.networks.stills.encoder.widths: missing"),
        ("scales/smoke/networks/stills", "networks .scale smoke.: unknown 'stills'"),
        ("scales/smoke/schedules/images", "schedule .scale smoke.: unknown 'images'"),
        ("scales/smoke/protocols/linear", "scales.smoke.protocols.linear: missing"),
        ("scales/smoke/datasets/toyworld/fps", "toyworld.fps: missing"),
        ("scales/smoke/datasets/toyworld-stills", "scales.smoke.datasets.toyworld-stills: missing"),
    ],
)
def test_a_missing_key_is_named(tmp_path: Path, key: str, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        read_parameters(changed(tmp_path, key, None, remove=True))


def test_on_is_a_word_in_a_file_as_a_person_writes_it(tmp_path: Path) -> None:
    """In YAML 1.1, which PyYAML reads, `on` is true; DVC reads YAML 1.2."""
    path = changed(tmp_path, "scale", "smoke")
    path.write_text(path.read_text().replace("'on':", "on:"))
    assert "\n      on: toyworld" in path.read_text()
    assert read_parameters(path).runs["rotation"].train.on == "toyworld-stills"


def test_the_untrained_twin_of_ave_net_differs_in_its_schedule_alone() -> None:
    given = read_parameters()
    twin, trained = (given.runs[run].train for run in ("random_ave_net", "ave_net"))
    assert (twin.networks, twin.method, twin.arguments) == (trained.networks, trained.method, trained.arguments)
    for scale in given.scales:
        networks: list[dict[str, Any]] = [given.training(scale, run).networks for run in ("random_ave_net", "ave_net")]
        assert [list(one.items()) for one in networks[:1]] == [list(networks[1].items())]
