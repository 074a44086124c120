"""What the smoke pipeline leaves behind."""

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors.torch import load_file

from selfsup.networks.convnet import ConvNet
from tests.project import LINEAR, RUN, WEIGHTS, Project

EVALUATIONS = "runs/evaluations/smoke"

pytestmark = pytest.mark.slow


def test_every_built_row_of_the_table_is_measured(made_once: Project) -> None:
    table = (made_once.root / "reports/table.md").read_text()
    metrics = json.loads((made_once.root / "reports/metrics.json").read_text())["measured"]
    for run in ("random", "supervised", "rotation"):
        value = metrics[run]["linear"]["top1"]
        assert 0 <= value["low"] <= value["value"] <= value["high"] <= 1
        assert f"`{run}.linear.top1`" in table
        assert f"{100 * value['value']:.1f} %" in table
    assert (made_once.root / "reports/figures/toyworld.png").read_bytes().startswith(b"\x89PNG")
    assert (made_once.root / "reports/figures/toyworld.webp").read_bytes()[8:12] == b"WEBP"


def test_predictions_are_one_a_test_clip(made_once: Project) -> None:
    folder = made_once.root / LINEAR
    predictions = pd.read_parquet(folder / "predictions.parquet").query("metric == 'top1'")
    index = pd.read_parquet(made_once.root / "data/decoded/smoke/toyworld-stills/index/test.parquet")
    assert sorted(predictions["id"]) == sorted(index["id"])
    accuracy = (predictions["label"] == predictions["prediction"]).mean()
    assert json.loads((folder / "numbers.json").read_text())["numbers"][0]["value"] == pytest.approx(accuracy)


def test_neighbours_are_training_stills_and_what_is_retrieved_are_other_test_clips(made_once: Project) -> None:
    for protocol, split in (
        ("toyworld-stills/knn", "toyworld-stills/train/"),
        ("toyworld/retrieval", "toyworld/test/"),
    ):
        path = made_once.root / EVALUATIONS / protocol / "toyworld/ave_net/seed-0/predictions.parquet"
        table = pq.read_table(path).to_pandas()
        assert all(found.startswith(split) for row in table["retrieved"] for found in row)
        assert not any(one in found for one, found in zip(table["id"], table["retrieved"], strict=True))
    for name in ("neighbours", "retrieval"):
        width, _ = Image.open(made_once.root / f"reports/figures/{name}.png").size
        assert width > 800


def test_weights_load_into_the_plain_network(made_once: Project) -> None:
    ConvNet(widths=[16, 32, 64], side=32).load_state_dict(load_file(made_once.root / WEIGHTS))


def test_every_stage_left_a_receipt(made_once: Project) -> None:
    receipts = [json.loads(path.read_text()) for path in made_once.root.rglob("*receipt.json")]
    assert {one["stage"] for one in receipts} == {
        *(
            "fetch",
            "crop",
            "decode",
            "index",
            "mine",
            "pretrain",
            "evaluate",
            "report",
            "publish",
            "shortcuts",
            "reel",
        ),
    }
    for receipt in receipts:
        assert receipt["seconds"] > 0
        assert len(receipt["commit"]) == 40
        assert receipt["modified"] is False
        for file in receipt["outputs"]:
            assert (made_once.root / file["path"]).exists()


def test_a_run_that_is_done_leaves_no_checkpoint(made_once: Project) -> None:
    assert not list(made_once.root.rglob("checkpoint.safetensors"))
    assert list((made_once.root / WEIGHTS).parent.glob("tensorboard/events.*"))


def test_another_clean_run_gives_the_same_bytes(made_once: Project, project: Project) -> None:
    """Of a run of each family, from the rendering of its clips to its numbers."""
    of_clips = {"shuffle_and_learn": ("action_finetuned", "order"), "ave_net": ("sound_svm", "retrieval")}
    evaluations = [LINEAR] + [
        f"{EVALUATIONS}/toyworld/{protocol}/toyworld/{run}/seed-0"
        for run, protocols in of_clips.items()
        for protocol in protocols
    ]
    runs = [RUN, *(f"runs/smoke/toyworld/{run}/seed-0" for run in of_clips)]
    project.run("snakemake", "--cores", "all", *(f"{one}/numbers.json" for one in evaluations))
    made = [path.relative_to(project.root) for path in project.root.glob("data/decoded/smoke/*/*.arrow")]
    assert len(made) > 6
    made.append(Path("data/raw/smoke/toyworld/files.parquet"))
    made += [Path(one, name) for one in evaluations for name in ("numbers.json", "predictions.parquet")]
    made += [Path(one, name) for one in runs for name in ("model.safetensors", "log.csv")]
    for path in made:
        assert (project.root / path).read_bytes() == (made_once.root / path).read_bytes(), path


def test_a_report_of_the_same_runs_is_the_same_bytes(made: Project) -> None:
    folder = made.root / "reports/smoke/toyworld"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "receipt.json"}
    assert {"table.md", "metrics.json"} < {path.name for path in before}
    made.pipeline("report", "--scale", "smoke", "--dataset", "toyworld")
    for path, content in before.items():
        assert path.read_bytes() == content, path
