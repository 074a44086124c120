"""A run that begins with another run's weights: they are loaded, recorded, and count as what the other one saw."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pipeline import paths
from pipeline.errors import UserError
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import read_receipt
from pipeline.parameters import read_parameters
from pipeline.stages.evaluate import evaluate
from pipeline.stages.pretrain import pretrain
from tests.pipeline.stages.stills import DATASET, edit, write_split

pytestmark = [pytest.mark.usefixtures("decoded"), pytest.mark.slow]

SEEN_TOO = 5
"""Test stills whose source file the other run was trained on."""


def begin(run: str, source: str) -> None:
    edit(("runs", run, "train"), {"init_from": {"encoder": source}})
    fingerprints.refresh(read_parameters(), "smoke")


def folder(run: str, dataset: str = DATASET) -> Path:
    return paths.run("smoke", dataset, run, 0)


def trained(run: str, dataset: str = DATASET) -> dict[str, torch.Tensor]:
    pretrain(read_parameters(), "smoke", dataset, run, 0)
    return load_file(folder(run, dataset) / "model.safetensors")


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def overlap(run: str) -> dict[str, int]:
    """By split: source files that pretraining has used too."""
    evaluate(read_parameters(), "smoke", DATASET, run, 0, DATASET, ["knn"])
    path = paths.evaluation("smoke", DATASET, run, 0, DATASET, "knn") / "numbers.json"
    told: dict[str, int] = json.loads(path.read_text())["overlap"]
    return told


def elsewhere(run: str) -> None:
    """Train it on another dataset, which has some files of the stills' test split."""
    edit(("runs", run, "train"), {"on": "toyworld"})
    edit(("runs", run, "train", "arguments"), {"label": "object"})
    write_split("test", 20)
    shared = [f"{DATASET}/test/{number:06d}" for number in range(SEEN_TOO)]
    write_split("train", 40, dataset="toyworld", origins=shared)
    write_split("validation", 20, dataset="toyworld")


def test_weights_are_those_of_the_other_run_and_inputs_of_the_receipt() -> None:
    begin("random", "supervised")
    source = trained("supervised")
    assert equal(trained("random"), source)
    receipt = read_receipt(folder("random") / "receipt.json")
    read = {one["path"]: one["md5"] for one in receipt["inputs"]}
    made = {one["path"]: one["md5"] for one in read_receipt(folder("supervised") / "receipt.json")["outputs"]}
    for name in ("model.safetensors", "heads.safetensors"):
        path = (folder("supervised") / name).as_posix()
        assert read[path] == made[path]
    assert receipt["parameters"]["runs.random.train"]["init_from"] == {"encoder": "supervised"}


def test_what_is_trained_begins_there() -> None:
    alone = trained("rotation")
    begin("rotation", "supervised")
    # One step of a rate at which nothing moves, but for what batches' statistics are.
    edit(("runs", "rotation", "train", "steps"), {"smoke": 1})
    edit(("runs", "rotation", "train"), {"learning_rate": {"smoke": 1e-12}})
    source = trained("supervised")
    begun = trained("rotation")
    weights = [name for name in source if name.endswith("weight")]
    assert weights
    for name in weights:
        torch.testing.assert_close(begun[name], source[name])
    assert not all(torch.allclose(alone[name], source[name]) for name in weights)


def test_another_source_makes_a_checkpoint_of_another_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Its weights count among what a checkpoint is of."""
    begin("rotation", "supervised")
    trained("supervised")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.stages.pretrain.write_log", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            trained("rotation")
    edit(("runs", "supervised", "train", "steps"), {"smoke": 11})
    fingerprints.refresh(read_parameters(), "smoke")
    trained("supervised")
    capsys.readouterr()
    trained("rotation")
    assert "training starts anew" in capsys.readouterr().err


def _cut_off(*_: Any) -> None:
    raise KeyboardInterrupt


def test_overlap_counts_what_the_other_run_was_trained_on() -> None:
    elsewhere("supervised")
    trained("supervised", "toyworld")
    trained("rotation")
    assert overlap("rotation") == {"train": 40, "validation": 0, "test": 0}
    begin("rotation", "supervised")
    trained("rotation")
    assert overlap("rotation") == {"train": 40, "validation": 0, "test": SEEN_TOO}


def test_a_run_that_is_not_trained_itself_has_seen_what_its_weights_have() -> None:
    elsewhere("supervised")
    trained("supervised", "toyworld")
    trained("random")
    assert overlap("random") == {"train": 0, "validation": 0, "test": 0}
    begin("random", "supervised")
    trained("random")
    assert overlap("random")["test"] == SEEN_TOO
    # And so has one that begins with it.
    begin("rotation", "random")
    trained("rotation")
    assert overlap("rotation")["test"] == SEEN_TOO


def test_missing_weights_are_named_with_the_command_that_makes_them() -> None:
    begin("rotation", "supervised")
    missing = (folder("supervised") / "model.safetensors").as_posix()
    with pytest.raises(UserError, match=rf"{missing}, .*: missing, and pretrain needs them; `snakemake {missing} .*`"):
        trained("rotation")


def test_networks_that_differ_are_one_line() -> None:
    """Of two network sets of the same streams."""
    edit(
        ("scales", "smoke", "networks"),
        {"wide": {"encoder": {"network": "convnet:ConvNet", "widths": [8], "side": 32}}},
    )
    for scale in ("default", "paper"):
        edit(
            ("scales", scale, "networks"),
            {"wide": {"encoder": {"network": "convnet:ConvNet", "widths": [8], "side": 32}}},
        )
    edit(("runs", "supervised", "train"), {"networks": "wide"})
    begin("rotation", "supervised")
    trained("supervised")
    with pytest.raises(
        UserError, match=r"run rotation at scale smoke: init_from\.encoder: the networks differ"
    ) as caught:
        trained("rotation")
    assert "\n" not in str(caught.value)
