"""Copies of this repository: fresh, and with the whole smoke pipeline made. Cores, where pytest runs in parallel."""

import os
from pathlib import Path

import pytest

from tests.project import Project, once, project_at, read_settings

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@pytest.hookimpl(optionalhook=True)  # of a plugin that may be switched off
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """As many as there are cores that this process may run on; pytest-xdist would count the machine's."""
    return len(CORES) or None


def pytest_configure(config: pytest.Config) -> None:
    """Gives each of pytest's parallel processes cores of its own, one where there are more processes than cores:
    threads that share a core wait for each other."""
    worker = getattr(config, "workerinput", None)
    if worker is not None and CORES:
        number = int(worker["workerid"][2:])
        os.sched_setaffinity(0, CORES[number :: worker["workercount"]] or [CORES[number % len(CORES)]])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy in which nothing was made yet."""
    root = tmp_path / "project"
    root.mkdir()
    return project_at(root)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which the whole smoke pipeline has run, recorded in DVC; one for all of pytest's processes, so nothing
    is changed in it. Tests that do take copies of it: `made`."""
    own = tmp_path_factory.getbasetemp()
    return once(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own, make_all)


FAMILIES = (
    *("random", "supervised", "rotation"),
    *("random_video", "supervised_video", "shuffle_and_learn", "shuffle_and_learn_background"),
    *("random_sound", "random_ave_net", "ave_net"),
)
"""Runs that between them have every stage and protocol; that every other run trains too, one test says."""


def make_all(project: Project) -> None:
    """A few runs of each part of the lecture, and one that begins with another's weights. On every core: whoever else
    needs it waits."""
    project.keep_runs(*FAMILIES)
    begun = read_settings(project.root / "params.yaml")["runs"]["rotation"]
    begun["train"] |= {"init_from": {"encoder": "supervised"}}
    project.set("runs.begun_rotation", {**begun, "evaluate": {"knn": "random"}})
    project.run("git", "commit", "--quiet", "--all", "--message", "Keep a few runs")
    mine = os.sched_getaffinity(0) if CORES else set()
    if CORES:
        os.sched_setaffinity(0, CORES)
    try:
        project.run(
            *("snakemake", "--cores", "all", "reports/table.md", "reports/images.md"),
            *("reports/shortcuts.md", "reports/figures/toyworld.webp"),
        )
        project.pipeline("readme")
        project.pipeline("record")
    finally:
        if CORES:
            os.sched_setaffinity(0, mine)
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "Record the smoke pipeline")


@pytest.fixture
def made(made_once: Project, tmp_path: Path) -> Project:
    """The whole smoke pipeline, made and recorded, to be changed at will."""
    return made_once.copied_to(tmp_path / "project")
