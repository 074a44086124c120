"""Predictions are written with the ids of clips, never with positions; each protocol of a job has its own receipt."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline import paths
from pipeline.dag import Dag
from pipeline.errors import UserError
from pipeline.lineage import receipts
from pipeline.parameters import read_parameters
from pipeline.stages.evaluate import NO_PREDICTIONS, _with_clips, evaluate
from pipeline.stages.pretrain import pretrain
from selfsup.probes.probe import Evaluation, Retrieved
from tests.pipeline.stages.stills import DATASET, edit, write_split


def of(split: str, count: int) -> pd.DataFrame:
    ids = [f"toy/{split}/{number:03d}" for number in range(count)]
    return pd.DataFrame({"id": ids, "parent": [f"{one}-film" for one in ids]})


ROWS = {"train": of("train", 4), "validation": of("validation", 2), "test": of("test", 3)}
PREDICTIONS = {
    "row": np.array([2, 0]),
    "label": np.array([1, 0]),
    "prediction": np.array([1, 1]),
    "scores": np.array([[0.2, 0.8], [0.4, 0.6]], np.float32),
}


def written(predictions: dict, retrieved: Retrieved | None = None) -> dict:
    return _with_clips(Evaluation("top1", predictions, {"layer": "block1"}, [], {}, retrieved), ROWS).to_pydict()


def test_ids_stand_for_rows_and_nothing_for_what_a_protocol_does_not_have() -> None:
    table = written(PREDICTIONS)
    assert table["id"] == ["toy/test/002", "toy/test/000"]
    assert table["parent"] == ["toy/test/002-film", "toy/test/000-film"]
    assert table["metric"] == ["top1", "top1"]
    assert table["partner"] == table["retrieved"] == [None, None]


def test_what_was_found_is_named_in_the_split_in_which_it_was_found() -> None:
    table = written(PREDICTIONS, Retrieved("train", np.array([[3, 0], [1, 2]])))
    assert table["retrieved"] == [["toy/train/003", "toy/train/000"], ["toy/train/001", "toy/train/002"]]


def test_a_partner_is_another_test_clip() -> None:
    table = written(PREDICTIONS | {"partner": np.array([1, 2])})
    assert table["partner"] == ["toy/test/001", "toy/test/002"]


def test_an_evaluation_without_predictions_has_the_columns_of_one_with_them() -> None:
    table = _with_clips(Evaluation("top1", PREDICTIONS, {"layer": "block1"}, [], {}), ROWS)
    # Raises for other names or types.
    assert pa.concat_tables([NO_PREDICTIONS, table]).num_rows == 2


PROTOCOLS = ["linear", "knn"]


def evaluated(*protocols: str) -> dict[str, tuple[dict, dict[str, bytes], dict[str, int]]]:
    """By protocol: its receipt, its files, and when they were written."""
    evaluate(read_parameters(), "smoke", DATASET, "random", 0, DATASET, protocols or PROTOCOLS)
    found = {}
    for protocol in PROTOCOLS:
        folder = paths.evaluation("smoke", DATASET, "random", 0, DATASET, protocol)
        files = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}
        times = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} if folder.exists() else {}
        found[protocol] = (json.loads(files["receipt.json"]) if files else {}, files, times)
    return found


@pytest.fixture
def pretrained(decoded: None) -> None:
    write_split("test", 20)
    pretrain(read_parameters(), "smoke", DATASET, "random", 0)


@pytest.mark.usefixtures("pretrained")
def test_protocols_of_one_job_have_receipts_of_their_own() -> None:
    together = evaluated()
    for protocol, (receipt, files, _) in together.items():
        assert files.keys() == {"receipt.json", "numbers.json", "predictions.parquet"}
        assert receipt["protocol"] == json.loads(files["numbers.json"])["protocol"] == protocol
        assert f"protocols.{protocol}" in receipt["parameters"]
        fingerprints_read = [one["path"] for one in receipt["inputs"] if "/evaluate/" in one["path"]]
        assert fingerprints_read == [f"runs/fingerprints/smoke/evaluate/{protocol}.json"]
        roles = [(one["role"], one["split"], one["count"]) for one in receipt["clips"]]
        assert roles == [("probe trained on", "train", 40), ("chosen on", "validation", 20), ("tested on", "test", 20)]
    # Alone it comes out the same.
    for name in PROTOCOLS:
        folder = paths.evaluation("smoke", DATASET, "random", 0, DATASET, name)
        (folder / "receipt.json").unlink()
        alone = evaluated(name)[name]
        for file in ("numbers.json", "predictions.parquet"):
            assert alone[1][file] == together[name][1][file]


@pytest.mark.usefixtures("pretrained")
def test_what_follows_from_the_same_is_kept_and_touched_and_the_rest_made_anew() -> None:
    before = evaluated()
    edit(("protocols", "knn", "arguments"), {"neighbours": [3]})
    after = evaluated()
    assert after["linear"][1] == before["linear"][1]
    assert after["knn"][1]["receipt.json"] != before["knn"][1]["receipt.json"]
    assert after["knn"][0]["parameters"]["protocols.knn"]["arguments"]["neighbours"] == [3]
    for protocol in PROTOCOLS:
        assert all(when > before[protocol][2][name] for name, when in after[protocol][2].items())


@pytest.mark.usefixtures("pretrained")
@pytest.mark.slow
def test_a_job_whose_parameters_changed_after_it_was_planned_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = Dag(read_parameters()).planned_all("smoke", DATASET, PROTOCOLS)
    edit(("protocols", "knn", "arguments"), {"neighbours": [3]})
    monkeypatch.setenv(receipts.PLANNED, planned)
    with pytest.raises(UserError, match=r"params\.yaml: changed after this job was planned"):
        evaluated()
    monkeypatch.setenv(receipts.PLANNED, Dag(read_parameters()).planned_all("smoke", DATASET, PROTOCOLS))
    assert evaluated()["knn"][1]
