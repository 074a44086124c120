"""Retrieval: what is nearest, without the clip that asks, scored as scikit-learn scores rankings."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.metrics import ndcg_score
from torch import Tensor

from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.probes.retrieval import Retrieval, ndcg_by_class, nearest
from selfsup.source import Batch, Draw
from selfsup.statistics.metrics import per_example
from selfsup.training import build
from tests.selfsup.probes.numbered import ARGUMENTS, COUNT, NETWORKS, Numbered, Oracle


class Connoisseur(Oracle):
    """Hears the class alone, by which clips come in turn, and of pictures sees the number."""

    def embed_sounds(self, spectrogram: Tensor) -> Tensor:
        return torch.eye(COUNT)[spectrogram[:, 0, 0].long() % 3]


def evaluate(count: int = COUNT, source: Numbered | None = None) -> dict[str, Evaluation]:
    method = build(Connoisseur, ARGUMENTS, NETWORKS, seed=0)
    source = source or Numbered(count)
    numbers = Retrieval(label="sounding", depth=3).evaluate(
        Pretrained(method.encoders(), method), train=source, validation=source, test=source, device="cpu", seed=0
    )
    return {number.metric: number for number in numbers}


def test_who_hears_the_class_finds_all_of_it_and_never_the_clip_itself() -> None:
    numbers = evaluate()
    assert list(numbers) == [
        f"ndcg_{asking}_{asked}" for asking in ("picture", "sound") for asked in ("picture", "sound")
    ]
    for number in numbers.values():
        assert number.retrieved is not None
        assert number.retrieved.split == "test"
        assert not (number.retrieved.rows == number.predictions["row"][:, None]).any()
        # Three of a class of four are left, among eleven: the best order has them first.
        assert number.baselines["chance"] == pytest.approx(3 / 11)
    values = {metric: per_example(metric)(number.predictions) for metric, number in numbers.items()}
    assert values["ndcg_sound_sound"].tolist() == [1] * COUNT
    assert values["ndcg_picture_picture"].mean() < 0.9


def test_what_may_be_found_comes_nearest_first() -> None:
    bank = torch.nn.functional.normalize(torch.randn(9, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    others = ~torch.eye(9, dtype=torch.bool)
    others[0, 3] = False
    places = nearest(bank, bank, others, 7)
    for query, found in enumerate(places.tolist()):
        apart = (bank - bank[query]).norm(dim=1)
        allowed = set(range(9)) - {query} - ({3} if query == 0 else set())
        assert found == sorted(allowed, key=lambda place: apart[place].item())[:7]


def counted(labels: np.ndarray, query: int) -> np.ndarray:
    """(1, C) how many of each class there are beside the query."""
    return np.bincount(np.delete(labels, query), minlength=3)[None]


def test_ndcg_is_scikit_learn_s_of_the_whole_ranking_for_every_class() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 40)
    for query in range(5):
        order = rng.permutation(np.delete(np.arange(40), query))
        values = ndcg_by_class(labels[order[:10]][None], counted(labels, query))[0][0]
        # The first of the order scores highest.
        score = -np.arange(len(order))
        for one in range(3):
            assert values[one] == pytest.approx(ndcg_score([labels[order] == one], [score], k=10), abs=1e-6)


def test_no_class_scores_more_than_all_and_one_that_is_not_there_nothing() -> None:
    scores, _ = ndcg_by_class(np.array([[1, 1, 0]]), np.array([[3, 2, 0]]))
    assert scores[0, 1] == pytest.approx(1)
    assert scores[0, 0] < 1
    assert scores[0, 2] == 0


def test_chance_is_what_random_orders_score() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 30)
    available = counted(labels, 0)
    chance = ndcg_by_class(labels[1:6][None], available)[1][0, labels[0]]
    orders = np.stack([rng.permutation(np.arange(1, 30))[:5] for _ in range(20_000)])
    scores, _ = ndcg_by_class(labels[orders], available.repeat(len(orders), axis=0))
    assert scores[:, labels[0]].mean() == pytest.approx(chance, abs=0.01)


class Films(Numbered):
    """Two clips a film."""

    def take(self, draw: Draw) -> Batch:
        return dataclasses.replace(super().take(draw), parents=(draw.rows - 50) // 2)


def test_another_window_of_the_same_film_is_not_found() -> None:
    for number in evaluate(source=Films(COUNT)).values():
        assert number.retrieved is not None
        assert not ((number.retrieved.rows - 50) // 2 == (number.predictions["row"] - 50)[:, None] // 2).any()


def test_a_clip_that_is_alone_of_its_class_is_found_but_does_not_ask() -> None:
    for number in evaluate(count=5).values():
        assert number.retrieved is not None
        assert number.predictions["row"].tolist() == [50, 51, 53, 54]
        assert 52 in number.retrieved.rows


def test_clips_of_as_many_classes_have_nothing_to_find() -> None:
    with pytest.raises(ValueError, match="retrieval: no two films of the 3 test clips have the same 'sounding'"):
        evaluate(count=3)


def test_one_class_is_found_by_any_order() -> None:
    with pytest.raises(ValueError, match="retrieval: all 1 test clips have the same 'sounding'"):
        evaluate(count=1)
