import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.cmc import CMC, SplitPictures
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder
from selfsup.networks.split import SplitConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

START = Progress(0, 1)
PLAIN = {
    "dims": 16,
    "temperature": 0.1,
    "objective": "cross_entropy",
    "negatives": 0,
    "bank_momentum": 0.5,
    "pictures": 0,
    "crop": {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0},
}


def cmc(network: type[Encoder] = SplitConvNet, **changes) -> CMC:
    networks = {"encoder": (network, {"widths": [16, 32, 64], "side": 16})}
    method = build(CMC, PLAIN | changes, networks, seed=0)
    assert isinstance(method, CMC)
    return method


def views_of(method: CMC, source, indices: list[int]) -> SplitPictures:
    batch = source.take(method.draw(source.table, torch.tensor(indices), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_pictures_are_what_the_encoder_takes(make_source) -> None:
    method, source = cmc(), make_source(6)
    views = views_of(method, source, [0, 3])
    expected = method.encoder.prepare({"frames": source.clips[[0, 3]]})
    torch.testing.assert_close(views.pictures, expected, atol=1e-5, rtol=1e-4)


def test_no_half_sees_the_channels_of_the_other(make_source) -> None:
    method = cmc().eval()
    pictures = views_of(method, make_source(6), [0, 1, 2]).pictures
    lightness, colour = method.embedded(pictures)
    changed = pictures.clone()
    changed[:, 1:] = 0
    assert torch.equal(method.embedded(changed)[0], lightness)
    assert not torch.equal(method.embedded(changed)[1], colour)
    changed = pictures.clone()
    changed[:, 0] = 0
    assert torch.equal(method.embedded(changed)[1], colour)
    assert not torch.equal(method.embedded(changed)[0], lightness)


@pytest.mark.parametrize(("objective", "negatives"), [("cross_entropy", 0), ("nce", 4)])
def test_each_half_is_compared_with_the_others_bank_and_moves_its_own(
    make_source, objective: str, negatives: int
) -> None:
    method, source = cmc(objective=objective, negatives=negatives).eval(), make_source(10)
    method.fit(source, Generator().manual_seed(0))
    assert not torch.equal(method.lightness_bank.vectors, method.colour_bank.vectors)
    views = views_of(method, source, [7, 1])
    losses = method.loss(views)
    lightness, colour = method.embedded(views.pictures)
    torch.testing.assert_close(losses["colour"], method.colour_bank.loss(lightness, views.indices, views.negatives))
    torch.testing.assert_close(losses["lightness"], method.lightness_bank.loss(colour, views.indices, views.negatives))
    pairs = [(method.lightness_bank, lightness), (method.colour_bank, colour)]
    expected = [torch.nn.functional.normalize(bank.vectors[[7, 1]] + vectors, dim=1) for bank, vectors in pairs]
    method.after_step(views, Progress(1, 10))
    for (bank, _), moved in zip(pairs, expected, strict=True):
        torch.testing.assert_close(bank.vectors[[7, 1]], moved)


def test_an_encoder_of_one_piece_is_refused() -> None:
    with pytest.raises(ValueError, match="encoder must have two halves, as SplitConvNet, not ConvNet"):
        cmc(ConvNet)


def test_training_brings_both_losses_well_below_chance_and_colours_are_told(make_source) -> None:
    method, source = cmc(), make_source(64)
    schedule = replace(SHORT, optimiser="adamw", steps=120, batch_size=32, log_every=20, learning_rate=0.003)
    rows = pretrain(method, source, schedule, seed=0, device="cpu")
    for name in ("colour", "lightness"):
        assert rows[0][name] > rows[-1][name]
        assert rows[-1][name] < 0.6 * math.log(64)
    answers = method.pretext(views_of(method, source, list(range(64))))
    assert answers.labels is not None
    assert answers.scores is not None
    assert (answers.scores.argmax(dim=1) == answers.labels).float().mean() > 0.3
