"""A copy of this repository to run whole programs in."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from pipeline.validation import Loader
from tests.jobs import Job, listed

ROOT = Path(__file__).resolve().parents[1]

ROTATION = "ssl/selfsup/methods/image/rotation.py"
RUN = "runs/smoke/toyworld-stills/rotation/seed-0"
LINEAR = "runs/evaluations/smoke/toyworld-stills/linear/toyworld-stills/rotation/seed-0"
WEIGHTS = f"{RUN}/model.safetensors"


LIMIT_SECONDS = 1200.0
"""That a command may take: the whole smoke pipeline takes two minutes, on a machine that does other work some more."""


def run(*command: str, cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A command, its output kept. Raises AssertionError, after killing it with all that it has started, for one that
    takes too long: a test that hangs would say nothing."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            out, error = process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, error = process.communicate()
            raise AssertionError(f"{' '.join(command)} took {LIMIT_SECONDS:.0f} s:\n{out}\n{error}") from None
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # a session of its own hears no Ctrl-C
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, error)


@dataclass(frozen=True)
class Project:
    """A copy of the repository, a git repository of its own, in which commands run this copy's code."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """In which commands run this copy's code: the installation itself points to the original."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        source = os.pathsep.join([str(self.root), str(self.root / "ssl")])
        environment = {**os.environ, "PATH": path, "PYTHONPATH": source, "COLUMNS": "200"}
        environment.pop("SNAKEMAKE_PROFILE", None)
        return environment

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command in the copy's root, its output kept."""
        done = run(*command, cwd=self.root, environment=self.environment)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def pipeline(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("python", "-m", "pipeline", *arguments, check=check)

    def jobs(self, *targets: str) -> list[Job]:
        """What Snakemake would run."""
        done = self.run("snakemake", "-n", *targets)
        return listed(done.stdout + done.stderr)

    def pending(self) -> list[str]:
        """Names of the jobs that Snakemake would run for the table."""
        return sorted({name for job in self.jobs("reports/table.md") for name in job.names})

    def stale_in_dvc(self) -> list[str]:
        """Stages whose own dependencies, parameters or outputs have changed, as DVC sees it."""
        return sorted(json.loads(self.run("dvc", "status", "--json").stdout))

    def set(self, key: str, value: object) -> None:
        """Change a key of params.yaml, its parts joined by dots."""
        change_settings(self.root / "params.yaml", key, value)

    def keep_runs(self, *names: str, protocols: Collection[str] = ()) -> None:
        """Leave only these runs in params.yaml and data/tables.yaml, and of their protocols, if any are named, only
        those. One that was compared with a run that goes is compared with itself."""
        path, tables = self.root / "params.yaml", self.root / "data/tables.yaml"
        data = read_settings(path)
        runs = {name: data["runs"][name] for name in names}
        for name, run in runs.items():
            kept = {one: with_ for one, with_ in run["evaluate"].items() if one in protocols or not protocols}
            run["evaluate"] = {one: with_ if with_ in runs else name for one, with_ in kept.items()}
        write_settings(path, {**data, "runs": runs})
        lecture = read_settings(tables)
        for row in (row for table in lecture["tables"] for row in table["rows"]):
            aliases = (row["measured"] or {}).items()
            row["measured"] = {column: alias for column, alias in aliases if alias.split(".")[0] in runs} or None
        write_settings(tables, lecture)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        path = self.root / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new))

    def copied_to(self, root: Path) -> "Project":
        """The same with everything that was made in it, times of files included: Snakemake goes by them."""
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root)


def read_settings(path: Path = ROOT / "params.yaml") -> dict[str, Any]:
    """A YAML file as plain values, no part of it shared with another as YAML's anchors share them."""
    plain: dict[str, Any] = json.loads(json.dumps(yaml.load(path.read_text(), Loader=Loader)))
    return plain


def write_settings(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def change_settings(path: Path, key: str, value: object) -> None:
    """Change a key of a params.yaml, its parts joined by dots."""
    data = read_settings(path)
    *parents, last = key.split(".")
    place = data
    for part in parents:
        place = place[part]
    place[last] = value
    write_settings(path, data)


def enter_settings(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Works in a folder that holds the repository's params.yaml and cards, and none of its data."""
    monkeypatch.chdir(root)
    (root / "data").mkdir()
    (root / "data" / "cards").mkdir()
    for card in (ROOT / "data" / "cards").glob("*.yaml"):
        if not is_somebodys(card):
            shutil.copyfile(card, root / "data" / "cards" / card.name)
    shutil.copyfile(ROOT / "params.yaml", root / "params.yaml")


def is_somebodys(path: Path) -> bool:
    """Whether it is the card of a folder that whoever runs the tests has added."""
    return path.parent == ROOT / "data/cards" and "\nkind: folder\n" in path.read_text()


def project_at(root: Path) -> Project:
    """The repository's files, committed or not, at the smoke scale and with one seed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file() and not is_somebodys(ROOT / name):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    (root / "dvc.lock").unlink(missing_ok=True)
    parameters = root / "params.yaml"
    settings = read_settings(parameters)
    text = parameters.read_text().replace(f"scale: {settings['scale']} ", "scale: smoke ", 1)
    text = text.replace(f"seeds: {settings['seeds']} ", "seeds: [0] ", 1)
    assert "\nscale: smoke " in f"\n{text}"
    assert "\nseeds: [0] " in text
    parameters.write_text(text)
    project = Project(root)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.run("git", "config", "user.email", "tests@localhost")
    project.run("git", "config", "user.name", "tests")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "Copy")
    return project


def once(folder: Path, make: Callable[[Project], None]) -> Project:
    """A copy in a folder that several processes share, in which the first of them made something. Where that failed, or
    was cut off, every later one fails at once, with the same words: it would take minutes to fail again."""
    root, failed = folder / "smoke", folder / "smoke.failed"
    with FileLock(folder / "smoke.lock"):
        if failed.exists():
            raise AssertionError(failed.read_text())
        if not root.exists():
            failed.write_text(f"{root} was cut off while it was made")
            root.mkdir()
            try:
                make(project_at(root))
            except AssertionError as error:
                failed.write_text(f"{root} could not be made: {error}")
                raise
            failed.unlink()
    return Project(root)
