"""Which keys of params.yaml a stage depends on, and which runs a change of one therefore reaches."""

import json
from pathlib import Path

import pytest

from pipeline.dag import Dag
from pipeline.parameters import keys_of, read_parameters
from tests.pipeline.parameters.changed import changed


def test_a_run_depends_on_its_own_block_and_on_what_it_names() -> None:
    read = read_parameters()
    used = read.used(keys_of(read, "pretrain", "smoke", "toyworld-stills", "rotation"))
    assert set(used) == {
        "runs.rotation.train",
        "scales.smoke.networks.stills",
        "scales.smoke.schedules.images",
        "watch",
        "device",
        "scales.smoke.threads",
    }
    assert used["runs.rotation.train"]["method"] == "image.rotation:Rotation"


def test_a_protocol_depends_on_no_run() -> None:
    read = read_parameters()
    keys = keys_of(read, "evaluate", "smoke", "toyworld-stills", "linear")
    assert {"protocols.linear", "scales.smoke.protocols.linear", "scales.smoke.features"} < set(keys)
    assert not [key for key in keys if key.startswith("runs")]


def test_stills_are_divided_as_their_clips_are() -> None:
    assert keys_of(read_parameters(), "decode", "smoke", "toyworld-stills") == [
        "scales.smoke.store",
        "scales.smoke.datasets.toyworld-stills.clips_per_shard",
        "scales.smoke.datasets.toyworld.clips",
    ]


def runs_of(field: str, name: str) -> set[str]:
    """Those whose block names it."""
    return {run for run, block in read_parameters().runs.items() if getattr(block.train, field) == name}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("runs/rotation/train/arguments/turns", [0, 180], lambda: {"rotation"}),
        ("runs/rotation/train/steps/smoke", 61, lambda: {"rotation"}),
        ("runs/rotation/evaluate", {}, set),
        ("scales/smoke/schedules/images/weight_decay", 0.01, lambda: runs_of("schedule", "images")),
        ("scales/smoke/networks/pairs/sound/pool", 5, lambda: runs_of("networks", "pairs")),
        ("scales/default/schedules/images/weight_decay", 0.01, set),
        ("protocols/linear/arguments/max_iterations", 7, set),
        ("watch/neighbours", 7, lambda: set(read_parameters().runs)),
    ],
)
def test_a_change_reaches_the_runs_that_it_is_about(tmp_path: Path, key: str, value: object, expected) -> None:
    before, after = Dag(read_parameters()), Dag(read_parameters(changed(tmp_path, key, value)))
    told = {
        run: [dag.used("pretrain", "smoke", block.train.on, run) for dag in (before, after)]
        for run, block in before.parameters.runs.items()
    }
    assert {run for run, (one, other) in told.items() if one != other} == expected()


def test_a_jobs_parameters_are_those_of_its_receipt() -> None:
    read = read_parameters()
    keys = keys_of(read, "pretrain", "smoke", "toyworld-stills", "rotation")
    assert json.loads(Dag(read).used("pretrain", "smoke", "toyworld-stills", "rotation")) == read.used(keys)
