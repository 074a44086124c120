"""Retrieval: what is nearest, without the clip that asks, scored as scikit-learn scores rankings."""

import numpy as np
import pytest
import torch
from sklearn.metrics import ndcg_score
from torch import Tensor

from selfsup.probes.metrics import per_example
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.probes.retrieval import Retrieval, ndcg_by_class, nearest_others
from selfsup.training import build
from tests.selfsup.probes.numbered import ARGUMENTS, COUNT, NETWORKS, Numbered, Oracle


class Connoisseur(Oracle):
    """Hears the class alone, by which clips come in turn, and of pictures sees the number."""

    def embed_sounds(self, spectrogram: Tensor) -> Tensor:
        return torch.eye(COUNT)[spectrogram[:, 0, 0].long() % 3]


def evaluate(count: int = COUNT) -> dict[str, Evaluation]:
    method = build(Connoisseur, ARGUMENTS, NETWORKS, seed=0)
    source = Numbered(count)
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


def test_the_query_s_own_clip_is_left_out_and_the_nearest_come_first() -> None:
    bank = torch.nn.functional.normalize(torch.randn(9, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    places = nearest_others(bank, bank, 20)
    assert places.shape == (9, 8)
    for query, found in enumerate(places.tolist()):
        apart = (bank - bank[query]).norm(dim=1)
        assert found == sorted(set(range(9)) - {query}, key=lambda place: apart[place].item())


def test_ndcg_is_scikit_learn_s_of_the_whole_ranking() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 40)
    others = np.bincount(labels) - 1
    for query in range(5):
        rest = np.delete(np.arange(40), query)
        order = rng.permutation(rest)
        value = ndcg_by_class(labels[order[:10]][None], others)[0][0, labels[query]]
        # The first of the order scores highest.
        relevance, score = labels[order] == labels[query], -np.arange(len(order))
        assert value == pytest.approx(ndcg_score([relevance], [score], k=10), abs=1e-6)


def test_chance_is_what_random_orders_score() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 30)
    others = np.bincount(labels) - 1
    chance = ndcg_by_class(labels[:5][None], others)[1][labels[0]]
    orders = np.stack([rng.permutation(np.arange(1, 30))[:5] for _ in range(20_000)])
    assert ndcg_by_class(labels[orders], others)[0][:, labels[0]].mean() == pytest.approx(chance, abs=0.01)


def test_a_clip_that_is_alone_of_its_class_is_found_but_does_not_ask() -> None:
    for number in evaluate(count=5).values():
        assert number.retrieved is not None
        assert number.predictions["row"].tolist() == [50, 51, 53, 54]
        assert 52 in number.retrieved.rows


def test_clips_of_as_many_classes_have_nothing_to_find() -> None:
    with pytest.raises(ValueError, match="retrieval: no two of the 3 test clips have the same 'sounding'"):
        evaluate(count=3)
