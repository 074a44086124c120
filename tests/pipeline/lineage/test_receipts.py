"""Receipts are written when everything is whole, and their hashes are DVC's."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import files
from pipeline.errors import UserError
from pipeline.lineage import receipts
from pipeline.lineage.receipts import kept_current, open_receipt, read_receipt


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/a.txt").write_text("a")


def stage(output: str = "out/b.txt", inputs: tuple[str, ...] = ("in/a.txt",)):
    return open_receipt(
        "fetch",
        receipt=Path(output).parent / "receipt.json",
        inputs=[Path(one) for one in inputs],
        outputs=[Path(output)],
        parameters={"scale": "smoke"},
        identity={"dataset": "x"},
    )


def fails(error: Exception) -> None:
    with stage() as job:
        job.partial(Path("out/b.txt")).write_text("half")
        raise error


def test_a_receipt_tells_what_was_read_and_written() -> None:
    with stage() as job:
        job.partial(Path("out/b.txt")).write_text("b")
        job.notes["count"] = 1
    receipt = read_receipt(Path("out/receipt.json"))
    assert [one["path"] for one in receipt["inputs"]] == ["in/a.txt"]
    assert receipt["inputs"][0]["md5"] == "0cc175b9c0f1b6a831c399e269772661"
    assert receipt["outputs"][0]["md5"] == "92eb5ffee6ae2fec3ad71c777531578f"
    assert receipt["parameters"] == {"scale": "smoke"}
    assert receipt["notes"] == {"count": 1}
    assert receipt["packages"]["torch"][0].isdigit()
    assert receipt["peak_memory_bytes"] > 2**20


def test_nothing_is_left_of_a_stage_that_fails() -> None:
    with stage() as job:
        job.partial(Path("out/b.txt")).write_text("before")
    with pytest.raises(ZeroDivisionError):
        fails(ZeroDivisionError())
    assert sorted(path.name for path in Path("out").iterdir()) == ["b.txt", "receipt.json"]
    assert Path("out/b.txt").read_text() == "before"


def test_a_full_disk_is_one_clear_line() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/b.txt")
    with pytest.raises(UserError, match=r"out/b\.txt: No space left on device; fetch wrote nothing"):
        fails(full)
    assert list(Path("out").iterdir()) == []


def test_a_job_whose_parameters_changed_after_it_was_planned_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(receipts.PLANNED, files.digest({"scale": "default"}))
    with pytest.raises(UserError, match=r"params\.yaml: changed after this job was planned"), stage():
        pass
    monkeypatch.setenv(receipts.PLANNED, files.digest({"scale": "smoke"}))
    with stage() as job:
        job.partial(Path("out/b.txt")).write_text("b")


def test_missing_inputs_are_named_with_the_command_that_makes_them() -> None:
    said = r"a b\.txt, in/none\.txt: missing, and fetch needs them; `snakemake 'a b\.txt' in/none\.txt` makes them"
    with pytest.raises(UserError, match=said), stage(inputs=("a b.txt", "in/none.txt")):
        pass


def test_a_missing_input_is_named() -> None:
    with pytest.raises(UserError, match=r"in/none\.txt: missing, and fetch needs it"), stage(inputs=("in/none.txt",)):
        pass


@pytest.mark.parametrize("change", [lambda path: path.write_text("other"), lambda path: path.unlink()])
@pytest.mark.parametrize("read", ["in/a.txt", "in"])
def test_nothing_is_made_from_an_input_that_changes_meanwhile(read: str, change: Callable[[Path], object]) -> None:
    with stage(inputs=(read,)) as job:
        job.partial(Path("out/b.txt")).write_text("before")

    def work_from_what_changes() -> None:
        with stage(inputs=(read,)) as job:
            job.partial(Path("out/b.txt")).write_text("after")
            change(Path("in/a.txt"))

    with pytest.raises(UserError, match=f"{read}: changed while fetch worked from it"):
        work_from_what_changes()
    assert sorted(path.name for path in Path("out").iterdir()) == ["b.txt", "receipt.json"]
    assert Path("out/b.txt").read_text() == "before"


def test_a_hash_is_inherited_while_the_file_is_untouched_and_computed_when_not() -> None:
    with stage("out/b.txt") as job:
        job.partial(Path("out/b.txt")).write_text("b")
    path = Path("out/receipt.json")
    receipt = json.loads(path.read_text())
    receipt["outputs"][0]["md5"] = "inherited"
    path.write_text(json.dumps(receipt))
    assert receipts.describe(Path("out/b.txt"))["md5"] == "inherited"
    Path("out/b.txt").write_text("c")
    assert receipts.describe(Path("out/b.txt"))["md5"] == files.md5_of(Path("out/b.txt"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stage": "x"}', '{"stage": "fetch", "inputs": [], "outputs": [{}]}'])
def test_a_broken_receipt_is_named(text: str) -> None:
    Path("receipt.json").write_text(text)
    with pytest.raises(UserError, match=r"receipt\.json: not a receipt"):
        read_receipt(Path("receipt.json"))


def is_current(parameters: dict[str, str] | None = None, dataset: str = "x") -> bool:
    return kept_current(
        Path("out/receipt.json"),
        [Path("in/a.txt")],
        [Path("out/b.txt")],
        parameters or {"scale": "smoke"},
        {"dataset": dataset},
    )


def test_what_is_current_is_kept_and_touched() -> None:
    """A job of several receipts makes anew those alone that have to be; Snakemake goes by the times of all."""
    assert not is_current(), "nothing is there yet"
    with stage() as job:
        job.partial(Path("out/b.txt")).write_text("b")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in Path("out").iterdir()}
    assert len(before) == 2
    os.utime("in/a.txt")
    assert is_current()
    for path, (content, when) in before.items():
        assert path.read_bytes() == content
        assert path.stat().st_mtime_ns > max(when, Path("in/a.txt").stat().st_mtime_ns - 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda: Path("in/a.txt").write_text("other"),
        lambda: Path("in/a.txt").unlink(),
        lambda: Path("out/b.txt").write_text("c"),
        lambda: Path("out/b.txt").unlink(),
        lambda: Path("out/receipt.json").write_text("{"),
        lambda: Path("out/receipt.json").unlink(),
    ],
)
def test_what_does_not_follow_from_the_same_is_not_current(change: Callable[[], object]) -> None:
    with stage() as job:
        job.partial(Path("out/b.txt")).write_text("b")
    change()
    assert not is_current()


def test_other_parameters_or_another_job_are_not_current() -> None:
    with stage() as job:
        job.partial(Path("out/b.txt")).write_text("b")
    assert not is_current(parameters={"scale": "default"})
    assert not is_current(dataset="y")


def test_hashes_are_those_of_dvc() -> None:
    Path("in/b").mkdir()
    for name, text in (("b/ü c.txt", "1"), ("b/a.txt", "2"), ("z", ""), (files.SNAKEMAKE_TIMESTAMP, "not content")):
        Path("in", name).write_text(text)
    Path(".dvcignore").write_text(files.SNAKEMAKE_TIMESTAMP)
    for command in (["init", "--no-scm", "--quiet"], ["add", "--quiet", "in"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], check=True)
    [line] = [line for line in Path("in.dvc").read_text().splitlines() if "md5:" in line]
    assert files.md5(Path("in")) == line.split("md5: ")[1]
