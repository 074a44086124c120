"""From a number back to its bytes, from a clip forward to its numbers, and clips that are withdrawn."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.project import LINEAR, RUN, WEIGHTS, Project, read_settings

pytestmark = pytest.mark.slow


def top1(project: Project) -> float:
    """Of rotation, as the table prints it."""
    metrics = json.loads((project.root / "reports/metrics.json").read_text())
    return metrics["measured"]["rotation"]["linear"]["top1"]["value"]


def test_the_chain_reaches_from_a_number_to_its_sources(made_once: Project) -> None:
    told = json.loads(made_once.pipeline("audit", "rotation.linear.top1", "--json").stdout)
    assert told["number"].startswith("smoke/toyworld-stills/rotation/seeds/toyworld-stills/linear/")
    assert told["values"][0]["value"] == pytest.approx(top1(made_once), abs=1e-6)
    stages = [step["stage"] for step in told["chain"]]
    assert stages[:4] == ["publish", "report", "evaluate", "pretrain"]
    assert told["printed"]["value"] == top1(made_once)
    assert stages[-1] == "fetch"
    assert {"index", "decode"} < set(stages)
    text = made_once.pipeline("audit", "rotation.linear.top1").stdout
    for part in (
        "told  runs.rotation.train",
        "trained on 240 of toyworld-stills/train",
        "tested on 120 of toyworld-stills/test",
        "commit",
    ):
        assert part in text


ALWAYS = {"publish", "report", "evaluate", "pretrain", "index", "decode", "fetch"}


@pytest.mark.parametrize(
    ("number", "stages"),
    [
        ("begun_rotation.knn.top1", ALWAYS | {"crop"}),
        ("supervised.knn.top1", ALWAYS | {"crop"}),
        ("shuffle_and_learn.action.top1_few", ALWAYS | {"mine"}),
        ("ave_net.correspondence.accuracy", ALWAYS),
        ("ave_net.linear.top1", ALWAYS | {"crop"}),
    ],
)
def test_a_chain_holds_the_stages_of_its_family(made_once: Project, number: str, stages: set[str]) -> None:
    told = json.loads(made_once.pipeline("audit", number, "--json").stdout)
    assert {step["stage"] for step in told["chain"]} == stages
    trained = [step["run"] for step in told["chain"] if step["stage"] == "pretrain"]
    assert trained == ([number.split(".")[0], "supervised"] if number.startswith("begun") else [number.split(".")[0]])


def test_a_place_in_the_table_is_a_name(made_once: Project) -> None:
    table = (made_once.root / "reports/table.md").read_text()
    value = f"{100 * top1(made_once):.1f} %"
    [place] = re.findall(rf"^\| (\d+\.\d+)\s+\| Rotation.*{re.escape(value)}", table, re.MULTILINE)
    assert "/rotation/" in made_once.pipeline("audit", place, "--json").stdout


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("rotatoin.linear.top1", "did you mean 'rotation.linear.top1'?"),
        ("linear.top1", " numbers: "),
        ("1.1", "nothing is measured there yet; its cell is empty"),
        ("99.1", "99.1: there is no such row: the lecture has tables 1 to "),
    ],
)
def test_a_number_that_is_none_is_explained(made_once: Project, number: str, expected: str) -> None:
    done = made_once.pipeline("audit", number, check=False)
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_clip_leads_to_the_numbers_that_it_touched(made_once: Project) -> None:
    train = json.loads(made_once.pipeline("audit", "--file", "toyworld/train/000003", "--json").stdout)
    roles = {tuple(one["number"].split("/")[i] for i in (2, 5)): one["roles"] for one in train["numbers"]}
    assert roles["random", "linear"] == ["probe trained on"]
    assert roles["rotation", "linear"] == ["probe trained on", "trained on"]
    # Of its own question nothing is fitted.
    assert roles["ave_net", "correspondence"] == ["trained on"]
    numbers = json.loads((made_once.root / "reports/metrics.json").read_text())["ids"]
    touched = {one["number"] for one in train["numbers"]}
    made = {one for one in numbers if "/seed-0/" in one}
    # What is asked of an untrained network, and not read out of it, no training clip has touched.
    untouched = {one for one in made if re.search("/random_ave_net/.*/(correspondence|retrieval)/", one)}
    assert len(untouched) == 6
    assert touched == made - untouched
    path = made_once.pipeline(
        "audit", "--file", f"{made_once.root}/data/raw/smoke/toyworld/clips/test/000003.mp4"
    ).stdout
    assert path.count("tested on") == len(made)
    listed = made_once.pipeline("audit").stdout
    for alias, seed in (("rotation.linear.top1", "seeds"), ("rotation.seed-0.linear.top1", "seed-0")):
        assert re.search(rf"%  {re.escape(alias)} +smoke/toyworld-stills/rotation/{seed}/", listed)
    unknown = made_once.pipeline("audit", "--file", "toyworld/train/999999", check=False)
    assert "no such clip in toyworld at scale smoke" in unknown.stderr


def test_everything_is_verified(made_once: Project) -> None:
    assert "nothing differs" in made_once.pipeline("audit", "--verify").stdout


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "file",
    [
        WEIGHTS,
        "data/decoded/smoke/toyworld-stills/train-000.arrow",
        "data/raw/smoke/toyworld/clips/train/000003.mp4",
        f"{LINEAR}/predictions.parquet",
        "data/published.csv",
    ],
)
def test_one_flipped_byte_is_named(made: Project, file: str) -> None:
    flip(made.root / file)
    done = made.pipeline("audit", "--verify", check=False)
    assert done.returncode == 1
    assert f"error: {file}: differs" in done.stderr


def test_one_edited_digit_of_the_table_is_named(made: Project) -> None:
    value = f"{100 * top1(made):.1f} %"
    made.edit("reports/table.md", value, "99.9 %")
    done = made.pipeline("audit", "--verify", check=False)
    assert done.returncode == 1
    assert "error: reports/table.md: differs from what publish wrote" in done.stderr
    assert "error: reports/table.md: differs from what dvc.lock records" in done.stderr


def test_a_missing_receipt_is_named(made: Project) -> None:
    (made.root / f"{RUN}/receipt.json").unlink()
    done = made.pipeline("audit", "rotation.linear.top1", "--verify", check=False)
    assert done.returncode == 1
    assert f"{RUN}/receipt.json: this receipt is missing" in done.stderr


def test_a_cache_of_links_is_refused(made: Project) -> None:
    made.run("dvc", "config", "cache.type", "hardlink,symlink")
    done = made.pipeline("audit", "--verify", check=False)
    assert done.returncode == 1
    assert "cache.type is hardlink,symlink; set it to reflink,copy" in done.stderr


def test_an_excluded_test_clip_leaves_every_number_and_retrains_nothing(made: Project) -> None:
    weights = (made.root / WEIGHTS).stat().st_mtime_ns
    excluded = made.root / "data/excluded.txt"
    lines = "toyworld/test/000003 withdrawn by its owner\ntoyworld/test/999999 not there at this scale\n"
    excluded.write_text(excluded.read_text() + lines)
    assert not [job for job in made.pending() if job.startswith(("pretrain", "decode", "fetch", "index train"))]
    # Until the number is made again it is of the clip, whether or not the index has been made again already.
    indices = [f"data/decoded/smoke/{name}/index/test.parquet" for name in ("toyworld", "toyworld-stills")]
    for command in (["true"], ["snakemake", "--cores", "all", *indices]):
        driven = made.run(*command)
        told = made.pipeline("audit", "--file", "toyworld/test/000003").stdout
        assert told.count("tested on (excluded since; rerun)") == told.count("/seed-0/") > 30
        assert "used for nothing" not in told
    line = len(excluded.read_text().splitlines())
    # While planning, and by the stage that reads it.
    for where in ("toyworld as listed at scale smoke", "what is indexed at scale smoke"):
        told = f"warning: data/excluded.txt:{line}: toyworld/test/999999 is not in {where}, so nothing is excluded"
        assert told in driven.stderr
    assert "toyworld/test/000003 is not in" not in driven.stderr
    blocks = read_settings(made.root / "params.yaml")["runs"]
    evaluated = {f"evaluate {run} {protocol}" for run, block in blocks.items() for protocol in block["evaluate"]}
    assert evaluated == {job for job in made.pending() if job.startswith("evaluate")}
    # Every number is to be made again; of some runs, of stills and of clips, it is.
    made.keep_runs("random", "rotation", "random_ave_net", "ave_net", protocols=["linear", "knn", "correspondence"])
    made.run("snakemake", "--cores", "all", "reports/table.md")
    assert (made.root / WEIGHTS).stat().st_mtime_ns == weights
    folder = made.root / LINEAR
    assert "toyworld/test/000003" not in set(pd.read_parquet(folder / "predictions.parquet")["parent"])
    table = (made.root / "reports/table.md").read_text()
    assert "withdrawn by its owner" in table
    assert "toyworld/test/999999" in table
    told = made.pipeline("audit", "--file", "toyworld/test/000003").stdout
    assert "used for nothing: excluded: withdrawn by its owner" in told
    assert "tested on" not in told


def test_an_excluded_validation_clip_retrains_what_was_watched_on_it(made: Project) -> None:
    told = json.loads(made.pipeline("audit", "--file", "toyworld/validation/000003", "--json").stdout)
    roles = {tuple(one["number"].split("/")[i] for i in (2, 5)): one["roles"] for one in told["numbers"]}
    assert roles["rotation", "linear"] == ["chosen on", "watched on"]
    assert roles["random", "linear"] == ["chosen on"]
    assert roles["ave_net", "correspondence"] == ["watched on"]
    excluded = made.root / "data/excluded.txt"
    excluded.write_text(excluded.read_text() + "toyworld/validation/000003 blurred\n")
    assert "pretrain rotation" in made.pending()


def test_an_excluded_training_clip_retrains_what_saw_it(made: Project) -> None:
    excluded = made.root / "data/excluded.txt"
    excluded.write_text(excluded.read_text() + "toyworld/train/000003 blurred\n")
    pending = made.pending()
    assert "index train" in pending
    assert "pretrain rotation" in pending
    assert not [job for job in pending if job.startswith(("decode", "fetch", "index test", "index validation"))]
