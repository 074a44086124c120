"""What is wrong is named in one line, and nothing is lost."""

import pytest

from tests.project import LINEAR, WEIGHTS, Project

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (WEIGHTS, "not a readable checkpoint"),
        ("data/decoded/smoke/toyworld-stills/train-000.arrow", "not a readable shard"),
    ],
)
def test_what_is_corrupt_is_named_by_the_stage_that_reads_it(made: Project, file: str, expected: str) -> None:
    (made.root / file).write_bytes(b"\0" * 100)
    numbers = made.root / LINEAR / "numbers.json"
    before = numbers.read_bytes()
    arguments = "--scale smoke --dataset toyworld-stills --run rotation --seed 0 --on toyworld-stills --protocol linear"
    done = made.pipeline("evaluate", *arguments.split(), check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {file}: {expected}")
    assert done.stderr.count("\n") == 1
    assert numbers.read_bytes() == before


def test_a_misspelt_key_stops_both_drivers_before_any_job(made: Project) -> None:
    made.edit("params.yaml", "dims: 256", "dms: 256")
    for command in ("snakemake --cores all reports/table.md", "dvc repro", "python -m pipeline audit"):
        done = made.run(*command.split(), check=False)
        assert done.returncode != 0
        assert "error: params.yaml: scales.smoke.protocols.linear.dms: unknown key; did you mean 'dims'?" in done.stderr
        assert "Traceback" not in done.stderr
    assert (made.root / "reports/table.md").exists()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            "reports/smke/toyworld/table.md",
            "error: reports/smke/toyworld/table.md: there is no scale 'smke'; did you mean",
        ),
        ("reports/tabel.md", "error: reports/tabel.md: nothing makes this file; did you mean 'reports/table.md'?"),
        ("reports/smoke/toywrld/table.md", "there is no card for dataset 'toywrld'; did you mean 'toyworld'?"),
    ],
)
def test_a_target_that_is_not_there_is_one_line(made_once: Project, target: str, expected: str) -> None:
    done = made_once.run("snakemake", "--cores", "all", target, check=False)
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_one_line_and_leaves_what_was_there(made: Project) -> None:
    shard = made.root / "data/decoded/smoke/toyworld/train-000.arrow"
    before = shard.read_bytes()
    # A limit on the size of files stands for a disk that is full in the middle of one.
    decode = "python -m pipeline decode --scale smoke --dataset toyworld --split train --shard 0"
    done = made.run("bash", "-c", f"ulimit -f 2000; {decode}", check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: data/decoded/smoke/toyworld")
    assert "decode wrote nothing" in done.stderr
    assert shard.read_bytes() == before
    assert not list(made.root.rglob(".*.partial"))
