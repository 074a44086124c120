import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.split_brain import Split, SplitBrain, distances, quantised
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.networks.split import SplitConvNet
from selfsup.training import build, pretrain
from selfsup.views.lab import srgb_to_lab
from tests.selfsup.schedules import SHORT

ARGUMENTS = {
    "grid": 10.0,
    "lightness_bins": 50,
    "cells": 4,
    "decoder_widths": [16],
    "crop": {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0},
}
NETWORK = {"widths": [8, 16, 32], "side": 16}
START = Progress(0, 1)


def split_brain(**changed) -> SplitBrain:
    method = build(SplitBrain, ARGUMENTS | changed, {"encoder": (SplitConvNet, NETWORK)}, seed=0)
    assert isinstance(method, SplitBrain)
    return method


def views_of(method: SplitBrain, source) -> Split:
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_the_targets_are_the_cells_means(make_source) -> None:
    source = make_source(6)
    method = split_brain()
    views = views_of(method, source)
    lab = srgb_to_lab(source.clips[:, 0].float() / 127.5 - 1)
    torch.testing.assert_close(views.lab[2, :, 1, 3], lab[2, :, 4:8, 12:16].mean(dim=(1, 2)), atol=1e-2, rtol=0)
    torch.testing.assert_close(views.pictures, method.encoder.prepare({"frames": source.clips}), atol=1e-4, rtol=0)


def test_lightness_falls_into_equal_parts() -> None:
    assert quantised(torch.tensor([0.0, 1.9, 2.0, 55.0, 99.9, 100.0]), 50).tolist() == [0, 0, 1, 27, 49, 49]


def test_loss_of_each_half_is_the_mean_negative_log_probability(make_source) -> None:
    method = split_brain().eval()
    views = views_of(method, make_source(6))
    from_lightness, from_colour = method.encoder.halves(views.pictures)
    colour = method.colour_head(from_lightness[-1], 4).log_softmax(dim=1)
    lightness = method.lightness_head(from_colour[-1], 4).log_softmax(dim=1)
    totals = {"lightness": 0.0, "colour": 0.0}
    for image in range(6):
        for row in range(4):
            for column in range(4):
                wanted = views.lab[image, :, row, column]
                nearest = (method.bins - wanted[1:]).norm(dim=1).argmin()
                level = (method.levels - wanted[0]).abs().argmin()
                totals["colour"] -= colour[image, nearest, row, column].item()
                totals["lightness"] -= lightness[image, level, row, column].item()
    losses = method.loss(views)
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(
        {name: total / 96 for name, total in totals.items()}, rel=1e-4
    )


def test_no_half_sees_what_it_predicts(make_source) -> None:
    method = split_brain().eval()
    views = views_of(method, make_source(6))
    for channels, same in ((slice(0, 1), 0), (slice(1, 3), 1)):
        other = views.pictures.clone()
        other[:, channels] = 0
        before, after = method._logits(views.pictures), method._logits(other)
        assert torch.equal(before[same], after[same])
        assert not torch.equal(before[1 - same], after[1 - same])


def test_distances_are_shares_of_the_ranges() -> None:
    lab = torch.tensor([[50.0, 0.0, 0.0], [0.0, 30.0, 40.0]])
    assert distances(lab, torch.zeros(1, 3)).tolist() == pytest.approx([0.25, 50 / 150 / 2])


def test_an_encoder_in_one_piece_is_refused() -> None:
    with pytest.raises(ValueError, match="must have two halves"):
        build(SplitBrain, ARGUMENTS, {"encoder": (ConvNet, NETWORK)}, seed=0)


def test_training_learns_each_half_from_the_other(make_source) -> None:
    # One colour for bright pictures, one for dark: each tells the other.
    source = make_source(64, classes=2)
    source.clips[source.labels["colour"] == 0] //= 2
    method = split_brain(decoder_widths=[32])
    schedule = replace(SHORT, steps=60, batch_size=32, log_every=10)
    rows = pretrain(method, source, schedule, seed=0, device="cpu")
    assert rows[-1]["colour"] < 0.5 * math.log(len(method.bins))
    assert rows[-1]["lightness"] < 0.7 * math.log(50)
    answers = method.pretext(views_of(method, source))
    assert answers.errors is not None
    assert answers.trivial is not None
    assert answers.errors.mean() < 0.5 * answers.trivial.mean()
