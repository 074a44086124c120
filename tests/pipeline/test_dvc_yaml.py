"""dvc.yaml and the Snakefile name the same dependencies and parameters, stage by stage."""

from pathlib import Path

import pytest
from dvc.repo import Repo
from dvc.stage import PipelineStage

from pipeline import parameters
from tests.project import ROOT, Project

# The Snakemake rules that make what a DVC stage calls its outputs, and the arguments of keys_of that go with them.
RULES = {
    "fetch": [("fetch", "")],
    "crop": [("crop", "")],
    "decode": [("decode", ""), ("index", ""), ("mine", "")],
    "decode-images": [("decode", ""), ("index", "")],
    **{f"pretrain-{group}": [("pretrain", "run")] for group in ("images", "video", "audiovisual")},
    **{
        f"evaluate-{suite}": [("evaluate", "protocol")]
        for suite in ("image", "sight", "video", "order", "sound", "correspondence")
    },
    "report": [("report", ""), ("publish", "")],
}
OF_STILLS = ("crop", "decode-images")


def stages(root: Path) -> list[PipelineStage]:
    """With their templates filled in; the first stage, which refreshes fingerprints, has no rule."""
    found = [stage for stage in Repo(str(root)).index.stages if isinstance(stage, PipelineStage)]
    return [stage for stage in found if stage.name != "fingerprint"]


def inputs_by_rule(project: Project) -> dict[str, set[str]]:
    done = project.run("snakemake", "-n", "--forceall", "data", "reports/table.md")
    found: dict[str, set[str]] = {}
    rule = ""
    for line in (done.stdout + done.stderr).splitlines():
        if line.startswith(("rule ", "localrule ")):
            rule = line.split()[1].rstrip(":")
        elif line.strip().startswith("input:"):
            found.setdefault(rule, set()).update(line.split(":", 1)[1].strip().split(", "))
    return found


def test_what_dvc_depends_on_snakemake_does_too(project: Project) -> None:
    inputs = inputs_by_rule(project)
    for stage in stages(project.root):
        read = set().union(*(inputs[rule] for rule, _ in RULES[stage.name.split("@")[0]]))
        for dependency in (dep.def_path for dep in stage.deps if dep.def_path != "params.yaml"):
            # The report depends on the folder of all runs, since DVC cannot list what a matrix makes.
            inside = [path for path in read if path == dependency or path.startswith(f"{dependency}/")]
            assert inside, f"{stage.name} depends on {dependency}, which no rule reads"
            assert dependency in read or stage.name == "report", f"{stage.name}: only parts of {dependency} are read"


def test_both_track_the_same_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    read = parameters.read()
    for stage in stages(ROOT):
        name, _, item = stage.name.partition("@")
        tracked = {key for dep in stage.deps if dep.def_path == "params.yaml" for key in getattr(dep, "params", [])}
        expected: set[str] = set()
        for rule, kind in RULES[name]:
            if rule == "index":
                continue
            chosen = {"run": item.partition("-")[0], "protocol": item.rpartition("-")[2], "": ""}[kind]
            dataset = read.images if name in OF_STILLS else read.dataset
            expected.update(parameters.keys_of(rule, read.scale, dataset, chosen))
        assert tracked == expected, stage.name


def test_every_evaluation_has_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    read = parameters.read()
    in_dvc = {stage.name for stage in stages(ROOT) if stage.name.startswith("evaluate-")}
    expected = {
        f"evaluate-{suite}@{run}-{seed}-{protocol}"
        for suite, members in read.suites.items()
        for run in members.runs
        for seed in read.seeds
        for protocol in members.protocols
    }
    assert in_dvc == expected
