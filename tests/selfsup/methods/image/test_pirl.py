import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Generator

from selfsup.methods.image.pirl import PIRL, PicturesAndTiles
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

START = Progress(0, 1)
WHOLE = {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0}
PLAIN = {
    "dims": 16,
    "temperature": 0.1,
    "negatives": 0,
    "bank_momentum": 0.5,
    "pictures": 0,
    "weight": 0.5,
    "grid": 2,
    "tile": 0.75,
    "jitter": False,
    "crop": WHOLE,
    "tiles_crop": WHOLE,
    "colours": {"brightness": 0.1, "contrast": 0.0, "saturation": 0.0, "hue": 0.0, "jitter": 0.0, "grayscale": 0.0},
}


def pirl(**changes) -> PIRL:
    networks = {"encoder": (ConvNet, {"widths": [8, 16, 32], "side": 32})}
    method = build(PIRL, PLAIN | changes, networks, seed=0)
    assert isinstance(method, PIRL)
    return method


def views_of(method: PIRL, source, count: int = 6) -> PicturesAndTiles:
    batch = source.take(method.draw(source.table, torch.arange(count), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_tiles_are_the_middles_of_their_cells_in_an_order_of_each_picture(make_source) -> None:
    source = make_source(6, side=32)
    views = views_of(pirl(), source)
    images = source.clips[:, 0].float() / 127.5 - 1
    assert views.tiles.shape == (6, 4, 3, 12, 12)
    orders = []
    for image, tiles in zip(images, views.tiles, strict=True):
        cells = [image[:, top : top + 12, left : left + 12] for top in (2, 18) for left in (2, 18)]
        orders.append(
            tuple(next(n for n, cell in enumerate(cells) if (tile - cell).abs().max() < 1e-5) for tile in tiles)
        )
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(set(orders)) > 1


def test_any_order_may_come() -> None:
    images = torch.zeros(600, 3, 32, 32)
    images[:, :, 16:, :16], images[:, :, :16, 16:], images[:, :, 16:, 16:] = 1, 2, 3
    tiles = pirl(jitter=True, tile=0.5).shuffled_tiles(images, Generator().manual_seed(0))
    # Wherever a tile lies in its cell, it is of one value.
    values = tiles[:, :, 0, 0, 0]
    assert torch.equal(tiles, values[:, :, None, None, None].expand_as(tiles))
    assert len(values.unique(dim=0)) == math.factorial(4)


def test_jittered_tiles_are_cut_anywhere_in_their_cells() -> None:
    rows = torch.arange(32.0)[:, None].expand(400, 3, 32, 32)
    tiles = pirl(jitter=True, tile=0.75).shuffled_tiles(rows, Generator().manual_seed(0))
    tops = tiles[:, :, 0, 0, 0]
    assert tops.unique().tolist() == [0, 1, 2, 3, 4, 16, 17, 18, 19, 20]


def test_each_tile_has_colours_of_its_own(make_source) -> None:
    colours = PLAIN["colours"] | {"brightness": 0.8, "jitter": 1.0}
    source = make_source(6, side=32)
    ratios = (views_of(pirl(colours=colours), source).tiles + 1) / (views_of(pirl(), source).tiles + 1)
    assert ratios.mean(dim=(2, 3, 4)).std(dim=1).min() > 0.02


def test_the_loss_is_equation_6_with_both_against_the_bank(make_source) -> None:
    method, source = pirl(weight=0.25).eval(), make_source(6, side=32)
    method.fit(source, Generator().manual_seed(0))
    views = views_of(method, source)
    losses = method.loss(views)
    for name, weight in {"tiles": 0.25, "pictures": 0.75}.items():
        by_hand = []
        for index in range(6):
            if name == "tiles":
                each = [method.encoder.blocks(tile[None])[-1].mean(dim=(2, 3)) for tile in views.tiles[index]]
                query = method.bag_head(torch.cat([method.tile_head(one) for one in each], dim=1))
            else:
                query = method.picture_head(method.encoder.blocks(views.images[index : index + 1])[-1].mean(dim=(2, 3)))
            scores = F.normalize(query, dim=1)[0] @ method.bank.vectors.T / 0.1
            by_hand.append(-scores.log_softmax(dim=0)[index].item())
        assert losses[name].item() == pytest.approx(weight * sum(by_hand) / 6, rel=1e-4)


def test_the_bank_follows_the_pictures_not_the_tiles(make_source) -> None:
    method, source = pirl().eval(), make_source(6, side=32)
    method.fit(source, Generator().manual_seed(0))
    before = method.bank.vectors.clone()
    views = views_of(method, source)
    method.loss(views)
    method.after_step(views, Progress(1, 10))
    expected = F.normalize(0.5 * before + 0.5 * method.of_pictures(views.images), dim=1)
    torch.testing.assert_close(method.bank.vectors, expected)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="weight must be from 0 to 1, not 2"):
        pirl(weight=2.0)
    with pytest.raises(ValueError, match=r"tile is a share of its cell's side, above 0 and at most 1, not 1\.5"):
        pirl(tile=1.5)


@pytest.mark.slow
def test_training_brings_both_losses_well_below_chance_and_tiles_find_their_picture(make_source) -> None:
    method, source = pirl(), make_source(64, side=32)
    schedule = replace(SHORT, optimiser="adamw", steps=120, batch_size=32, log_every=20, learning_rate=0.003)
    rows = pretrain(method, source, schedule, seed=0, device="cpu")
    chance = 0.5 * math.log(64)
    assert rows[-1]["tiles"] < 0.6 * chance
    assert rows[-1]["pictures"] < 0.1 * chance
    answers = method.pretext(views_of(method, source, 64))
    assert answers.labels is not None
    assert answers.scores is not None
    assert (answers.scores.argmax(dim=1) == answers.labels).float().mean() > 10 / 64
