"""What a change makes stale in Snakemake and in DVC is the same, for every kind of parameter and of fingerprint."""

import pytest

from tests.project import Project

pytestmark = pytest.mark.slow

CLIPS = {"pretrain", "evaluate", "report", "publish"}
FROZEN = {"features", "evaluate", "report", "publish"}
LEARNING = CLIPS | FROZEN
STILLS = {"decode", "index"} | LEARNING
DECODED = {"mine"} | STILLS
PRETRAIN = {"pretrain-images", "pretrain-video", "pretrain-audiovisual"}
FEATURES = {"features-image", "features-vision"}
OF_NETWORKS = {"evaluate-video", "evaluate-order", "evaluate-sound", "evaluate-correspondence"}
EVALUATE = {"evaluate-image", "evaluate-vision"} | OF_NETWORKS
"""Rules and stages by name, whatever their run or split."""

PARAMETERS = {
    "scales.smoke.datasets.toyworld.clips.train": (
        121,
        {"fetch", "crop"} | DECODED,
        {"fetch", "decode", "decode-images"},
    ),
    "scales.smoke.datasets.toyworld-stills.jitter": (0.9, {"crop"} | STILLS, {"crop"}),
    "scales.smoke.store.jpeg_quality": (91, DECODED, {"decode", "decode-images"}),
    "scales.smoke.mining.motion": (0.03, {"mine"} | CLIPS, {"decode"}),
    "scales.smoke.training.rotation.networks.encoder.widths": ([16, 32, 48], LEARNING, {"pretrain-images"}),
    "scales.smoke.training.ave_net.schedule.steps": (61, LEARNING, {"pretrain-audiovisual"}),
    "scales.smoke.features.dims": (128, FROZEN, FEATURES),
    "watch.neighbours": (10, LEARNING, PRETRAIN),
    "device": ("cpu", LEARNING, PRETRAIN | FEATURES | EVALUATE),
    "scales.smoke.threads": (2, LEARNING, PRETRAIN | FEATURES | EVALUATE),
    "bootstrap.draws": (3000, {"evaluate", "report", "publish"}, EVALUATE | {"report"}),
    "seeds": ([0, 1], LEARNING, PRETRAIN | FEATURES | EVALUATE | {"report"}),
}
"""By key: another value, the rules that are then stale, and the stages, those that the change itself reaches."""

CODE = {
    "stages/fetch": ({"fetch", "crop"} | DECODED, {"fetch"}),
    "stages/crop": ({"crop"} | STILLS, {"crop"}),
    "stages/decode": (DECODED, {"decode", "decode-images"}),
    "stages/index": ({"index", "mine"} | LEARNING, {"decode", "decode-images"}),
    "stages/mine": ({"mine"} | CLIPS, {"decode"}),
    "stages/pretrain": (LEARNING, PRETRAIN | FEATURES | OF_NETWORKS),
    "stages/features": (FROZEN, FEATURES),
    "stages/evaluate": ({"evaluate", "report", "publish"}, EVALUATE),
    "stages/report": ({"report", "publish"}, {"report"}),
    "stages/publish": ({"publish"}, {"report"}),
}
"""By module of the pipeline, of whose code a fingerprint stands: the same."""


def stale(project: Project) -> tuple[set[str], set[str]]:
    """Rules that Snakemake would run for the table, and stages that DVC finds changed."""
    project.run("dvc", "repro", "fingerprint")
    return {job.split()[0] for job in project.pending()}, {stage.partition("@")[0] for stage in project.stale_in_dvc()}


@pytest.mark.parametrize("key", PARAMETERS)
def test_a_parameter_makes_the_same_stale_in_both(made: Project, key: str) -> None:
    value, *expected = PARAMETERS[key]
    made.set(key, value)
    assert stale(made) == tuple(expected)


@pytest.mark.parametrize("module", CODE)
def test_code_makes_the_same_stale_in_both(made: Project, module: str) -> None:
    path = made.root / "pipeline" / f"{module}.py"
    path.write_text(f"{path.read_text()}\nCHANGED = True\n")
    assert stale(made) == CODE[module]
