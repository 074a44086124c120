import math
from dataclasses import replace
from itertools import permutations

import pytest
import torch
from torch import Generator

from selfsup.methods.image.jigsaw import Jigsaw, Puzzles, all_permutations, distant_permutations
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

WHOLE = {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0}
PLAIN = {
    "grid": 2,
    "permutations": 6,
    "permutation_seed": 0,
    "tile": 0.75,
    "jitter": False,
    "channel_jitter": 0.0,
    "grey": 0.0,
    "projection": 0.0,
    "normalise": False,
    "puzzles": 2,
    "pool": 1,
    "hidden": 32,
    "joint": 32,
    "crop": WHOLE,
}
NETWORK = {"widths": [8, 16, 32], "side": 32}
START = Progress(0, 1)


def jigsaw(**changes) -> Jigsaw:
    method = build(Jigsaw, PLAIN | changes, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, Jigsaw)
    return method


def views_of(method: Jigsaw, source) -> Puzzles:
    table = method.fit(source, Generator())
    batch = source.take(method.draw(table, torch.arange(6), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_all_permutations_are_there_once() -> None:
    assert sorted(map(tuple, all_permutations(4).tolist())) == list(permutations(range(4)))


def test_permutations_are_as_far_apart_as_they_can_be() -> None:
    # Four that differ in all four places from each other exist (a Latin square) and are found.
    chosen = distant_permutations(4, 4, Generator().manual_seed(0))
    for place in range(4):
        assert sorted(chosen[:, place].tolist()) == [0, 1, 2, 3]


def test_each_permutation_is_the_furthest_from_those_before_it() -> None:
    chosen = distant_permutations(10, 5, Generator().manual_seed(1)).tolist()

    def distance(candidate, others) -> int:
        return sum(a != b for other in others for a, b in zip(candidate, other, strict=True))

    for count in range(1, 10):
        left = [one for one in permutations(range(5)) if list(one) not in chosen[:count]]
        greatest = max(distance(one, chosen[:count]) for one in left)
        assert distance(chosen[count], chosen[:count]) == greatest


def test_the_set_follows_from_its_seed_alone_and_has_none_twice(make_source) -> None:
    sets = []
    for seed, generator in ((3, 0), (3, 1), (4, 0)):
        method = jigsaw(permutations=24, permutation_seed=seed)
        method.fit(make_source(6), Generator().manual_seed(generator))
        sets.append(method.permutation_set)
    assert torch.equal(sets[0], sets[1])
    assert not torch.equal(sets[0], sets[2])
    assert len(sets[0].unique(dim=0)) == 24


def test_tiles_are_the_middles_of_their_cells(make_source) -> None:
    source = make_source(6, side=32)
    views = views_of(jigsaw(), source)
    images = source.clips[:, 0].float() / 127.5 - 1
    assert views.tiles.shape == (6, 4, 3, 12, 12)
    assert views.permutations.shape == (6, 2)
    torch.testing.assert_close(views.tiles[:, 2], images[:, :, 18:30, 2:14])


def test_jittered_tiles_and_channels_stay_in_their_cells() -> None:
    corners = jigsaw(grid=3, tile=0.6, jitter=True, channel_jitter=0.2).corners(300, 32, Generator().manual_seed(0))
    # Cells of 10 px, 1 px off the border.
    assert corners.shape == (300, 9, 3, 2)
    assert corners[:, 4].unique().tolist() == list(range(11, 16))
    apart = corners[:, :, 0] - corners[:, :, 1]
    assert apart.unique().tolist() == [-2, -1, 0, 1, 2]


def test_what_is_switched_on_changes_tiles(make_source) -> None:
    source = make_source(6, side=32)
    grey = views_of(jigsaw(grey=1.0), source).tiles
    assert torch.equal(grey[:, :, 0], grey[:, :, 2])
    projected = views_of(jigsaw(projection=1.0), source).tiles
    torch.testing.assert_close(2 * projected[:, :, 1], projected[:, :, 0] + projected[:, :, 2], atol=1e-5, rtol=0)
    normal = views_of(jigsaw(normalise=True), source).tiles
    torch.testing.assert_close(normal.mean(dim=(-2, -1)), torch.zeros(6, 4, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normal.square().mean(dim=(2, 3, 4)), torch.ones(6, 4), atol=1e-4, rtol=0)


def test_loss_is_that_of_tiles_shuffled_before_the_encoder(make_source) -> None:
    method = jigsaw(jitter=True).eval()
    views = views_of(method, make_source(6, side=32))
    losses = []
    for tiles, numbers in zip(views.tiles, views.permutations, strict=True):
        for number in numbers:
            shuffled = torch.stack([tiles[tile] for tile in method.permutation_set[number]])
            each = method.tile_head(method.encoder.blocks(shuffled)[-1])
            losses.append(-math.log(method.puzzle_head(each.reshape(1, -1)).softmax(dim=1)[0, number].item()))
    assert method.loss(views)["permutation"].item() == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_answers_are_about_the_puzzles_of_each_entry(make_source) -> None:
    method = jigsaw().eval()
    views = views_of(method, make_source(6, side=32))
    answers = method.pretext(views)
    assert answers.entries.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert answers.labels is not None
    assert answers.labels.tolist() == views.permutations.flatten().tolist()
    assert answers.scores is not None
    assert answers.scores.shape == (12, 6)


@pytest.mark.parametrize("count", [1, 25])
def test_permutations_that_do_not_exist_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="4 tiles have 24 permutations; expected 2 or more"):
        jigsaw(permutations=count)


def test_tiles_larger_than_their_cells_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shares of a cell: 0\.9 and 0\.2 exceed 1"):
        jigsaw(tile=0.9, channel_jitter=0.2)


def test_training_brings_the_loss_well_below_chance(make_source) -> None:
    # Light falls off downwards, so that rows of tiles can be told apart, but not left and right.
    schedule = replace(SHORT, steps=60, batch_size=16, log_every=20)
    rows = pretrain(jigsaw(jitter=True), make_source(64, side=32), schedule, seed=0, device="cpu")
    assert rows[0]["permutation"] > rows[-1]["permutation"]
    assert rows[-1]["permutation"] < 0.7 * math.log(6)
