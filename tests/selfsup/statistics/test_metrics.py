import numpy as np

from selfsup.statistics.metrics import PER_EXAMPLE, top1


def test_top1_is_one_where_label_and_prediction_agree() -> None:
    assert top1(np.array([0, 1, 2]), np.array([0, 2, 2])).tolist() == [1, 0, 1]


def test_a_metric_by_name_reads_a_predictions_columns() -> None:
    predictions = {"label": np.array([0, 1]), "prediction": np.array([0, 0]), "scores": np.full((2, 2), 0.5)}
    assert PER_EXAMPLE["top1"](predictions).tolist() == [1, 0]
