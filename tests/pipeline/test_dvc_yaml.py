"""dvc.yaml and the Snakefile name the same dependencies and parameters, stage by stage."""

from itertools import product
from pathlib import Path

import pytest
from dvc.repo import Repo
from dvc.stage import PipelineStage

from pipeline import parameters
from pipeline.extra_inputs import reads_features
from pipeline.parameters import read_parameters
from selfsup.probes import PROTOCOLS
from tests.project import ROOT, Project

# The Snakemake rules that make what a DVC stage calls its outputs, and the arguments of keys_of that go with them.
RULES = {
    "fetch": [("fetch", "")],
    "crop": [("crop", "")],
    "decode": [("decode", ""), ("index", ""), ("mine", "")],
    "decode-images": [("decode", ""), ("index", "")],
    **{f"pretrain-{group}": [("pretrain", "run")] for group in ("images", "video", "audiovisual")},
    **{f"features-{suite}": [("features", "")] for suite in ("image", "vision")},
    **{
        f"evaluate-{suite}": [("evaluate", "protocol")]
        for suite in ("image", "vision", "video", "order", "sound", "correspondence")
    },
    "report": [("report", ""), ("publish", "")],
}
OF_STILLS = ("crop", "decode-images")


def stages(root: Path) -> list[PipelineStage]:
    """With their templates filled in; the first stage, which refreshes fingerprints, has no rule."""
    found = [stage for stage in Repo(str(root)).index.stages if isinstance(stage, PipelineStage)]
    return [stage for stage in found if stage.name != "fingerprint"]


Jobs = dict[tuple[str, str, str], set[str]]


def inputs_of_jobs(project: Project) -> Jobs:
    """By rule, run and protocol (none for most), of all jobs that agree in them."""
    done = project.run("snakemake", "-n", "--forceall", "data", "reports/table.md")
    found: Jobs = {}
    rule, read, values = "", set[str](), dict[str, str]()
    for line in [*(done.stdout + done.stderr).splitlines(), "rule end:"]:
        if line.startswith(("rule ", "localrule ")):
            found.setdefault((rule, values.get("run", ""), values.get("protocol", "")), set()).update(read)
            rule, read, values = line.split()[1].rstrip(":"), set(), {}
        elif line.strip().startswith("input:"):
            read = set(line.split(":", 1)[1].strip().split(", "))
        elif line.strip().startswith("wildcards:"):
            values = dict(part.strip().split("=") for part in line.split(":", 1)[1].split(","))
    return found


def read_by(jobs: Jobs, stage: PipelineStage) -> set[str]:
    """What the rules of a stage read: of a matrix, for its item, RUN-SEED or RUN-SEED-PROTOCOL."""
    name, _, item = stage.name.partition("@")
    run, _, protocol = item.split("-") if item.count("-") == 2 else (item.partition("-")[0], "", "")
    return set().union(*(jobs[rule, run, protocol] for rule, _ in RULES[name]))


def dependencies(stage: PipelineStage) -> set[str]:
    return {dep.def_path for dep in stage.deps if dep.def_path != "params.yaml"}


# A matrix's dependencies are those of all its runs: some read less.
OF_SOME_RUNS = {"pretrain-video": ("/tuples/train.parquet", "/annotations"), "pretrain-audiovisual": ("/annotations",)}


def test_what_dvc_depends_on_snakemake_does_too(project: Project) -> None:
    jobs = inputs_of_jobs(project)
    of_group: dict[str, set[str]] = {}
    for stage in stages(project.root):
        name = stage.name.partition("@")[0]
        read = read_by(jobs, stage)
        of_group.setdefault(name, set()).update(read)
        for dependency in dependencies(stage):
            if name in OF_SOME_RUNS and dependency.endswith(OF_SOME_RUNS[name]):
                continue
            # The report depends on the folders of all runs, since DVC cannot list what a matrix makes.
            inside = [path for path in read if path == dependency or path.startswith(f"{dependency}/")]
            assert inside, f"{stage.name} depends on {dependency}, which no rule reads"
            assert dependency in read or name == "report", f"{stage.name}: only parts of {dependency} are read"
    for name, ends in OF_SOME_RUNS.items():
        for end in ends:
            assert any(path.endswith(end) for path in of_group[name]), f"no run of {name} reads {end}"


def test_what_a_run_reads_in_snakemake_dvc_depends_on_too(project: Project) -> None:
    jobs = inputs_of_jobs(project)
    for stage in stages(project.root):
        if stage.name.startswith(("pretrain-", "features-", "evaluate-")):
            # Shards change with their index.
            read = {path for path in read_by(jobs, stage) if not path.endswith(".arrow")}
            assert read <= dependencies(stage), f"{stage.name} lacks {sorted(read - dependencies(stage))}"


def test_both_track_the_same_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    read = read_parameters()
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


def test_every_evaluation_and_its_features_have_their_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    read = read_parameters()
    expected = set()
    for suite, members in read.suites.items():
        for run, seed in product(members.runs, read.seeds):
            expected |= {f"evaluate-{suite}@{run}-{seed}-{protocol}" for protocol in members.protocols}
            if reads_features(PROTOCOLS[read.protocols[members.protocols[0]].probe]):
                expected.add(f"features-{suite}@{run}-{seed}")
    assert {stage.name for stage in stages(ROOT) if stage.name.startswith(("evaluate-", "features-"))} == expected


def test_every_fingerprint_that_a_stage_depends_on_is_one_that_dvc_refreshes(project: Project) -> None:
    """Else it would be a source file to DVC, and hashed before it is refreshed."""
    found = [stage for stage in Repo(str(project.root)).index.stages if isinstance(stage, PipelineStage)]
    (first,) = (stage for stage in found if stage.name == "fingerprint")
    refreshed = [out.def_path for out in first.outs]
    read = {path for stage in found for path in dependencies(stage) if "/fingerprints/" in path}
    assert len(read) > 20
    for path in sorted(read):
        assert any(path == out or path.startswith(f"{out}/") for out in refreshed), path
