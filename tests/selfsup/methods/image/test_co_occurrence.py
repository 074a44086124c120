"""Where the two patches lie, which pairs are made of them, and what is learned of them."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.co_occurrence import CoOccurrence, Pairs, other_files, patch_places
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

ARGUMENTS = {
    "patch": 0.5,
    "size": 8,
    "gap": 0.0,
    "near": 0.0,
    "hidden": 32,
    "jitter": 0.0,
    "hue": 0.0,
    "grayscale": 0.0,
}
NETWORK = {"widths": [16, 32], "side": 16}
START = Progress(0, 1)


def co_occurrence(**changes) -> CoOccurrence:
    method = build(CoOccurrence, ARGUMENTS | changes, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, CoOccurrence)
    return method


def views_of(method: CoOccurrence, source, count: int = 6) -> Pairs:
    batch = source.take(method.draw(source.table, torch.arange(count), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_halves_of_a_picture_are_next_to_each_other(make_source) -> None:
    source = make_source(6)
    # Red says how far down a pixel is, green how far to the right.
    places = (torch.arange(16) * 16).to(torch.uint8)
    source.clips[:, :, 0], source.clips[:, :, 1] = places[:, None], places
    views = views_of(co_occurrence(), source)
    assert views.first.shape == (6, 3, 8, 8)
    # Back to pixels, of the patches' middles.
    first, second = ((one[:, :2].mean(dim=(2, 3)) + 1) * 127.5 / 16 for one in (views.first, views.second))
    apart = (first - second).abs()
    torch.testing.assert_close(apart.amax(dim=1), torch.full((6,), 8.0), atol=0.2, rtol=0)
    assert (apart.amin(dim=1) <= 8.2).all()
    # A patch as large as it is cut out is not resized: a pixel further is a pixel further.
    steps = views.first[:, 0, 1:-1].diff(dim=1) * 127.5 / 16
    torch.testing.assert_close(steps, torch.ones_like(steps), atol=0.05, rtol=0)


@pytest.mark.parametrize(
    ("patch", "gap", "near"), [(0.3, 0.1, 0.2), (0.25, 0.0, 0.95), (0.5, 0.0, 0.0), (0.2, 0.0, 0.0)]
)
def test_patches_lie_in_the_picture_as_far_apart_as_is_asked_for(patch: float, gap: float, near: float) -> None:
    first, second = patch_places(4000, Generator().manual_seed(0), patch=patch, gap=gap, near=near)
    for corners in (first, second):
        assert corners.min() >= 0
        assert corners.max() <= 1 - patch + 1e-6
    space = (first - second).abs() - patch
    # Between them in one direction, or in the other.
    assert (space.amax(dim=1) >= gap - 1e-6).all()
    assert (space.amax(dim=1) <= near + 1e-6).all()
    # Either may be the one on the left, or above.
    for axis in (0, 1):
        assert (first[:, axis] < second[:, axis]).float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_another_picture_is_of_another_file() -> None:
    parents = torch.tensor([0, 0, 1, 1, 2])
    seen = [set() for _ in parents]
    for seed in range(200):
        for place, other in enumerate(other_files(parents, Generator().manual_seed(seed)).tolist()):
            seen[place].add(other)
    assert seen == [{2, 3, 4}, {2, 3, 4}, {0, 1, 4}, {0, 1, 4}, {0, 1, 2, 3}]
    assert other_files(torch.tensor([7, 7]), Generator()).tolist() == [0, 1]


def test_loss_is_over_as_many_pairs_of_each(make_source) -> None:
    method = co_occurrence().eval()
    views = views_of(method, make_source(6))
    features = [method.encoder.blocks(images)[-1].mean(dim=(2, 3)) for images in (views.first, views.second)]
    losses = []
    for picture in range(6):
        for other, answer in ((picture, 1), (int(views.others[picture]), 0)):
            logits = method.head(torch.cat([features[0][picture], features[1][other]]))
            losses.append(-math.log(logits.softmax(dim=0)[answer].item()))
    assert method.loss(views)["co_occurrence"].item() == pytest.approx(sum(losses) / 12, rel=1e-4)


def test_pairs_without_another_file_do_not_count(make_source) -> None:
    method = co_occurrence().eval()
    views = views_of(method, make_source(6))
    alone = replace(views, others=torch.arange(6))
    answers = method.pretext(alone)
    assert answers.labels is not None
    assert answers.labels.tolist() == [1] * 6
    assert answers.entries.tolist() == list(range(6))
    logits, _ = method.logits(alone)
    expected = -logits[:6].log_softmax(dim=1)[:, 1].mean()
    torch.testing.assert_close(method.loss(alone)["co_occurrence"], expected)
    assert method.pretext(views).labels.tolist() == [1] * 6 + [0] * 6


def test_colours_change_in_each_patch_alone(make_source) -> None:
    plain, changed = (views_of(co_occurrence(**changes), make_source(6)) for changes in ({}, {"hue": 0.5}))
    shifts = [
        (one - other).mean(dim=(2, 3))
        for one, other in zip((changed.first, changed.second), (plain.first, plain.second), strict=True)
    ]
    assert not torch.allclose(shifts[0], shifts[1], atol=0.1)


def test_training_tells_pictures_apart_by_their_colours(make_source) -> None:
    schedule = replace(SHORT, steps=150, batch_size=32, log_every=25, optimiser="adamw", learning_rate=0.01)
    method = co_occurrence()
    rows = pretrain(method, make_source(64, classes=4), schedule, seed=0, device="cpu")
    # Of pairs that do not occur together a quarter has the same colour, and cannot be told from those that do: of five
    # pairs of one colour four occur together.
    least = 5 / 8 * -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert rows[-1]["co_occurrence"] < 0.5 * (least + math.log(2))
    answers = method.pretext(views_of(method, make_source(64, classes=4, seed=1), 64))
    assert answers.scores is not None
    assert (answers.scores.argmax(dim=1) == answers.labels).float().mean() > 0.75


def test_patches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="more than a picture's side"):
        co_occurrence(patch=0.4, gap=0.3, near=0.3)
    with pytest.raises(ValueError, match="near must be at least the gap"):
        co_occurrence(patch=0.2, gap=0.2, near=0.1)
