"""Which keys of params.yaml a stage depends on."""

from pipeline import parameters
from pipeline.parameters import read_parameters


def test_a_stage_depends_on_its_own_keys_only() -> None:
    read = read_parameters()
    keys = parameters.keys_of("pretrain", "smoke", "toyworld", "rotation")
    used = read.used(keys)
    assert set(used) == {"runs.rotation", "scales.smoke.training.rotation", "watch", "device", "scales.smoke.threads"}
    assert used["runs.rotation"]["method"] == "rotation"


def test_stills_are_divided_as_their_clips_are() -> None:
    assert parameters.keys_of("decode", "smoke", read_parameters().images) == [
        "scales.smoke.store",
        "scales.smoke.datasets.toyworld-stills.clips_per_shard",
        "scales.smoke.datasets.toyworld.clips",
    ]
