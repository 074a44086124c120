"""params.yaml is refused as a whole, in one line that names the key: values of another kind or out of range."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.parameters import read_parameters
from tests.pipeline.parameters.changed import changed


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
        ("runs/rotation/argumets", {}, "runs.rotation.argumets: unknown key; did you mean 'arguments'?"),
        ("scales/smoke/training/rotation/schedule/warmup_steps", 60, "expected fewer than the 60 steps, found 60"),
        (
            "scales/smoke/training/rotation/schedule/learning_rate",
            float("inf"),
            "learning_rate: input should be a finite",
        ),
        ("scales/smoke/store/sample_rate", 44100 + 50, "sample_rate: input should be a multiple of 200"),
        ("bootstrap", {"seed": 0}, "bootstrap.draws: missing"),
        ("runs/a.b", {"method": "random", "arguments": {}}, "should match pattern"),
        ("scales/smoke/store/sied", 3, "scales.smoke.store.sied: unknown key; did you mean 'side'?"),
        ("scales/smoke/store/side", 1, "scales.smoke.store.side: input should be greater than or equal to 8"),
        ("scales/smoke/training/rotation/schedule/steps", 0, "schedule.steps: input should be greater than or equal"),
        ("scales/smoke/training/rotation/schedule/decay_at", [0.9, 0.1], "expected ascending fractions"),
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
        ("images", "images: missing"),
    ],
)
def test_a_missing_key_is_named(tmp_path: Path, key: str, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        read_parameters(changed(tmp_path, key, None, remove=True))


def test_what_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("scale: smoke\nseeds: [0\n")
    with pytest.raises(UserError, match=r"params\.yaml:3: not valid YAML"):
        read_parameters(path)
