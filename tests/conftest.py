"""Copies of this repository: fresh, and with the whole smoke pipeline made."""

from pathlib import Path

import pytest

from tests.project import Project, project_at


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy in which nothing was made yet."""
    root = tmp_path / "project"
    root.mkdir()
    return project_at(root)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which the whole smoke pipeline has run, recorded in DVC. Tests take copies of it: `made`."""
    root = tmp_path_factory.mktemp("smoke") / "project"
    root.mkdir()
    project = project_at(root)
    project.run("snakemake", "--cores", "all", "reports/table.md", "reports/cues.md", "reports/figures/toyworld.webp")
    project.pipeline("record")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "Record the smoke pipeline")
    return project


@pytest.fixture
def made(made_once: Project, tmp_path: Path) -> Project:
    """The whole smoke pipeline, made and recorded, to be changed at will."""
    return made_once.copied_to(tmp_path / "project")
