"""Pretraining as a stage: what it leaves, what it goes on from, what it says of data and settings that do not work."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from pipeline import paths
from pipeline.cards import read_card
from pipeline.errors import UserError
from pipeline.lineage.receipts import read_receipt
from pipeline.parameters import read_parameters
from pipeline.run_files import checkpoint
from pipeline.run_files.checkpoint import read_checkpoint, write_checkpoint
from pipeline.stages.evaluate import evaluate
from pipeline.stages.pretrain import pretrain
from tests.pipeline.stages.stills import DATASET, edit, schedule, write_split
from tests.project import ROOT

pytestmark = pytest.mark.slow

KEPT = paths.checkpoint("smoke", DATASET, "rotation", 0)
FOLDER = KEPT.parent
OUTPUTS = ("model.safetensors", "heads.safetensors", "log.csv")


def trained(run: str = "rotation") -> dict[str, Any]:
    """The receipt's notes."""
    pretrain(read_parameters(), "smoke", DATASET, run, 0)
    return read_receipt(paths.run("smoke", DATASET, run, 0) / "receipt.json")["notes"]


def outputs(folder: Path = FOLDER) -> list[bytes]:
    return [(folder / name).read_bytes() for name in OUTPUTS]


def process() -> subprocess.Popen[str]:
    """The stage as Snakemake starts it."""
    source = os.pathsep.join([str(ROOT), str(ROOT / "ssl"), os.environ.get("PYTHONPATH", "")])
    given = ["--scale", "smoke", "--dataset", DATASET, "--run", "rotation", "--seed", "0"]
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "pretrain", *given],
        env={**os.environ, "PYTHONPATH": source},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("decoded")
def test_a_run_that_was_killed_goes_on_and_ends_in_the_same_bytes() -> None:
    schedule("rotation", steps=120, batch_size=16, checkpoint_every=10, watch_every=25)
    whole = process()
    assert whole.wait(timeout=120) == 0
    expected = outputs()
    shutil.rmtree(FOLDER)
    FOLDER.mkdir()  # as Snakemake does before a job

    killed = process()
    end = time.monotonic() + 120
    while not KEPT.exists():
        assert time.monotonic() < end
        assert killed.poll() is None
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert not any((FOLDER / name).exists() for name in (*OUTPUTS, "receipt.json"))

    resumed = process()
    _, said = resumed.communicate(timeout=120)
    assert resumed.returncode == 0
    assert f"{KEPT}: training goes on after step " in said
    assert outputs() == expected
    notes = read_receipt(FOLDER / "receipt.json")["notes"]
    assert notes["resumed_from_step"] in range(10, 120, 10)
    assert notes["steps"] == 120
    assert not KEPT.exists()
    assert not list(FOLDER.glob(".*"))


@pytest.mark.usefixtures("decoded")
def test_what_a_run_leaves() -> None:
    schedule("rotation", watch_every=6)
    notes = trained()
    assert {path.name for path in FOLDER.iterdir()} == {*OUTPUTS, "receipt.json", paths.TENSORBOARD}
    log = pd.read_csv(FOLDER / "log.csv")
    assert log["step"].tolist() == [4, 6, 8, 12]
    assert log["rotation"].notna().all()
    assert log.loc[log["knn_top1"].notna(), "step"].tolist() == [6, 12]
    # A colour a class: any network tells them apart, and this one has not collapsed.
    assert log["knn_top1"].iloc[-1] > 0.9
    assert log["feature_std"].iloc[-1] > 0.01
    assert 1 < log["effective_rank"].iloc[-1] <= 20
    assert notes["watch"] == {"split": "validation", "clips": 20, "bank": 40, "label": "object"}
    assert (notes["steps"], notes["images_seen"], notes["resumed_from_step"]) == (12, 96, None)
    assert (notes["device"], notes["precision"]) == ("cpu", "fp32")
    assert notes["images_per_second"] == pytest.approx(96 / notes["seconds_of_training"], rel=0.05)
    used = read_receipt(FOLDER / "receipt.json")["clips"]
    assert [(one["role"], one["split"], one["count"]) for one in used] == [
        ("trained on", "train", 40),
        ("watched on", "validation", 20),
    ]


@pytest.mark.usefixtures("decoded")
def test_tensorboard_shows_the_log_of_this_run_alone() -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trained()
    schedule("rotation", log_every=3)
    trained()
    events = EventAccumulator(str(FOLDER / paths.TENSORBOARD)).Reload()
    log = pd.read_csv(FOLDER / "log.csv")
    assert set(events.Tags()["scalars"]) == set(log.columns) - {"step"}
    shown = [(event.step, event.value) for event in events.Scalars("rotation")]
    assert [step for step, _ in shown] == log["step"].tolist() == [3, 6, 9, 12]
    assert [value for _, value in shown] == pytest.approx(log["rotation"].tolist())


@pytest.mark.usefixtures("decoded")
def test_who_watches_changes_no_weight() -> None:
    trained()
    alone = outputs()
    schedule("rotation", watch_every=3)
    trained()
    assert outputs()[:2] == alone[:2]


@pytest.mark.parametrize("damage", ["text", "cut", "flipped", "other"])
@pytest.mark.usefixtures("decoded")
def test_a_checkpoint_that_cannot_be_used_is_left_aside_with_one_line(
    damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    trained()
    expected = outputs()
    tensors = {"method/weight": torch.arange(1000.0)}
    write_checkpoint(KEPT, checkpoint.Checkpoint(5, 4, [], {}, tensors), "another run")
    content = bytearray(KEPT.read_bytes())
    content[-100] ^= 1
    match damage:
        case "text":
            KEPT.write_text("not a checkpoint")
        case "cut":
            KEPT.write_bytes(content[:1000])
        case "flipped":
            KEPT.write_bytes(content)
    capsys.readouterr()
    assert trained()["resumed_from_step"] is None
    assert outputs() == expected
    [line] = [line for line in capsys.readouterr().err.splitlines() if str(KEPT) in line]
    assert line.endswith("training starts anew")
    assert ("of other parameters, code, data or versions" in line) == (damage == "other")
    assert not KEPT.exists()


@pytest.mark.usefixtures("decoded")
def test_a_checkpoint_of_the_other_precision_is_left_aside(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    schedule("rotation", precision="auto", checkpoint_every=4)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    with monkeypatch.context() as at_the_end:
        at_the_end.setattr("pipeline.stages.pretrain.write_log", cut_off)
        with pytest.raises(KeyboardInterrupt):
            trained()
    assert KEPT.exists()
    kept = KEPT.read_bytes()
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    notes = trained()
    assert (notes["precision"], notes["resumed_from_step"]) == ("fp32", None)
    assert "training starts anew" in capsys.readouterr().err
    # By the precision that it is of, it would have been used.
    KEPT.write_bytes(kept)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    notes = trained()
    assert (notes["precision"], notes["resumed_from_step"]) == ("bf16", 8)


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    tensors = {
        "method/kernel": torch.randn(4, 3, 2, 2).contiguous(memory_format=torch.channels_last).contiguous(),
        "method/count": torch.tensor(7),
        "method/mask": torch.tensor([True, False]),
        "method/half": torch.randn(3).bfloat16(),
        "optimiser/main/kernel/step": torch.tensor(3.0),
    }
    rows = [{"step": 2, "images": 16, "learning_rate": 0.1, "main/loss": 1 / 3}]
    path = tmp_path / "checkpoint.safetensors"
    given = checkpoint.Checkpoint(3, 2, rows, {"main/loss": float(torch.tensor(0.1))}, tensors)
    write_checkpoint(path, given, "this run")
    read = read_checkpoint(path, "this run")
    assert read is not None
    assert (read.step, read.logged, read.rows, read.sums) == (3, 2, rows, given.sums)
    assert read.tensors.keys() == tensors.keys()
    assert all(torch.equal(read.tensors[name], tensors[name]) for name in tensors)
    assert read_checkpoint(tmp_path / "none.safetensors", "this run") is None


@pytest.mark.usefixtures("decoded")
def test_a_run_that_diverges_keeps_its_last_good_checkpoint() -> None:
    schedule("rotation", optimiser="sgd", learning_rate=1e18, checkpoint_every=1)
    with pytest.raises(
        UserError, match=r"not a number in step \d+ of 12; .* the last good checkpoint, after"
    ) as caught:
        trained()
    assert "\n" not in str(caught.value)
    assert KEPT.exists()
    assert not (FOLDER / "model.safetensors").exists()
    # With a rate that can work it is of other parameters.
    schedule("rotation", learning_rate=0.01)
    assert trained()["resumed_from_step"] is None


@pytest.mark.usefixtures("decoded")
def test_without_validation_clips_training_clips_are_watched_and_no_neighbours_asked() -> None:
    write_split("validation", 20, usable=False)
    schedule("rotation", watch_every=6)
    notes = trained()
    assert notes["watch"]["note"] == "no validation clips: training clips are watched, and no neighbours asked"
    columns = pd.read_csv(FOLDER / "log.csv").columns
    assert "feature_std" in columns
    assert "knn_top1" not in columns


@pytest.mark.usefixtures("decoded")
def test_a_class_with_one_clip_is_trained_and_watched() -> None:
    write_split("train", 40, one_of_its_class=True)
    write_split("validation", 20, one_of_its_class=True)
    schedule("supervised", watch_every=6)
    trained("supervised")
    log = pd.read_csv(paths.run("smoke", DATASET, "supervised", 0) / "log.csv")
    assert log["knn_top1"].iloc[-1] >= 0.9


@pytest.mark.usefixtures("decoded")
def test_a_batch_larger_than_the_data_is_named() -> None:
    schedule("rotation", batch_size=64)
    with pytest.raises(UserError, match=r"run rotation at scale smoke: a batch of 64 is more than the 40 entries"):
        trained()


@pytest.mark.usefixtures("decoded")
def test_a_machine_with_too_little_memory_is_told_which_number_to_change() -> None:
    edit(("scales", "smoke", "networks", "stills", "encoder"), {"side": 4096})
    code = (
        "import sys; from pipeline import memory, process; process.prepare(1)\n"
        "from pipeline.parameters import read_parameters\n"
        "from pipeline.stages.pretrain import pretrain; from pipeline.errors import UserError\n"
        "memory.limit_memory(3 * 2**30)  # 1500 MiB do not hold the compiler that an optimiser imports\n"
        f"try: pretrain(read_parameters(), 'smoke', '{DATASET}', 'rotation', 0)\n"
        "except UserError as error: sys.exit(f'error: {error}')"
    )
    source = os.pathsep.join([str(ROOT), str(ROOT / "ssl"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].startswith(
        "error: params.yaml: runs.rotation.train.batch_size.smoke: the memory of this machine's cpu is too small for "
        "batches of 8"
    ), done.stderr


@pytest.fixture
def own(decoded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same stills as somebody's own files: as few as they happen to be."""
    for reader in ("cards", "stages.pretrain"):
        monkeypatch.setattr(
            f"pipeline.{reader}.read_card", lambda name: read_card(name).model_copy(update={"kind": "folder"})
        )


@pytest.mark.usefixtures("own")
def test_own_files_that_are_fewer_than_a_batch_are_one() -> None:
    write_split("train", 5)
    notes = trained()
    assert (notes["batch_size"], notes["steps"], notes["images_seen"]) == (5, 12, 60)
    assert "refused" not in notes


@pytest.mark.usefixtures("own")
def test_own_files_that_are_too_few_to_train_on_say_so_in_run_and_evaluation() -> None:
    write_split("train", 1)
    write_split("test", 20)
    reason = "training takes two entries or more: there is 1"
    assert trained()["refused"] == reason
    assert read_receipt(FOLDER / "receipt.json")["clips"] == []
    evaluate_linearly("rotation")
    assert evaluated("rotation") == (reason, [], 0)


@pytest.mark.usefixtures("own")
def test_a_protocol_that_own_files_are_too_few_for_says_so() -> None:
    write_split("train", 8, one_of_its_class=True)
    write_split("test", 20)
    trained("random")
    evaluate_linearly("random")
    refused, numbers, predictions = evaluated("random")
    assert refused is None
    assert numbers[0]["metric"] == "top1"
    assert predictions == 20 * len(numbers)

    write_split("train", 1)
    evaluate_linearly("random")
    refused, numbers, predictions = evaluated("random")
    assert refused is not None
    assert refused.endswith("all 1 training clips have the same 'object': there is nothing to tell apart")
    assert (numbers, predictions) == ([], 0)


@pytest.mark.usefixtures("decoded")
def test_of_rendered_clips_too_few_are_an_error() -> None:
    write_split("train", 1)
    write_split("test", 20)
    trained("random")
    expected = r"^params\.yaml: protocol linear of run random on toyworld-stills at scale smoke: .* the same"
    with pytest.raises(UserError, match=expected):
        evaluate_linearly("random")


def evaluate_linearly(run: str) -> None:
    evaluate(read_parameters(), "smoke", DATASET, run, 0, DATASET, ["linear"])


def evaluated(run: str) -> tuple[str | None, list[dict[str, Any]], int]:
    """Why not, the numbers, and how many predictions."""
    folder = paths.evaluation("smoke", DATASET, run, 0, DATASET, "linear")
    said = json.loads((folder / "numbers.json").read_text())
    return said["refused"], said["numbers"], len(pd.read_parquet(folder / "predictions.parquet"))


@pytest.mark.usefixtures("decoded")
def test_a_run_that_does_not_train_has_no_log_and_no_watch() -> None:
    notes = trained("random")
    assert (notes["steps"], notes["images_seen"]) == (0, 0)
    folder = paths.run("smoke", DATASET, "random", 0)
    assert (folder / "log.csv").read_text().strip() == "step"
    assert not (folder / paths.TENSORBOARD).exists()
    assert [one["role"] for one in json.loads((folder / "receipt.json").read_text())["clips"]] == []
