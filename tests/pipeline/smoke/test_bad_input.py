"""What is wrong is named in one line, and nothing is lost."""

import re

import pytest

from tests.project import FEATURES, LINEAR, RUN, WEIGHTS, Project

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("stage", "file", "expected"),
    [
        ("features", WEIGHTS, "not a readable checkpoint"),
        ("features", "data/decoded/smoke/toyworld-stills/train-000.arrow", "not a readable shard"),
        ("evaluate", FEATURES, "holds no readable features"),
        ("evaluate", f"{RUN}/heads.safetensors", "not a readable checkpoint"),
    ],
)
def test_what_is_corrupt_is_named_by_the_stage_that_reads_it(
    made: Project, stage: str, file: str, expected: str
) -> None:
    (made.root / file).write_bytes(b"\0" * 100)
    kept = [made.root / path for path in (f"{LINEAR}/numbers.json", FEATURES) if path != file]
    before = [path.read_bytes() for path in kept]
    arguments = "--scale smoke --dataset toyworld-stills --run rotation --seed 0 --on toyworld-stills"
    protocol = ["--protocol", "linear"] if stage == "evaluate" else []
    done = made.pipeline(stage, *arguments.split(), *protocol, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {file}: {expected}")
    assert done.stderr.count("\n") == 1
    assert [path.read_bytes() for path in kept] == before


def test_a_damaged_shard_is_made_anew_as_the_message_says_and_nothing_is_trained_again(made: Project) -> None:
    shard = "data/decoded/smoke/toyworld-stills/train-000.arrow"
    before = (made.root / shard).read_bytes()
    (made.root / shard).write_bytes(before[: len(before) // 2])
    stage = "features --scale smoke --dataset toyworld-stills --run rotation --seed 0 --on toyworld-stills"
    said = made.pipeline(*stage.split(), check=False).stderr
    assert f"{shard}: not a readable shard" in said
    assert f"delete it, and `snakemake {shard}` makes it anew" in said
    (made.root / shard).unlink()
    assert f"`snakemake {shard}` makes it" in made.pipeline(*stage.split(), check=False).stderr
    made.run("snakemake", "--cores", "all", shard)
    assert (made.root / shard).read_bytes() == before
    assert made.pending() == ["publish", "report"]


def test_a_misspelt_key_stops_both_drivers_before_any_job(made: Project) -> None:
    made.edit("params.yaml", "action: {dims: 256", "action: {dms: 256")
    for command in ("snakemake --cores all reports/table.md", "dvc repro", "python -m pipeline audit"):
        done = made.run(*command.split(), check=False)
        assert done.returncode != 0
        assert "error: params.yaml: scales.smoke.protocols.action.dms: unknown key; did you mean 'dims'?" in done.stderr
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


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        ("pretrain --dataset toyworld --run", "rotatoin"),
        ("features --dataset toyworld-stills --on toyworld-stills --run", "rotatoin"),
        ("evaluate --dataset toyworld-stills --on toyworld-stills --run rotation --protocol", "liner"),
    ],
)
def test_a_stage_asked_for_what_params_do_not_name_is_one_line(made_once: Project, stage: str, named: str) -> None:
    done = made_once.run(*f"python -m pipeline {stage} {named} --scale smoke --seed 0".split(), check=False)
    assert done.returncode == 1
    assert re.fullmatch(
        rf"error: params\.yaml: .*no run.* '{named}'; did you mean '(rotation|linear)'\?\n", done.stderr
    )


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
