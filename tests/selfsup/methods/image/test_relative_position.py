import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.relative_position import DIRECTIONS, Pairs, RelativePosition, all_pairs, dropped
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.source import Batch
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

WHOLE = {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0}
PLAIN = {
    "grid": 3,
    "patch": 0.25,
    "gap": 0.25,
    "jitter": 0.0,
    "aberration": 0.0,
    "projection": False,
    "dropping": 0.0,
    "noise": 0.01,
    "coarse": 0.0,
    "least_side": 0.5,
    "normalise": False,
    "pool": 1,
    "hidden": 32,
    "joint": 32,
    "crop": WHOLE,
}
NETWORK = {"widths": [8, 16, 32], "side": 32}
START = Progress(0, 1)


def relative_position(**changes) -> RelativePosition:
    method = build(RelativePosition, PLAIN | changes, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, RelativePosition)
    return method


def batch_of(source, count: int = 6) -> Batch:
    return source.take(relative_position().draw(source.table, torch.arange(count), Generator(), START))


def views_of(method: RelativePosition, source, seed: int = 0) -> Pairs:
    return method.views(batch_of(source), Generator().manual_seed(seed), START)


def test_neighbours_lie_where_their_direction_says() -> None:
    for (down, right), pairs in zip(DIRECTIONS, all_pairs(3), strict=True):
        for first, second in pairs:
            assert (second // 3 - first // 3, second % 3 - first % 3) == (down, right)
    assert [len(pairs) for pairs in all_pairs(3)] == [4, 6, 4, 6, 6, 4, 6, 4]


def test_every_direction_has_as_many_pairs_and_none_twice(make_source) -> None:
    views = views_of(relative_position(), make_source(6, side=32))
    assert views.directions.bincount().tolist() == [4] * 8
    pairs = list(zip(views.first.tolist(), views.second.tolist(), strict=True))
    assert len(set(pairs)) == 32
    for (first, second), direction in zip(pairs, views.directions.tolist(), strict=True):
        assert (first, second) in all_pairs(3)[direction]


def test_patches_are_cut_from_a_grid_with_gaps(make_source) -> None:
    source = make_source(6, side=32)
    # A grid of 3 * 10 + 2 * 1 fills the picture: it can lie in one place only.
    views = views_of(relative_position(patch=10 / 32, gap=0.1), source)
    images = source.clips[:, 0].float() / 127.5 - 1
    assert views.patches.shape == (6, 9, 3, 10, 10)
    torch.testing.assert_close(views.patches[:, 5], images[:, :, 11:21, 22:32])


def test_jitter_moves_patches_apart_by_at_most_twice_itself() -> None:
    corners = relative_position(jitter=0.25).corners(200, 32, Generator().manual_seed(0)).float()
    steps = corners[:, 1, 1] - corners[:, 0, 1]
    assert steps.min() == 10 - 4
    assert steps.max() == 10 + 4
    assert corners.min() >= 0
    assert corners.max() <= 32 - 8
    assert len((relative_position().corners(200, 32, Generator().manual_seed(0)))[:, 0].unique(dim=0)) == 25


def test_what_is_switched_off_changes_nothing_and_what_is_on_does(make_source) -> None:
    source = make_source(6, side=32)
    plain = views_of(relative_position(), source).patches
    projected = views_of(relative_position(projection=True), source).patches
    torch.testing.assert_close(2 * projected[:, :, 1], projected[:, :, 0] + projected[:, :, 2], atol=1e-5, rtol=0)
    normal = views_of(relative_position(normalise=True), source).patches
    torch.testing.assert_close(normal.mean(dim=(-2, -1)), torch.zeros(6, 9, 3), atol=1e-5, rtol=0)
    aberrated = views_of(relative_position(aberration=0.1), source).patches
    assert torch.equal(aberrated[:, :, 0], plain[:, :, 0])
    assert not torch.allclose(aberrated[:, :, 1], plain[:, :, 1], atol=0.1)
    coarse = views_of(relative_position(coarse=1.0), source).patches
    assert (coarse.std(dim=(-2, -1)) < plain.std(dim=(-2, -1))).all()


def test_dropping_leaves_one_channel_and_little_noise() -> None:
    patches = torch.rand(300, 3, 8, 8, generator=Generator().manual_seed(0))
    result = dropped(patches, 1.0, 0.01, Generator().manual_seed(0))
    kept = (result == patches).flatten(2).all(dim=2)
    assert kept.sum(dim=1).tolist() == [1] * 300
    assert (kept.sum(dim=0) > 60).all()
    others = result[~kept].view(300, -1)
    expected = 0.01 * patches[kept].flatten(1).std(dim=1)
    torch.testing.assert_close(others.std(dim=1).mean(), expected.mean(), rtol=0.05, atol=0)
    assert torch.equal(dropped(patches, 0.0, 0.01, Generator().manual_seed(0)), patches)


def test_loss_is_that_of_pairs_seen_one_by_one(make_source) -> None:
    method = relative_position(jitter=0.125).eval()
    views = method.views(batch_of(make_source(6, side=32), 2), Generator().manual_seed(0), START)
    losses = []
    for patches in views.patches:
        for first, second, direction in zip(views.first, views.second, views.directions, strict=True):
            one, other = (
                method.patch_head(method.encoder.blocks(patches[which : which + 1])[-1]) for which in (first, second)
            )
            probabilities = method.pair_head(torch.cat([one, other], dim=1)).softmax(dim=1)
            losses.append(-math.log(probabilities[0, direction].item()))
    assert method.loss(views)["direction"].item() == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_answers_are_about_the_pairs_of_each_entry(make_source) -> None:
    method = relative_position().eval()
    answers = method.pretext(views_of(method, make_source(6, side=32)))
    assert answers.entries.bincount().tolist() == [32] * 6
    assert answers.labels is not None
    assert answers.scores is not None
    assert answers.scores.shape == (192, 8)
    assert answers.labels[:32].tolist() == [direction for direction in range(8) for _ in range(4)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": 1}, "grid must be at least 2"),
        ({"gap": 0.6}, "with gaps of 0.6 of a patch take 1.05 of it, expected 1 at most"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        relative_position(**changes)


def test_where_rounding_enlarges_patches_the_gaps_give_way() -> None:
    # 0.3 of 32 px rounds to 10, a gap to 2: three patches and their gaps would take 34 px.
    corners = relative_position(patch=0.3, gap=0.15).corners(1, 32, Generator())
    assert corners[0, :3, 1].tolist() == [0, 11, 22]
    # A third rounds to 11, and three of these are too many.
    with pytest.raises(ValueError, match="3 patches of 11 px do not fit into 32 px"):
        relative_position(patch=1 / 3, gap=0.0).corners(1, 32, Generator())


def test_training_brings_the_loss_well_below_chance(make_source) -> None:
    # Light falls off downwards: up and down can be told, left and right cannot.
    schedule = replace(SHORT, steps=60, batch_size=16, log_every=20)
    rows = pretrain(relative_position(jitter=0.125), make_source(64, side=32), schedule, seed=0, device="cpu")
    assert rows[0]["direction"] > rows[-1]["direction"]
    assert rows[-1]["direction"] < 0.7 * math.log(8)
