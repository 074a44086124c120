"""params.yaml is refused as a whole, in one line that names the key: values of another kind or out of range."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.parameters import read_parameters
from tests.pipeline.parameters.changed import changed
from tests.project import ROOT


def test_the_shipped_file_is_valid() -> None:
    read = read_parameters()
    assert ("toyworld-stills", "rotation", "toyworld-stills", "linear") in read.evaluations("toyworld")
    assert set(read.scales) == {"smoke", "default", "paper"}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("sclae", "smoke", "sclae: unknown key; did you mean 'scale'?"),
        ("scales/smoke/threads", 0, "scales.smoke.threads: input should be greater than or equal to 1, found 0"),
        ("scales/smoke/threads", "two", "scales.smoke.threads: input should be a valid integer"),
        ("seeds", [], "seeds: list should have at least 1 item"),
        ("device", "gpu", "device: input should be 'auto', 'cpu' or 'cuda', found 'gpu'"),
        ("runs/rotation/trian", {}, "runs.rotation.trian: unknown key; did you mean 'train'?"),
        ("runs/rotation/train/argumets", {}, "runs.rotation.train.argumets: unknown key; did you mean 'arguments'?"),
        ("runs/rotation/train/method", "rotation", "runs.rotation.train.method: string should match pattern"),
        ("runs/rotation/train/steps", {"smoke": 0}, "runs.rotation.train.steps.smoke: input should be greater than"),
        ("runs/rotation/train/steps", 60, "runs.rotation.train.steps: input should be a valid dictionary, found 60"),
        ("runs/a.b", {"train": {}}, "runs.a.b: string should match pattern"),
        ("protocols/my-knn", {}, "protocols.my-knn: string should match pattern"),
        ("scales/smoke/schedules/images/warmup_step", 5, "images.warmup_step: unknown key; did you mean 'warmup_"),
        ("scales/smoke/schedules/images/steps", 5, "scales.smoke.schedules.images.steps: unknown key"),
        (
            "scales/smoke/schedules/images/learning_rate",
            float("inf"),
            "learning_rate: input should be a finite",
        ),
        ("scales/smoke/schedules/images/decay_at", [0.9, 0.1], "expected ascending fractions"),
        ("scales/smoke/store/sample_rate", 44100 + 50, "sample_rate: input should be a multiple of 200"),
        ("bootstrap", {"seed": 0}, "bootstrap.draws: missing"),
        ("scales/smoke/store/sied", 3, "scales.smoke.store.sied: unknown key; did you mean 'side'?"),
        ("scales/smoke/store/side", 1, "scales.smoke.store.side: input should be greater than or equal to 8"),
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
        ("seeds", "seeds: missing"),
        ("protocols", "protocols: missing"),
        ("runs/rotation/train", "runs.rotation.train: missing"),
        ("runs/rotation/train/networks", "runs.rotation.train.networks: missing"),
        ("protocols/linear/label", "protocols.linear.label: missing"),
    ],
)
def test_a_missing_key_is_named(tmp_path: Path, key: str, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        read_parameters(changed(tmp_path, key, None, remove=True))


@pytest.mark.parametrize(
    ("key", "value"), [("suites", {"image": {"of": "images"}}), ("pretrained", {}), ("images", "toyworld-stills")]
)
def test_a_file_of_the_old_form_is_told_the_new_one(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(UserError) as caught:
        read_parameters(changed(tmp_path, key, value))
    said = str(caught.value)
    assert f"params.yaml: {key}: a key of an older form; each run is now one block, runs.NAME: {{train, eval" in said
    assert "\n" not in said
    assert "docs/architecture.md" in said


def test_what_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("scale: smoke\nseeds: [0\n")
    with pytest.raises(UserError, match=r"params\.yaml:3: not valid YAML"):
        read_parameters(path)


def test_a_run_that_stands_twice_is_named_with_its_line(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    path = tmp_path / "params.yaml"
    again = '  rotation: {train: {method: "reference:RandomInitialisation"}}\n'
    path.write_text(text.replace("\nprotocols:\n", f"\n{again}protocols:\n"))
    line = path.read_text()[: path.read_text().index(again)].count("\n") + 1
    with pytest.raises(UserError) as caught:
        read_parameters(path)
    assert str(caught.value) == f"{path}:{line}: not valid YAML: the key 'rotation' stands twice; remove one"
