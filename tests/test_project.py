"""What tests of the whole pipeline stand on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import ROOT, Project, once


def test_what_is_made_once_is_made_once(tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        project = once(tmp_path, made.append)
        assert (project.root / "params.yaml").exists()
    assert len(made) == 1


def test_what_failed_is_not_tried_again(tmp_path: Path) -> None:
    tried = []

    def fails(project: Project) -> None:
        tried.append(project)
        project.run("python", "-c", "raise SystemExit('no space')")

    for _ in range(2):
        with pytest.raises(AssertionError, match="no space"):
            once(tmp_path, fails)
    assert len(tried) == 1


def test_what_was_cut_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    def cut(project: Project) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once(tmp_path, cut)
    with pytest.raises(AssertionError, match="was cut off while it was made"):
        once(tmp_path, cut)


@pytest.mark.slow
def test_tests_run_without_the_plugin_that_runs_them_in_parallel() -> None:
    command = [
        "-m",
        "pytest",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "--setup-plan",
        "tests/pipeline/smoke/test_bad_input.py",
    ]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "made_once" in done.stdout
