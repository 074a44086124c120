import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Generator

from selfsup.methods.image.colourization import (
    Colourization,
    Greyed,
    annealed_mean,
    cross_entropies,
    rebalancing,
    smoothed,
    soft_encoding,
)
from selfsup.methods.method import Progress
from selfsup.networks.grey import GreyConvNet
from selfsup.training import build, pretrain
from selfsup.views.lab import gamut_bins, srgb_to_lab
from tests.selfsup.schedules import SHORT

ARGUMENTS = {
    "grid": 10.0,
    "neighbours": 5,
    "sigma": 5.0,
    "uniform": 0.5,
    "temperature": 0.38,
    "least_chroma": 5.0,
    "prior_images": 1000,
    "cells": 4,
    "decoder_widths": [16],
    "crop": {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0},
}
NETWORK = {"widths": [8, 16, 32], "side": 16}
BINS = gamut_bins(10)
START = Progress(0, 1)


def colourization(**changed) -> Colourization:
    method = build(Colourization, ARGUMENTS | changed, {"encoder": (GreyConvNet, NETWORK)}, seed=0)
    assert isinstance(method, Colourization)
    return method


def views_of(method: Colourization, source) -> Greyed:
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_the_network_sees_lightness_and_is_to_predict_the_mean_colour_of_each_cell(make_source) -> None:
    source = make_source(6)
    views = views_of(colourization(), source)
    lab = srgb_to_lab(source.clips[:, 0].float() / 127.5 - 1)
    torch.testing.assert_close(views.grey, (lab[:, :1] / 50 - 1).expand(6, 3, 16, 16), atol=1e-4, rtol=0)
    torch.testing.assert_close(views.ab[2, :, 1, 3], lab[2, 1:, 4:8, 12:16].mean(dim=(1, 2)), atol=1e-2, rtol=0)


def test_soft_encoding_is_a_gaussian_of_the_distance_to_the_nearest_bins() -> None:
    # At (2, 0) of a grid of 10, the five nearest bins are 2, 8, sqrt 104 (twice) and 12 away.
    shares, indices = soft_encoding(torch.tensor([[2.0, 0.0]]), BINS, 5, 5.0)
    weights = [math.exp(-(distance**2) / 50) for distance in (2, 8, 104**0.5, 104**0.5, 12)]
    torch.testing.assert_close(shares[0], torch.tensor(weights) / sum(weights))
    assert BINS[indices[0, :2]].tolist() == [[0, 0], [10, 0]]
    assert BINS[indices[0, 4]].tolist() == [-10, 0]


def test_soft_encoding_stays_finite_far_from_every_bin() -> None:
    shares, _ = soft_encoding(torch.tensor([[500.0, 500.0]]), BINS, 3, 1.0)
    assert shares.sum().item() == pytest.approx(1)


def test_cross_entropy_is_that_of_the_whole_distribution() -> None:
    logits = torch.randn(7, len(BINS), generator=Generator().manual_seed(0))
    shares, indices = soft_encoding(torch.tensor([[3.0, -40.0]] * 7), BINS, 5, 5.0)
    whole = torch.zeros_like(logits).scatter(1, indices, shares)
    torch.testing.assert_close(
        cross_entropies(logits, shares, indices), F.cross_entropy(logits, whole, reduction="none")
    )


def test_smoothing_spreads_a_colour_over_its_neighbours_and_keeps_the_sum() -> None:
    prior = torch.zeros(len(BINS))
    prior[BINS.tolist().index([0, 0])] = 1
    spread = smoothed(prior, BINS, 5.0)
    assert spread.sum().item() == pytest.approx(1, abs=1e-5)
    here, beside = spread[BINS.tolist().index([0, 0])], spread[BINS.tolist().index([0, 10])]
    assert (beside / here).item() == pytest.approx(math.exp(-2), rel=1e-4)


def test_weights_are_the_inverse_of_the_mixed_prior_with_mean_one() -> None:
    prior = torch.tensor([0.7, 0.2, 0.1, 0.0])
    weights = rebalancing(prior, 0.5)
    # Mixed with 1/3 each: .35 + .1667, .1 + .1667, .05 + .1667.
    assert (weights[1] / weights[0]).item() == pytest.approx((0.35 + 1 / 6) / (0.1 + 1 / 6))
    assert (prior * weights).sum().item() == pytest.approx(1)
    assert weights[3] == 0
    assert rebalancing(prior, 1.0)[:3].tolist() == pytest.approx([1, 1, 1])
    assert (prior * rebalancing(prior, 0.0))[:3].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_annealed_mean_lies_between_mean_and_mode() -> None:
    bins = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    logits = torch.tensor([[0.25, 0.75]]).log()
    assert annealed_mean(logits, bins, 1.0)[0, 0].item() == pytest.approx(7.5)
    # Equation 5 by hand: .25^(1/.38) and .75^(1/.38).
    low, high = 0.25 ** (1 / 0.38), 0.75 ** (1 / 0.38)
    assert annealed_mean(logits, bins, 0.38)[0, 0].item() == pytest.approx(10 * high / (low + high), rel=1e-4)
    assert annealed_mean(logits, bins, 0.01)[0, 0].item() == pytest.approx(10)


def test_fit_counts_the_colours_of_the_data(make_source) -> None:
    method, source = colourization(sigma=0.1), make_source(64)
    method.fit(source, Generator().manual_seed(0))
    # The source has three colours, so that few bins hold everything.
    assert method.prior.sum().item() == pytest.approx(1, abs=1e-5)
    assert method.prior.topk(20).values.sum() > 0.9
    assert (method.prior * method.weights).sum().item() == pytest.approx(1, abs=1e-4)
    rare, common = method.prior.where(method.prior > 1e-6, torch.inf).argmin(), method.prior.argmax()
    assert method.weights[rare] > method.weights[common]


def test_the_prior_can_be_counted_on_part_of_the_data(make_source) -> None:
    few, source = colourization(sigma=0.1, prior_images=1), make_source(64)
    few.fit(source, Generator().manual_seed(0))
    least = few.prior[few.prior > 0].min().item()
    assert least >= 1 / 16 - 1e-6  # one picture of 4 x 4 cells


def test_loss_is_the_weighted_mean_over_cells(make_source) -> None:
    method, source = colourization().eval(), make_source(6)
    method.fit(source, Generator().manual_seed(0))
    views = views_of(method, source)
    log_shares = method.decoder(method.encoder.blocks(views.grey)[-1], 4).log_softmax(dim=1)
    total = 0.0
    for image in range(6):
        for row in range(4):
            for column in range(4):
                distances = (method.bins - views.ab[image, :, row, column]).norm(dim=1)
                nearest = distances.argsort()[:5]
                shares = torch.exp(-(distances[nearest] ** 2) / 50)
                entropy = -(shares / shares.sum() * log_shares[image, nearest, row, column]).sum()
                total += (method.weights[nearest[0]] * entropy).item()
    assert method.loss(views)["colour"].item() == pytest.approx(total / 96, rel=1e-4)


def test_pictures_without_colour_are_left_out(make_source) -> None:
    method, source = colourization().eval(), make_source(6)
    views = views_of(method, source)
    ab = views.ab.clone()
    ab[3:] = ab[3:] / ab[3:].abs().max() * 4.9
    first = method.loss(Greyed(views.grey[:3], ab[:3]))["colour"]
    assert method.loss(Greyed(views.grey, ab))["colour"].item() == pytest.approx(first.item(), rel=1e-5)
    assert method.loss(Greyed(views.grey, ab * 0))["colour"] == 0
    method.least_chroma = 0.0
    assert method.loss(Greyed(views.grey, ab))["colour"].item() != pytest.approx(first.item(), rel=1e-3)


def test_more_neighbours_than_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="neighbours must be at most the 40 bins"):
        colourization(grid=30.0, neighbours=100)


def test_a_checkpoint_holds_what_was_fitted(make_source) -> None:
    method = colourization()
    method.fit(make_source(32), Generator().manual_seed(0))
    other = colourization()
    other.load_state_dict(method.state_dict())
    assert torch.equal(other.weights, method.weights)
    assert not torch.equal(other.weights, torch.ones_like(other.weights))


def test_training_learns_the_colours(make_source) -> None:
    # One colour for bright pictures, one for dark: lightness tells which.
    source = make_source(64, classes=2)
    dark = source.labels["colour"] == 0
    source.clips[dark] //= 2
    method = colourization(decoder_widths=[32])
    schedule = replace(SHORT, steps=60, batch_size=32, log_every=10)
    rows = pretrain(method, source, schedule, seed=0, device="cpu")
    assert rows[-1]["colour"] < 0.6 * math.log(len(BINS))
    answers = method.pretext(views_of(method, source))
    assert answers.errors is not None
    assert answers.trivial is not None
    assert answers.errors.mean() < 0.5 * answers.trivial.mean()

    pictures = source.clips[:8, 0].float() / 127.5 - 1
    coloured, grey = method.colourise(pictures), pictures.mean(dim=1, keepdim=True).expand_as(pictures)
    assert coloured.shape == pictures.shape
    assert (coloured - pictures).abs().mean() < 0.7 * (grey - pictures).abs().mean()
