import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.rotation import Rotation, Turned
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

TURNS = [0, 90, 180, 270]
WHOLE = {"crop": {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0}}
CROPPED = {"crop": {"scale": [0.5, 1.0], "ratio": [0.75, 1.333], "flip": 0.5}}
NETWORK = {"widths": [8, 16, 32], "side": 16}


def rotation(arguments: dict) -> Rotation:
    method = build(Rotation, arguments, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, Rotation)
    return method


def views_of(method: Rotation, source) -> Turned:
    start = Progress(0, 1)
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), start))
    return method.views(batch, Generator().manual_seed(0), start)


def test_all_turned_copies_of_an_image_are_in_the_batch(make_source) -> None:
    source = make_source(6)
    views = views_of(rotation({"turns": TURNS, **WHOLE}), source)
    upright = source.clips[:, 0].float() / 127.5 - 1
    assert views.images.shape == (24, 3, 16, 16)
    for copy, (images, turns) in enumerate(zip(views.images.split(6), views.turns.split(6), strict=True)):
        assert turns.tolist() == [copy] * 6
        torch.testing.assert_close(images, torch.rot90(upright, copy, dims=(-2, -1)))


def test_the_copies_of_an_image_share_one_crop(make_source) -> None:
    views = views_of(rotation({"turns": TURNS, **CROPPED}), make_source(6))
    upright, *others = views.images.split(6)
    for quarters, images in enumerate(others, start=1):
        assert torch.equal(images, torch.rot90(upright, quarters, dims=(-2, -1)))


def test_fewer_turns_make_fewer_classes(make_source) -> None:
    method = rotation({"turns": [0, 180], **WHOLE})
    views = views_of(method, make_source(6))
    assert views.turns.unique().tolist() == [0, 1]
    assert method.head.linear.out_features == 2
    assert torch.equal(views.images[6:], views.images[:6].flip(-2, -1))


@pytest.mark.parametrize("turns", [[0, 45], [0, 360], [0, 0, 90], [0], []])
def test_other_turns_are_refused(turns: list[int]) -> None:
    with pytest.raises(ValueError, match="multiples of 90 degrees"):
        rotation({"turns": turns, **WHOLE})


def test_loss_is_the_mean_negative_log_probability_of_the_right_turn(make_source) -> None:
    method = rotation({"turns": TURNS, **CROPPED}).eval()
    views = views_of(method, make_source(6))
    probabilities = method.head(method.encoder.blocks(views.images)).softmax(dim=1)
    by_hand = [-math.log(row[turn].item()) for row, turn in zip(probabilities, views.turns, strict=True)]
    assert method.loss(views)["rotation"].item() == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-5)


def test_training_brings_the_loss_well_below_chance(make_source) -> None:
    schedule = replace(SHORT, steps=40, batch_size=16, log_every=10)
    rows = pretrain(rotation({"turns": TURNS, **CROPPED}), make_source(128), schedule, seed=0, device="cpu")
    assert rows[0]["rotation"] > rows[-1]["rotation"]
    assert rows[-1]["rotation"] < 0.3 * math.log(4)
