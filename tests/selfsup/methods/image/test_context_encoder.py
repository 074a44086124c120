import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.context_encoder import (
    ChannelwiseLinear,
    ContextEncoder,
    Holed,
    hole_errors,
    random_regions,
)
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.networks.decoder import MapShape
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

WHOLE = {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0}
NETWORK = {"widths": [8, 16, 32], "side": 16}
ARGUMENTS = {
    "area": [0.2, 0.3],
    "cells": 4,
    "shared": False,
    "widths": [16, 8],
    "adversarial": 0.0,
    "discriminator": [8, 16],
    "discriminator_rate": 0.1,
    "crop": WHOLE,
}
SCHEDULE = replace(SHORT, steps=120, batch_size=32, optimiser="adamw", learning_rate=0.01, log_every=20)


def context_encoder(**changes) -> ContextEncoder:
    method = build(ContextEncoder, ARGUMENTS | changes, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, ContextEncoder)
    return method


def views_of(method: ContextEncoder, source) -> Holed:
    start = Progress(0, 1)
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), start))
    return method.views(batch, Generator().manual_seed(0), start)


def test_regions_have_the_area_asked_for() -> None:
    holes = random_regions(200, 16, Generator().manual_seed(0), cells=4, area=(0.2, 0.3))
    shares = holes.float().mean(dim=(1, 2, 3))
    assert holes.shape == (200, 1, 16, 16)
    assert shares.min() >= 0.2 - 0.5 / 256
    assert shares.max() <= 0.3 + 0.5 / 256
    assert shares.max() - shares.min() > 0.08
    exact = random_regions(50, 16, Generator().manual_seed(0), cells=4, area=(0.25, 0.25))
    assert exact.sum(dim=(1, 2, 3)).tolist() == [64] * 50


def test_regions_lie_where_the_noise_is_darkest() -> None:
    # A cell a pixel: enlarging changes nothing, so that the hole can be read off the noise.
    holes = random_regions(1, 4, Generator().manual_seed(0), cells=4, area=(0.25, 0.25))
    noise = torch.rand(1, 1, 4, 4, generator=Generator().manual_seed(0))
    assert torch.equal(holes, noise <= noise.flatten().sort().values[3])


def test_fewer_cells_make_rounder_regions() -> None:
    def edges(cells: int) -> float:
        holes = random_regions(50, 32, Generator().manual_seed(0), cells=cells, area=(0.25, 0.25))
        return (holes[..., 1:] != holes[..., :-1]).float().mean().item()

    assert edges(4) < 0.6 * edges(8) < 0.4 * edges(32)


def test_a_batch_shares_its_hole_if_asked_to(make_source) -> None:
    source = make_source(6)
    assert len(views_of(context_encoder(shared=True), source).holes.flatten(1).unique(dim=0)) == 1
    own = views_of(context_encoder(), source)
    assert len(own.holes.flatten(1).unique(dim=0)) == 6
    assert own.holes.shape == (6, 1, 16, 16)
    torch.testing.assert_close(own.pictures, source.clips[:, 0].float() / 127.5 - 1)


def test_the_encoder_sees_the_mean_colour_in_the_hole(make_source) -> None:
    method, source = context_encoder(), make_source(100)
    method.fit(source, Generator().manual_seed(0))
    pictures = source.clips[:, 0].float() / 127.5 - 1
    torch.testing.assert_close(method.colour[:, 0, 0], pictures.mean(dim=(0, 2, 3)), atol=1e-5, rtol=0)
    seen = []
    method.encoder.stages[0].register_forward_pre_hook(lambda module, given: seen.append(given[0].clone()))
    views = views_of(method, source)
    method.loss(views)
    for image, picture, hole in zip(seen[0], views.pictures, views.holes[:, 0], strict=True):
        assert torch.equal(image[:, ~hole], picture[:, ~hole])
        assert torch.equal(image[:, hole], method.colour[:, 0].expand(3, int(hole.sum())))


def test_what_lies_in_the_hole_cannot_be_seen(make_source) -> None:
    method = context_encoder().eval()
    views = views_of(method, make_source(6))
    other = torch.where(views.holes, -views.pictures, views.pictures)
    assert torch.equal(method.reconstruct(views.pictures, views.holes), method.reconstruct(other, views.holes))


def test_only_the_hole_is_filled_in(make_source) -> None:
    method = context_encoder().eval()
    views = views_of(method, make_source(6))
    filled = method.reconstruct(views.pictures, views.holes)
    visible = ~views.holes.expand_as(filled)
    assert torch.equal(filled[visible], views.pictures[visible])
    assert not torch.isclose(filled[~visible], views.pictures[~visible]).all()
    assert filled.abs().max() <= 1


def test_the_error_is_averaged_over_the_pixels_of_each_hole() -> None:
    generator = Generator().manual_seed(0)
    answers, pictures = torch.randn(2, 4, 3, 6, 5, generator=generator)
    holes = torch.rand(4, 1, 6, 5, generator=generator) < 0.3
    by_hand = []
    for answer, picture, hole in zip(answers, pictures, holes[:, 0], strict=True):
        squares = [
            (answer[channel, row, column] - picture[channel, row, column]).item() ** 2
            for row, column in hole.nonzero().tolist()
            for channel in range(3)
        ]
        by_hand.append(sum(squares) / len(squares))
    torch.testing.assert_close(hole_errors(answers, pictures, holes), torch.tensor(by_hand))


def test_each_channel_is_connected_within_itself() -> None:
    layer = ChannelwiseLinear(MapShape(channels=3, height=2, width=2, side=16))
    assert layer.weight.numel() == 3 * 2**4
    maps = torch.randn(5, 3, 2, 2)
    expected = torch.stack(
        [maps[:, channel].flatten(1) @ layer.weight[channel] + layer.bias[channel] for channel in range(3)], dim=1
    ).view(5, 3, 2, 2)
    torch.testing.assert_close(layer(maps), expected)


def test_the_trivial_answer_is_the_mean_colour_of_what_is_visible() -> None:
    # Visible: one column of 1, two of -1, so a mean of -1/3; the hole is 1.
    picture = torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat_interleave(4).repeat(16).view(1, 1, 16, 16).repeat(1, 3, 1, 1)
    holes = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    holes[..., :4] = True
    answers = context_encoder().eval().pretext(Holed(picture, holes))
    assert answers.trivial is not None
    assert answers.trivial.item() == pytest.approx(((1 + 1 / 3) / 2) ** 2)


def test_training_fills_holes_better_than_their_surroundings_mean_colour(make_source) -> None:
    method = context_encoder()
    rows = pretrain(method, make_source(64), SCHEDULE, seed=0, device="cpu")
    noise = (55 / 127.5) ** 2 / 12
    assert rows[-1]["hole"] < 3 * noise < 0.7 * rows[0]["hole"]
    with torch.no_grad():
        answers = method.pretext(views_of(method, make_source(6, seed=1)))
    assert answers.errors is not None
    assert answers.trivial is not None
    assert answers.errors.mean() < 0.5 * answers.trivial.mean()


def test_without_an_adversary_there_is_one_player() -> None:
    method = context_encoder()
    assert method.discriminator is None
    assert list(method.groups()) == ["main"]
    assert method.rates() == {}


def test_adversarial_losses_by_hand(make_source) -> None:
    method = context_encoder(adversarial=0.25).eval()
    method.colour.copy_(torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1))
    views = views_of(method, make_source(6))
    losses = method.loss(views)
    assert method.discriminator is not None
    answers = method.predict(views.pictures, views.holes)

    def probabilities(pictures: torch.Tensor) -> list[float]:
        assert method.discriminator is not None
        shown = method.colour * ~views.holes + pictures * views.holes
        return method.discriminator(shown).sigmoid().flatten().tolist()

    real, made = probabilities(views.pictures), probabilities(answers)
    fooled = sum(-math.log(one) for one in made) / 6
    told_apart = (sum(-math.log(one) for one in real) + sum(-math.log(1 - one) for one in made)) / 12
    squared = hole_errors(answers, views.pictures, views.holes).mean().item()
    assert losses["inpainting/fooled"].item() == pytest.approx(0.25 * fooled, rel=1e-4)
    assert losses["discriminator/told_apart"].item() == pytest.approx(told_apart, rel=1e-4)
    assert losses["inpainting/hole"].item() == pytest.approx(0.75 * squared, rel=1e-4)


@pytest.mark.slow
def test_two_players_train_at_their_own_rates(make_source) -> None:
    method = context_encoder(adversarial=0.01)
    players = method.groups()
    every = [parameter for parameters in players.values() for parameter in parameters]
    assert len(every) == len(list(method.parameters())) == len({id(parameter) for parameter in every})
    assert method.rates() == {"discriminator": 0.1}
    rows = pretrain(method, make_source(64), replace(SCHEDULE, momentum=0.5), seed=0, device="cpu")
    # The discriminator starts at log 2 and learns; the squared error falls nonetheless.
    assert rows[-1]["discriminator/told_apart"] < math.log(2)
    assert rows[-1]["inpainting/hole"] < 0.5 * rows[0]["inpainting/hole"]


@pytest.mark.parametrize("area", [[0.3, 0.2], [0.0, 0.2], [0.5, 1.0]])
def test_areas_that_cannot_be_meant_are_refused(area: list[float]) -> None:
    with pytest.raises(ValueError, match="0 < least <= greatest < 1"):
        context_encoder(area=area)


def test_a_discriminator_that_shrinks_too_far_is_refused() -> None:
    with pytest.raises(ValueError, match="halvings do not fit 16 px"):
        context_encoder(adversarial=0.01, discriminator=[4] * 5)
