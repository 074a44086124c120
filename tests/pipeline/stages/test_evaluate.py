"""Predictions are written with the ids of clips, never with positions."""

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.stages.evaluate import NO_PREDICTIONS, _with_clips
from selfsup.probes.probe import Evaluation, Retrieved


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
