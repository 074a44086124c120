"""One value an example, for shares, for the first five, and for an area that is no mean."""

import numpy as np
import pytest

from selfsup.statistics.intervals import bootstrap_interval
from selfsup.statistics.metrics import PER_EXAMPLE, auc, is_error, per_example, top1, top5


def test_top1_is_one_where_label_and_prediction_agree() -> None:
    assert top1(np.array([0, 1, 2]), np.array([0, 2, 2])).tolist() == [1, 0, 1]


def test_a_metric_by_name_reads_a_predictions_columns() -> None:
    predictions = {"label": np.array([0, 1]), "prediction": np.array([0, 0]), "scores": np.full((2, 2), 0.5)}
    assert PER_EXAMPLE["top1"](predictions).tolist() == [1, 0]
    assert per_example("top1_few")(predictions).tolist() == [1, 0]
    with pytest.raises(ValueError, match="rank_1: not known of one example; expected one of top1, top5"):
        per_example("rank_1")


def test_an_error_is_no_share() -> None:
    assert [is_error(metric) for metric in ("error", "error_few", "top1", "auc")] == [True, True, False, False]


def test_a_label_counts_among_the_five_greatest() -> None:
    scores = np.array([[6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6]], np.float32)
    assert top5(np.array([4, 4]), scores).tolist() == [1, 1]
    assert top5(np.array([5, 0]), scores).tolist() == [0, 0]
    # Of equal ones the first classes count: no classifier that says nothing is always right.
    assert top5(np.array([4, 5]), np.zeros((2, 6))).tolist() == [1, 0]


def slow_auc(label: np.ndarray, score: np.ndarray) -> float:
    pairs = score[label == 1][:, None] - score[label == 0][None]
    return float((pairs > 0).mean() + (pairs == 0).mean() / 2)


@pytest.mark.parametrize("ones", [5, 40, 70])
def test_the_values_mean_is_the_share_of_pairs_in_the_right_order(ones: int) -> None:
    rng = np.random.default_rng(ones)
    label = rng.permutation(np.arange(80) < ones).astype(int)
    score = (label + rng.normal(size=80)).round(1)  # with ties
    assert auc(label, score).mean() == pytest.approx(slow_auc(label, score))


def test_the_area_needs_both_answers() -> None:
    with pytest.raises(ValueError, match="needs both answers: 3 and 0"):
        auc(np.ones(3, int), np.zeros(3))


def test_an_interval_of_the_area_is_that_of_areas_of_clips_drawn_again() -> None:
    """Each clip asks twice rightly and twice wrongly, as in correspondence, and clips differ."""
    rng = np.random.default_rng(0)
    clips, label = np.repeat(np.arange(150), 4), np.tile([1, 1, 0, 0], 150)
    score = label * 0.8 + rng.normal(size=600) + 0.7 * rng.normal(size=150)[clips]
    interval = bootstrap_interval(auc(label, score), clips, draws=4000, seed=0)
    areas = []
    for _ in range(1000):
        at = (4 * rng.integers(150, size=150)[:, None] + np.arange(4)).ravel()
        areas.append(slow_auc(label[at], score[at]))
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(areas, [0.025, 0.975])), abs=0.006)
