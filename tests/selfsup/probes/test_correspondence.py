"""Correspondence asks the method about matching and mismatched pairs of the test clips."""

import pytest

from selfsup.probes.correspondence import Correspondence
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.training import build
from tests.selfsup.probes.numbered import ARGUMENTS, COUNT, NETWORKS, Numbered, Oracle

PAIRS = 3


def evaluate(count: int = COUNT, seed: int = 0) -> Evaluation:
    method = build(Oracle, ARGUMENTS, NETWORKS, seed=0)
    source = Numbered(count)
    [number] = Correspondence(label="sounding", pairs=PAIRS).evaluate(
        Pretrained(method.encoders(), method), train=source, validation=source, test=source, device="cpu", seed=seed
    )
    return number


def test_who_knows_the_clips_is_right_every_time() -> None:
    number = evaluate()
    assert number.metric == "accuracy"
    assert (number.predictions["prediction"] == number.predictions["label"]).all()


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
    with pytest.raises(ValueError, match="pairs need two test clips or more: there is 1"):
        evaluate(count=1)
