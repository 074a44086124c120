"""Correspondence asks the method about matching and mismatched pairs of the test clips."""

import numpy as np
import pytest
import torch

from selfsup.probes.correspondence import Correspondence, of_other_films
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.source import TooLittleData
from selfsup.statistics.metrics import per_example
from selfsup.training import build
from tests.selfsup.probes.numbered import ARGUMENTS, COUNT, NETWORKS, Numbered, Oracle

PAIRS = 3


def evaluate(count: int = COUNT, seed: int = 0, metric: str = "accuracy") -> Evaluation:
    method = build(Oracle, ARGUMENTS, NETWORKS, seed=0)
    source = Numbered(count)
    numbers = Correspondence(label="sounding", pairs=PAIRS).evaluate(
        Pretrained(method.encoders(), method), train=source, validation=source, test=source, device="cpu", seed=seed
    )
    assert [number.metric for number in numbers] == ["accuracy", "auc"]
    return next(number for number in numbers if number.metric == metric)


def test_who_knows_the_clips_is_right_every_time() -> None:
    number = evaluate()
    assert number.metric == "accuracy"
    assert (number.predictions["prediction"] == number.predictions["label"]).all()


def test_the_area_under_the_curve_needs_no_threshold() -> None:
    number = evaluate(metric="auc")
    assert per_example("auc")(number.predictions).mean() == 1
    # With one right answer for all the area is one half: what a network that always says "different" has.
    constant = number.predictions | {
        "scores": np.tile(np.array([[0.9, 0.1]], np.float32), (len(number.predictions["row"]), 1))
    }
    assert per_example("auc")(constant).mean() == 0.5
    # Who knows the classes alone ranks pairs of a class alike: they win half of those that they share.
    alike = (number.predictions["row"] - number.predictions["partner"]) % 3 == 0
    shared = (alike & (number.predictions["label"] == 0)).sum() / (number.predictions["label"] == 0).sum()
    assert number.baselines == {"chance": 0.5, "ceiling": pytest.approx(1 - shared / 2)}


def test_half_of_a_clips_pairs_match_and_no_mismatched_one_is_its_own() -> None:
    predictions = evaluate().predictions
    matching = predictions["row"] == predictions["partner"]
    assert (matching == (predictions["label"] == 1)).all()
    for row in range(50, 50 + COUNT):
        assert sorted(predictions["label"][predictions["row"] == row]) == [0] * PAIRS + [1] * PAIRS
        assert (predictions["partner"] == row).sum() == 2 * PAIRS


def test_the_ceiling_loses_the_mismatched_pairs_that_sound_alike() -> None:
    number = evaluate()
    predictions = number.predictions
    alike = (predictions["row"] - predictions["partner"]) % 3 == 0
    lost = (alike & (predictions["label"] == 0)).sum()
    assert lost > 0
    assert number.baselines == {"chance": 0.5, "ceiling": pytest.approx(1 - lost / len(alike))}


def test_the_seed_decides_the_partners() -> None:
    first, again, other = (evaluate(seed=seed).predictions["partner"].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_one_clip_makes_no_pairs() -> None:
    with pytest.raises(TooLittleData, match="1 of 1 test clips are of one file"):
        evaluate(count=1)


def test_a_mismatched_pair_is_of_two_films_and_every_clip_is_once_a_partner() -> None:
    films = torch.tensor([4, 0, 0, 1, 4, 2, 0, 3, 2, 0])
    partners = [of_other_films(films, torch.Generator().manual_seed(seed)) for seed in range(20)]
    for partner in partners:
        assert (films[partner] != films).all()
        assert sorted(partner.tolist()) == list(range(len(films)))
    assert len({tuple(partner.tolist()) for partner in partners}) > 10


def test_a_film_of_more_than_half_of_the_clips_has_too_few_to_pair_with() -> None:
    of_other_films(torch.tensor([0, 0, 1, 1]), torch.Generator())
    with pytest.raises(TooLittleData, match="3 of 5 test clips are of one file"):
        of_other_films(torch.tensor([0, 0, 0, 1, 2]), torch.Generator())
