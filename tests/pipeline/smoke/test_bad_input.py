"""What is wrong is named in one line, and nothing is lost."""

import re

import pytest

from tests.project import LINEAR, RUN, WEIGHTS, Project, read_settings

pytestmark = pytest.mark.slow


SHARD = "data/decoded/smoke/toyworld-stills/train-000.arrow"
EVALUATE = "evaluate --scale smoke --dataset toyworld-stills --run rotation --seed 0 --on toyworld-stills"


def test_what_is_corrupt_is_named_by_the_stage_that_reads_it(made: Project) -> None:
    before = (made.root / LINEAR / "numbers.json").read_bytes()
    damaged = {
        SHARD: "not a readable shard",
        WEIGHTS: "not a readable checkpoint",
        f"{RUN}/heads.safetensors": "not a readable checkpoint",
    }
    for file, expected in damaged.items():
        (made.root / file).write_bytes(b"\0" * 100)
        done = made.pipeline(*EVALUATE.split(), "--protocols", "linear,knn", check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {file}: {expected}")
        assert done.stderr.count("\n") == 1
        assert (made.root / LINEAR / "numbers.json").read_bytes() == before


def test_a_damaged_shard_is_made_anew_as_the_message_says_and_nothing_is_trained_again(made: Project) -> None:
    before = (made.root / SHARD).read_bytes()
    (made.root / SHARD).write_bytes(before[: len(before) // 2])
    evaluate = [*EVALUATE.split(), "--protocols", "linear"]
    said = made.pipeline(*evaluate, check=False).stderr
    assert f"{SHARD}: not a readable shard" in said
    assert f"delete it, and `snakemake {SHARD}` makes it anew" in said
    (made.root / SHARD).unlink()
    assert f"`snakemake {SHARD}` makes it" in made.pipeline(*evaluate, check=False).stderr
    made.run("snakemake", "--cores", "all", SHARD)
    assert (made.root / SHARD).read_bytes() == before
    assert made.pending() == ["publish", "report"]


def test_a_misspelt_key_stops_both_drivers_before_any_job(made: Project) -> None:
    sizes = read_settings(made.root / "params.yaml")["scales"]["smoke"]["protocols"]["action"]
    made.set("scales.smoke.protocols.action", {"dms" if key == "dims" else key: of for key, of in sizes.items()})
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
        ("evaluate --dataset toyworld-stills --on toyworld-stills --run rotation --protocols", "linear,liner"),
    ],
)
def test_a_stage_asked_for_what_params_do_not_name_is_one_line(made_once: Project, stage: str, named: str) -> None:
    done = made_once.run(*f"python -m pipeline {stage} {named} --scale smoke --seed 0".split(), check=False)
    assert done.returncode == 1
    assert re.fullmatch(
        rf"error: params\.yaml: .*no (run|protocol) '{named.split(',')[-1]}'; did you mean '(rotation|linear)'\?\n",
        done.stderr,
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
