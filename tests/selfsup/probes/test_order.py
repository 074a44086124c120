"""Order verification asks the method, of the test split's tuples alone."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from selfsup.methods.video.shuffle_and_learn import ShuffleAndLearn
from selfsup.networks.per_frame import PerFrameConvNet
from selfsup.probes.order import Order
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.source import Batch, Draw, Table
from selfsup.training import build

COUNT = 40
NETWORK = {"widths": [4], "side": 16, "frames": 3, "seconds": 1.0, "contrast": 0.0, "stabilised": False}
ARGUMENTS = {
    "strategy": "motion",
    "shown": "all",
    "positives": 0.25,
    "backwards": 0.5,
    "grid": 1,
    "hidden": 4,
    "joint": 0,
    "crop": {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0},
}


class Brighter:
    """Tuples whose frames get brighter with time, so that an answer can be read off; it keeps what was drawn."""

    def __init__(self, strategies: list[int]) -> None:
        letters = {letter: torch.full((len(strategies),), float(at)).double() for at, letter in enumerate("abcde")}
        self.table: Table = {
            "row": torch.arange(len(strategies)) + 100,
            "strategy": torch.tensor(strategies),
            **letters,
        }
        self.classes: dict[str, list[str]] = {}
        self.drawn: list[Tensor] = []

    def take(self, draw: Draw) -> Batch:
        times = draw.times["frames"]
        assert isinstance(times, Tensor)
        self.drawn.append(times)
        frames = (times * 50).to(torch.uint8)[:, :, None, None, None].expand(-1, -1, 3, 16, 16)
        return Batch(draw.indices, draw.rows, draw.rows, {"frames": frames}, {})


class Oracle(ShuffleAndLearn):
    """Answers rightly, and with even odds by its prior where it is not sure."""

    sure = True

    def logits(self, images: Tensor) -> Tensor:
        first, second, third = images.mean(dim=(2, 3, 4)).unbind(dim=1)
        between = (second - first) * (third - second) > 0
        prior = torch.tensor([1 - self.positives, self.positives]).log()
        return prior + 10 * nn.functional.one_hot(between.long(), 2) * self.sure


def evaluate(method: ShuffleAndLearn, test: Brighter, seed: int = 0) -> Evaluation:
    nothing = Brighter([])
    pretrained = Pretrained(method.encoders(), method)
    [number] = Order(strategy="motion").evaluate(
        pretrained, train=nothing, validation=nothing, test=test, device="cpu", seed=seed
    )
    return number


def oracle() -> Oracle:
    method = build(Oracle, ARGUMENTS, {"encoder": (PerFrameConvNet, NETWORK)}, seed=0)
    assert isinstance(method, Oracle)
    return method


def test_who_knows_the_order_is_right_every_time() -> None:
    number = evaluate(oracle(), Brighter([0] * COUNT))
    assert number.metric == "accuracy"
    assert number.baselines == {"chance": 0.5}
    assert (number.predictions["prediction"] == number.predictions["label"]).all()


def test_each_tuple_is_asked_about_once_in_order_and_once_not_half_of_them_backwards() -> None:
    test = Brighter([0] * COUNT)
    predictions = evaluate(oracle(), test).predictions
    assert predictions["label"].tolist() == [1] * COUNT + [0] * COUNT
    assert predictions["row"].tolist() == 2 * list(range(100, 100 + COUNT))
    ordered, shuffled = test.drawn
    assert {tuple(times) for times in ordered.tolist()} == {(1, 2, 3), (3, 2, 1)}
    assert {tuple(times) for times in shuffled.tolist()} == {(1, 0, 3), (3, 0, 1), (1, 4, 3), (3, 4, 1)}
    assert 0.2 * COUNT < (ordered[:, 0] == 3).sum() < 0.8 * COUNT


def test_who_only_knows_how_often_training_showed_them_in_order_has_even_odds() -> None:
    method = oracle()
    method.sure = False
    scores = evaluate(method, Brighter([0] * COUNT)).predictions["scores"]
    assert scores == pytest.approx(0.5, abs=1e-5)


def test_tuples_of_the_other_strategy_are_not_asked_about() -> None:
    predictions = evaluate(oracle(), Brighter([0, 1, 1, 0])).predictions
    assert predictions["row"].tolist() == [100, 103] * 2
    with pytest.raises(ValueError, match="no tuples of strategy 'motion'"):
        evaluate(oracle(), Brighter([1, 1]))


def test_the_seed_decides_which_frames_are_shown() -> None:
    tests = [Brighter([0] * COUNT) for _ in range(3)]
    numbers = [evaluate(oracle(), test, seed) for test, seed in zip(tests, (0, 0, 1), strict=True)]
    assert dataclasses.asdict(numbers[0])["choice"] == {"layer": "order_head"}
    assert torch.equal(tests[0].drawn[1], tests[1].drawn[1])
    assert not torch.equal(tests[0].drawn[1], tests[2].drawn[1])
