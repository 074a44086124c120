"""Fingerprints follow the meaning of the code that a stage reaches, and nothing else."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import paths
from pipeline.lineage.fingerprints import fingerprint, normalised, path_of, reached, refresh
from pipeline.parameters import read_parameters
from pipeline.parameters.models import class_paths
from tests.project import Project, change_settings, enter_settings, read_settings


def text(source: str, registry: str | None = None) -> str:
    return normalised(ast.parse(source), registry)


@pytest.mark.parametrize(
    "same",
    [
        "def f(x):\n    return x + 1",
        "def f(x):\n    # a comment\n    return (x + 1)",
        'def f(x):\n    """A docstring."""\n    return x + 1',
        '"""A module\'s docstring."""\n\n\ndef f(x):\n\n    return x  +  1\n',
        'def f(x): return x + 1\n"""About what stands above."""',
    ],
)
def test_comments_docstrings_and_layout_do_not_count(same: str) -> None:
    assert text(same) == text("def f(x): return x + 1")


@pytest.mark.parametrize(
    "other",
    [
        "def f(x): return x + 2",
        "def f(x): return x + 1.0",
        "def f(x): return x - 1",
        "def f(y): return y + 1",
        "def f(x=1): return x + 1",
        "async def f(x): return x + 1",
        "@cache\ndef f(x): return x + 1",
    ],
)
def test_whatever_changes_what_runs_counts(other: str) -> None:
    assert text(other) != text("def f(x): return x + 1")


def test_a_registry_does_not_count_but_what_stands_beside_it_does() -> None:
    assert text("A = {'x': 1}\nb = 1", "A") == text("A: dict = {'x': 1, 'y': 2}\nb = 1", "A")
    assert text("A = {'x': 1}\nb = 1", "A") != text("A = {'x': 1}\nb = 2", "A")


def test_a_run_reaches_its_method_and_network_and_no_other() -> None:
    roots = ["pipeline.stages.pretrain", "selfsup.methods.image.rotation:Rotation", "selfsup.networks.convnet:ConvNet"]
    modules = {module.name for module in reached([root.partition(":")[0] for root in roots])}
    assert {
        "selfsup.training",
        "selfsup.views.geometry",
        "pipeline.store.source",
        "selfsup.networks.convnet",
    } <= modules
    assert "selfsup.methods.reference" not in modules
    assert "selfsup.networks.alexnet" not in modules
    # What only watches, or hands on values that are recorded themselves, may change without retraining anything.
    assert not {"pipeline.cli", "pipeline.parameters", "pipeline.lineage.receipts"} & modules


def test_an_edit_of_a_probe_trains_nothing_anew() -> None:
    """Though pretraining is watched by what resembles one."""
    names = {module.name for module in reached(["pipeline.stages.pretrain"])}
    assert {name for name in names if name.startswith("selfsup.probes.")} == {"selfsup.probes.watch"}


def test_roots_count() -> None:
    same_file = "selfsup.networks.convnet"
    one, other = (fingerprint([f"{same_file}:{name}"], {})["fingerprint"] for name in ("ConvNet", "Standardised"))
    assert one != other


def test_a_run_that_another_begins_with_counts_with_its_parameters_and_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_settings(tmp_path, monkeypatch)
    change_settings(paths.PARAMETERS, "runs.rotation.train.init_from", {"encoder": "ave_net"})

    def of(run: str) -> dict[str, Any]:
        refresh(read_parameters(), "smoke")
        found: dict[str, Any] = json.loads(path_of("pretrain", "smoke", run).read_text())
        return found

    before = of("rotation")
    assert "selfsup.methods.audiovisual.ave_net:AVENet" in before["roots"]
    assert "selfsup.methods.audiovisual.ave_net" in before["modules"]
    assert before["begins_with"].keys() == {"ave_net"}
    others = {run: of(run)["fingerprint"] for run in ("supervised", "ave_net")}
    change_settings(paths.PARAMETERS, "runs.ave_net.train.steps.smoke", 31)
    assert of("rotation")["fingerprint"] != before["fingerprint"]
    assert {run: of(run)["fingerprint"] for run in others} == others
    assert "begins_with" not in of("ave_net")


def test_classes_that_arguments_name_are_reached() -> None:
    """As a method that is made of others does."""
    arguments = {"tasks": {"a": "image.rotation:Rotation"}, "other": ["1:2", "a: B", "image.supervised:Supervised"]}
    assert class_paths(arguments) == ["image.rotation:Rotation", "image.supervised:Supervised"]


def fingerprints(project: Project) -> dict[str, str]:
    project.pipeline("fingerprint", "--scale", "smoke")
    folder = project.root / "runs/fingerprints/smoke"
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text())["fingerprint"]
        for path in sorted(folder.rglob("*.json"))
    }


def changed_by(project: Project, before: dict[str, str]) -> set[str]:
    after = fingerprints(project)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.slow
def test_edits_of_files_change_what_they_reach(project: Project) -> None:
    rotation = "ssl/selfsup/methods/image/rotation.py"
    before = fingerprints(project)
    times = {path: path.stat().st_mtime_ns for path in (project.root / "runs/fingerprints/smoke").rglob("*.json")}

    (project.root / rotation).write_text((project.root / rotation).read_text() + "\n# a comment\n")
    assert changed_by(project, before) == set()
    assert {path: path.stat().st_mtime_ns for path in times} == times, "an unchanged fingerprint was written anew"

    (project.root / rotation).write_text((project.root / rotation).read_text() + "\nCONSTANT = 1\n")
    assert changed_by(project, before) == {"pretrain/rotation.json"}
    before = fingerprints(project)

    (project.root / rotation).with_name("new.py").write_text((project.root / rotation).read_text())
    assert changed_by(project, before) == set(), "a new method file made a run stale"
    project.set("runs.new", {"train": read_settings()["runs"]["rotation"]["train"] | {"method": "image.new:Rotation"}})
    assert changed_by(project, before) == {"pretrain/new.json"}
    before = fingerprints(project)

    project.set("runs.rotation.train.arguments.turns", [0, 180])
    project.set("scales.smoke.schedules.images.weight_decay", 0.01)
    assert changed_by(project, before) == set(), "parameters stand in receipts and in what drivers are told"


@pytest.mark.slow
def test_code_that_changes_under_a_planned_job_stops_it(project: Project) -> None:
    project.pipeline("fingerprint", "--scale", "smoke")
    source = project.root / "pipeline/datasets/toyworld/encode.py"
    source.write_text(source.read_text() + "\nCONSTANT = 1\n")
    done = project.pipeline("fetch", "--scale", "smoke", "--dataset", "toyworld", check=False)
    assert done.returncode == 1
    assert "fetch/toyworld.json: is of other code than what is here now" in done.stderr
    assert not Path(project.root / "data/raw").exists()
