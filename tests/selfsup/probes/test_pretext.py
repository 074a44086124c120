"""A method's own answers to its pretext task on the test split."""

import pytest
import torch
from torch import Tensor

from selfsup.methods.image.rotation import Rotation, Turned
from selfsup.methods.method import PretextAnswers
from selfsup.networks.convnet import ConvNet
from selfsup.probes.pretext import BATCH, Pretext
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.training import build

CROP = {"scale": [0.5, 1.0], "ratio": [1.0, 1.0], "flip": 0.5}


class Oracle(Rotation):
    """Light comes from above: the brightest side says how far a picture was turned."""

    def pretext(self, views: Turned) -> PretextAnswers:
        images, answers = views.images, super().pretext(views)
        top, right = images[..., :4, :].mean(dim=(1, 2, 3)), images[..., -4:].mean(dim=(1, 2, 3))
        bottom, left = images[..., -4:, :].mean(dim=(1, 2, 3)), images[..., :4].mean(dim=(1, 2, 3))
        sides = torch.stack([top, left, bottom, right], dim=1)
        return PretextAnswers(answers.entries, labels=answers.labels, scores=sides.softmax(dim=1))


class Guess(Rotation):
    """Answers with a number, and is as wrong as the trivial answer, or half of it."""

    def pretext(self, views: Turned) -> PretextAnswers:
        count = len(views.images) // len(self.quarters)
        trivial: Tensor = torch.full((count,), 2.0)
        return PretextAnswers(torch.arange(count), errors=trivial * 0.5, trivial=trivial)


def evaluate(kind: type[Rotation], make_source, seed: int = 0, count: int = 10) -> Evaluation:
    method = build(
        kind, {"turns": [0, 90, 180, 270], "crop": CROP}, {"encoder": (ConvNet, {"widths": [4], "side": 16})}, 0
    )
    test = make_source(count)
    [number] = Pretext().evaluate(
        Pretrained(method.encoders(), method), train=test, validation=test, test=test, device="cpu", seed=seed
    )
    return number


def test_a_classification_is_read_against_chance(make_source) -> None:
    number = evaluate(Oracle, make_source)
    assert number.metric == "accuracy"
    assert number.baselines == {"chance": 0.25}
    said = number.predictions
    # Four turns of every test entry, each about its own clip.
    assert sorted(said["row"].tolist()) == sorted(list(range(10)) * 4)
    assert sorted(said["label"].tolist()) == sorted([0, 1, 2, 3] * 10)
    assert (said["label"] == said["prediction"]).all()
    assert number.choice == {"layer": "pretext"}


def test_anything_else_is_read_against_a_trivial_answer(make_source) -> None:
    number = evaluate(Guess, make_source)
    assert number.metric == "error"
    assert number.baselines == {"trivial": 2.0}
    assert number.predictions["scores"].ravel().tolist() == [1.0] * 10
    assert number.predictions["row"].tolist() == list(range(10))


def test_more_than_a_batch_is_asked_about_once_each(make_source) -> None:
    number = evaluate(Guess, make_source, count=BATCH + 3)
    assert number.predictions["row"].tolist() == list(range(BATCH + 3))
    assert number.baselines == {"trivial": 2.0}


def test_the_same_seed_draws_the_same_views(make_source) -> None:
    first, again, other = (evaluate(Rotation, make_source, seed).predictions["scores"] for seed in (0, 0, 1))
    assert first == pytest.approx(again, abs=0)
    assert (first != other).any()
