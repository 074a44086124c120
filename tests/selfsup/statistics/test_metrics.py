import numpy as np
import pytest

from selfsup.statistics.metrics import PER_EXAMPLE, per_example, top1


def test_top1_is_one_where_label_and_prediction_agree() -> None:
    assert top1(np.array([0, 1, 2]), np.array([0, 2, 2])).tolist() == [1, 0, 1]


def test_a_metric_by_name_reads_a_predictions_columns() -> None:
    predictions = {"label": np.array([0, 1]), "prediction": np.array([0, 0]), "scores": np.full((2, 2), 0.5)}
    assert PER_EXAMPLE["top1"](predictions).tolist() == [1, 0]


def test_a_numbers_kind_is_its_names_first_part() -> None:
    columns = {"label": np.array([0, 1]), "prediction": np.array([0, 0])}
    assert per_example("top1_blind_few")(columns).tolist() == [1, 0]
    with pytest.raises(ValueError, match="bleu_few: not known of one example"):
        per_example("bleu_few")
