"""dvc.yaml covers the Snakefile: what a job reads, is told or writes is a dependency, parameter or output of its stage.

A stage is coarser than a job: all seeds of a run, all runs of a protocol. So what makes a job stale makes its stage
stale; what else a stage then calls for has nothing to do.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo
from dvc.stage import PipelineStage

from pipeline.parameters import Parameters, keys_of, read_parameters
from tests.jobs import Job
from tests.project import ROOT, Project, project_at

pytestmark = pytest.mark.slow


def keys_of_job(job: Job, given: Parameters) -> set[str]:
    """The keys of params.yaml that a job depends on."""
    if job.protocols:
        told = [("evaluate", protocol) for protocol in job.protocols]
    else:
        told = [(job.rule, job.values.get("run", ""))] if job.rule != "index" else []
    dataset = job.values.get("dataset", given.dataset)
    return {key for stage, name in told for key in keys_of(given, stage, given.scale, dataset, name)}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """In which nothing was made."""
    root = tmp_path_factory.mktemp("dvc") / "project"
    root.mkdir()
    return project_at(root)


@pytest.fixture(scope="module")
def jobs(copied: Project) -> list[Job]:
    """All that lead to the table, and that make all data."""
    return copied.jobs("--forceall", "data", "reports/table.md")


@pytest.fixture(scope="module")
def stages(copied: Project) -> dict[str, PipelineStage]:
    """With their templates filled in."""
    found = Repo(str(copied.root)).index.stages
    return {stage.name: stage for stage in found if isinstance(stage, PipelineStage)}


@pytest.fixture(scope="module")
def given(copied: Project) -> Iterator[Parameters]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(copied.root)
        yield read_parameters()


def dependencies(stages: Iterable[PipelineStage]) -> set[str]:
    return {dep.def_path for stage in stages for dep in stage.deps if dep.def_path != "params.yaml"}


def tracked(stages: Iterable[PipelineStage]) -> set[str]:
    """Keys of params.yaml."""
    return {key for stage in stages for dep in stage.deps for key in getattr(dep, "params", [])}


def outputs(stages: Iterable[PipelineStage]) -> set[str]:
    return {out.def_path for stage in stages for out in stage.outs}


def covered(path: str, by: set[str], separator: str = "/") -> bool:
    return any(path == one or path.startswith(f"{one}{separator}") for one in by)


def test_every_job_has_its_stage_and_every_stage_a_job(jobs: list[Job], stages: dict[str, PipelineStage]) -> None:
    """The first stage, which refreshes fingerprints, has no rule."""
    assert set().union(*(job.stages for job in jobs)) == stages.keys() - {"fingerprint"}


def test_what_a_job_reads_dvc_depends_on(jobs: list[Job], stages: dict[str, PipelineStage]) -> None:
    lacking: dict[str, set[str]] = {}
    for job in jobs:
        own = [stages[name] for name in job.stages]
        within = dependencies(own) | outputs(own)
        if found := {path for path in job.read if not covered(path, within)}:
            lacking.setdefault(" ".join(sorted(job.stages)), set()).update(found)
    assert lacking == {}


def test_what_dvc_depends_on_some_job_reads(jobs: list[Job], stages: dict[str, PipelineStage]) -> None:
    """Of stages that are made of one template: some of them, if not each."""
    read: dict[str, set[str]] = {}
    for job in jobs:
        for name in job.stages:
            read.setdefault(name.partition("@")[0], set()).update(job.read)
    # Shards change with their index; of what is cut from clips, their annotations lead to the clips.
    stand_ins = {"data/decoded/", "data/raw/"}
    for name, stage in stages.items():
        for dependency in dependencies([stage]) if name != "fingerprint" else ():
            found = any(covered(path, {dependency}) for path in read[name.partition("@")[0]])
            assert found or dependency.startswith(tuple(stand_ins)), (
                f"{name} depends on {dependency}, which no job reads"
            )


def test_what_a_job_writes_is_an_output_of_its_stages(jobs: list[Job], stages: dict[str, PipelineStage]) -> None:
    for job in jobs:
        outs = outputs(stages[name] for name in job.stages)
        assert not [path for path in job.written if not covered(path, outs)], job


def test_what_a_job_is_told_dvc_tracks(jobs: list[Job], stages: dict[str, PipelineStage], given: Parameters) -> None:
    for job in jobs:
        keys = tracked(stages[name] for name in job.stages)
        assert not [key for key in keys_of_job(job, given) if not covered(key, keys, ".")], job


def test_a_runs_stage_is_of_its_own_block_alone(stages: dict[str, PipelineStage], given: Parameters) -> None:
    for run in given.runs:
        keys = tracked([stages[f"pretrain@{run}"]])
        assert keys == {*keys_of(given, "pretrain", given.scale, given.runs[run].train.on, run), "seeds"}


def test_every_dependency_is_made_by_a_stage_or_under_version_control(stages: dict[str, PipelineStage]) -> None:
    made = outputs(stages.values())
    for path in dependencies(stages.values()):
        within = [one for one in made if one.startswith(f"{path}/")]
        assert covered(path, made) or within or (ROOT / path).exists(), path
        # Else it would be a source file to DVC, and hashed before it is refreshed.
        assert "/fingerprints/" not in path or covered(path, outputs([stages["fingerprint"]])), path


def test_what_fingerprints_follow_from_is_tracked(stages: dict[str, PipelineStage], given: Parameters) -> None:
    assert {"pipeline", "ssl/selfsup", "data/excluded.txt"} <= dependencies([stages["fingerprint"]])
    assert tracked([stages["fingerprint"]]) == {"runs", "protocols", f"scales.{given.scale}"}


def test_a_stage_is_written_once_however_many_runs_there_are() -> None:
    assert len(Path(ROOT / "dvc.yaml").read_text().splitlines()) < 160
