"""Each draw of labels chooses for itself, on as few validation labels as it was fitted to."""

import numpy as np
import pytest

from selfsup.probes.selection import CHOSEN, Labels, all_labels, choose, ends_at_edge, few_labels

CLASSES = 3


class Threshold:
    """Says class 1 where the feature is greater than the strength that it was made with."""

    iterations = 1

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def scores(self, features: np.ndarray) -> np.ndarray:
        greater = features[:, 0, 0] > self.strength
        return np.stack([~greater, greater], axis=1).astype(np.float32)


def chosen_by(draws: list[Labels], strengths: list[float], deeper: np.ndarray | None = None):
    values = np.arange(8, dtype=np.float32)[:, None, None]
    blocks = {"block1": values, "block2": values if deeper is None else deeper}
    # The first four clips are of class 1 above 1, the last four above 6: two draws of validation labels disagree.
    truth = np.array([0, 0, 1, 1, 0, 0, 0, 1])
    return choose((blocks, truth), (blocks, truth), draws, strengths, lambda x, y, of: [Threshold(one) for one in of])


def test_draws_choose_apart_on_their_own_validation_labels() -> None:
    first, last = (Labels(np.arange(8), np.arange(4) + at) for at in (0, 4))
    chosen = chosen_by([first, last], [6.0, 1.0])
    assert [one["penalty"] for one in chosen.choices] == [1.0, 6.0]
    assert chosen.choice["layer"] == "block1"
    assert chosen.choice["validation_top1"] == 1
    assert chosen.choice["draws"] == chosen.choices
    assert [one["validation_top1"] for one in chosen.candidates] == [0.75, 0.625, 0.75, 0.625]


def test_a_layer_that_differs_between_draws_has_a_name_of_its_own() -> None:
    last_only = np.array([9, 9, 9, 9, 4, 5, 6, 7], np.float32)[:, None, None]
    first, last = (Labels(np.arange(8), np.arange(4) + at) for at in (0, 4))
    assert chosen_by([first, first], [1.0], last_only).choice["layer"] == "block1"
    worse = np.zeros((8, 1, 1), np.float32)
    worse[7] = 9
    chosen = chosen_by([first, last], [1.0], worse)
    assert [one["layer"] for one in chosen.choices] == ["block1", "block2"]
    assert chosen.choice["layer"] == CHOSEN


def test_few_labels_are_as_few_in_both_splits() -> None:
    training, validation = np.arange(60) % CLASSES, np.arange(30) % CLASSES
    draws = few_labels(training, validation, 4, 5, np.random.default_rng(0))
    assert len(draws) == 5
    for draw in draws:
        assert np.bincount(training[draw.training]).tolist() == [4] * CLASSES
        assert np.bincount(validation[draw.validation]).tolist() == [4] * CLASSES
    assert not np.array_equal(draws[0].training, draws[1].training)
    [everything] = all_labels(training, validation)
    assert (len(everything.training), len(everything.validation)) == (60, 30)


@pytest.mark.parametrize(
    ("chosen", "tried", "said"),
    [
        ([100], [5, 20, 100], True),
        ([20], [100, 5, 20], False),
        ([5], [5], False),
        ([0.1, 0.1, 1.0], [0.1, 1.0, 10.0], True),
        ([0.1, 1.0, 10.0], [0.1, 1.0, 10.0], False),
        ([0.1, 10.0], [0.1, 1.0, 10.0], False),
    ],
)
def test_an_edge_is_an_end_that_most_draws_chose(chosen: list[float], tried: list[float], said: bool) -> None:
    assert ends_at_edge(chosen, tried) == said
