"""params.yaml is refused as a whole, in one line that names the key, before anything runs."""

from pathlib import Path

import pytest
import yaml

from pipeline import parameters
from pipeline.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def in_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def changed(tmp_path: Path, key: str, value: object, *, remove: bool = False) -> Path:
    data = yaml.safe_load((ROOT / "params.yaml").read_text())
    *parents, last = key.split("/")
    place = data
    for part in parents:
        place = place[part]
    if remove:
        del place[last]
    else:
        place[last] = value
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_the_shipped_file_is_valid() -> None:
    read = parameters.read()
    assert ("toyworld-stills", "rotation", "linear") in read.evaluations("toyworld")
    assert set(read.scales) == {"smoke", "default", "paper"}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("sclae", "smoke", "sclae: unknown key; did you mean 'scale'?"),
        ("scale", "defualt", "scale: unknown 'defualt'; did you mean 'default'?"),
        ("dataset", "toywrld", "there is no card for dataset 'toywrld'; did you mean 'toyworld'?"),
        ("images", "toyworld-stils", "there is no card for dataset 'toyworld-stils'; did you mean 'toyworld-stills'?"),
        ("scales/smoke/datasets/toyworld-stills/around", [0.5, 1.4], "around: expected 1 to 10, found 0.5"),
        ("scales/smoke/datasets/toyworld-stills/per_clp", 2, "toyworld-stills.per_clp: unknown key; did you mean"),
        ("threads", 0, "threads: input should be greater than or equal to 1, found 0"),
        ("threads", "two", "threads: input should be a valid integer"),
        ("seeds", [], "seeds: list should have at least 1 item"),
        ("seeds", [1, 1], "seeds: expected different numbers"),
        ("device", "gpu", "device: input should be 'auto', 'cpu' or 'cuda', found 'gpu'"),
        ("reference", "rnadom", "reference: unknown 'rnadom'; did you mean 'random'?"),
        ("suites/image/runs", ["rotaton"], "suites.image.runs: unknown 'rotaton'; did you mean 'rotation'?"),
        ("suites/image/protocols", ["linaer"], "unknown 'linaer'; did you mean 'linear'?"),
        ("runs/rotation/method", "rotatoin", "runs.rotation.method: unknown 'rotatoin'; did you mean 'rotation'?"),
        ("runs/rotation/argumets", {}, "runs.rotation.argumets: unknown key; did you mean 'arguments'?"),
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
        ("scales/smoke/protocols/linear/dims", 0, "protocols.linear.dims: expected 1 to 1000000, found 0"),
        ("runs/rotation/arguments/turns", [0, 45], "arguments.turns: expected list[Literal[0, 90, 180, 270]], found"),
        ("runs/rotation/arguments/crop_scale", [0.5], "arguments.crop_scale: expected tuple[float, float], found"),
        ("protocols/linear/arguments/penalties", [], "linear.penalties: expected at least one value"),
        ("scales/smoke/protocols/linear/label", "object", "linear.label: stands under protocols.linear too"),
        ("scales/smoke/training/rotation/schedule", None, "rotation.schedule: expected a schedule"),
        ("scales/smoke/training/rotation/schedule/warmup_steps", 60, "expected fewer than the 60 steps, found 60"),
        (
            "scales/smoke/training/rotation/schedule/learning_rate",
            float("inf"),
            "learning_rate: input should be a finite",
        ),
        ("scales/smoke/store/streams", ["sound"], "draws frames, which is not in this scale's store.streams"),
        ("scales/smoke/store/sample_rate", 44100 + 50, "sample_rate: input should be a multiple of 200"),
        ("scales/smoke/datasets/toyworld/clips/validation", 0, "clips.validation: expected at least 1, found none"),
        ("bootstrap", {"seed": 0}, "bootstrap.draws: missing"),
        ("runs/a.b", {"method": "random", "arguments": {}}, "should match pattern"),
        ("protocols/linear/label", "objct", "unknown 'objct'; did you mean 'object'?"),
        ("scales/smoke/datasets/toyworld/cilps", 3, "toyworld.cilps: unknown key; did you mean 'clips'?"),
        ("scales/smoke/store/sied", 3, "scales.smoke.store.sied: unknown key; did you mean 'side'?"),
        ("scales/smoke/store/side", 1, "scales.smoke.store.side: input should be greater than or equal to 8"),
        ("scales/smoke/training/rotation/schedule/steps", 0, "schedule.steps: input should be greater than or equal"),
        ("scales/smoke/training/rotation/schedule/decay_at", [0.9, 0.1], "expected ascending fractions"),
        ("scales/smoke/training/rotation/networks/encoder/name", "convnt", "unknown 'convnt'; did you mean 'convnet'"),
        ("scales/smoke/training/rotation/networks/encoder/wdths", [1], "wdths: unknown key; did you mean 'widths'?"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, key: str, value: object, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        parameters.read(changed(tmp_path, key, value))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("seeds", "seeds: missing"),
        ("runs/rotation/arguments/flip", "runs.rotation.arguments.flip: missing"),
        ("scales/smoke/training/rotation", "scales.smoke.training.rotation: missing"),
        ("scales/smoke/protocols/linear", "scales.smoke.protocols.linear: missing"),
        ("scales/smoke/datasets/toyworld/fps", "toyworld.fps: missing"),
        ("scales/smoke/datasets/toyworld-stills", "scales.smoke.datasets.toyworld-stills: missing"),
        ("images", "images: missing"),
    ],
)
def test_a_missing_key_is_named(tmp_path: Path, key: str, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        parameters.read(changed(tmp_path, key, None, remove=True))


def test_what_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("scale: smoke\nseeds: [0\n")
    with pytest.raises(UserError, match=r"params\.yaml:3: not valid YAML"):
        parameters.read(path)


def test_a_stage_depends_on_its_own_keys_only() -> None:
    read = parameters.read()
    keys = parameters.keys_of("pretrain", "smoke", "toyworld", "rotation")
    used = read.used(keys)
    assert set(used) == {"runs.rotation", "scales.smoke.training.rotation", "watch", "device", "threads"}
    assert used["runs.rotation"]["method"] == "rotation"


def test_pictures_are_of_the_dataset_or_cut_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parameters.read(changed(tmp_path, "images", "toyworld")).images == "toyworld"
    cards = tmp_path / "data" / "cards"
    cards.mkdir(parents=True)
    for name in ("toyworld", "toyworld-stills"):
        text = (ROOT / "data" / "cards" / f"{name}.yaml").read_text()
        (cards / f"{name}.yaml").write_text(text)
        (cards / f"my-{name}.yaml").write_text(text.replace(f"name: {name}", f"name: my-{name}"))
    path = changed(tmp_path, "dataset", "my-toyworld")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"images: expected my-toyworld or stills .* found 'toyworld-stills'"):
        parameters.read(path)


def test_stills_are_divided_as_their_clips_are() -> None:
    data = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert parameters.keys_of("decode", "smoke", data["images"]) == [
        "scales.smoke.store",
        "scales.smoke.datasets.toyworld-stills.clips_per_shard",
        "scales.smoke.datasets.toyworld.clips",
    ]
