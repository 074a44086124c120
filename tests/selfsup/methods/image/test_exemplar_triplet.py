"""The triplet loss against one written out, and views that share nothing but their picture."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.image.exemplar_triplet import ExemplarTriplet, SeveralViews, triplet_loss
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

ARGUMENTS = {
    "views_each": 3,
    "dims": 8,
    "margin": 0.5,
    "negatives": "semi_hard",
    "crop": {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0},
    "brightness": 0.0,
    "contrast": 0.0,
    "saturation": 0.0,
    "hue": 0.0,
    "grayscale": 0.0,
}
NETWORK = {"widths": [16, 32, 64], "side": 16}
START = Progress(0, 1)


def triplet(**changes) -> ExemplarTriplet:
    method = build(ExemplarTriplet, ARGUMENTS | changes, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, ExemplarTriplet)
    return method


def views_of(method: ExemplarTriplet, source) -> SeveralViews:
    batch = source.take(method.draw(source.table, torch.arange(4), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def of_blobs(source):
    """The source, every picture of which has blobs of its own."""
    blobs = torch.randint(256, (len(source.clips), 1, 3, 4, 4), dtype=torch.uint8, generator=Generator().manual_seed(0))
    source.clips[:] = blobs.repeat_interleave(4, dim=3).repeat_interleave(4, dim=4)
    return source


def slow_loss(vectors: Tensor, views_each: int, margin: float, negatives: str) -> float:
    count = len(vectors) // views_each
    hinges = []
    for a in range(len(vectors)):
        distance = [
            1 - sum(x * y for x, y in zip(vectors[a].tolist(), other.tolist(), strict=True)) for other in vectors
        ]
        others = [n for n in range(len(vectors)) if n % count != a % count]
        for p in range(len(vectors)):
            if p == a or p % count != a % count:
                continue
            farther = [distance[n] for n in others if distance[n] > distance[p]]
            chosen = [min(farther) if farther else max(distance[n] for n in others)]
            if negatives == "all":
                chosen = [distance[n] for n in others]
            hinges.append(sum(max(0.0, margin + distance[p] - one) for one in chosen) / len(chosen))
    return sum(hinges) / len(hinges)


@pytest.mark.parametrize("negatives", ["semi_hard", "all"])
@pytest.mark.parametrize("margin", [0.1, 0.5])
def test_loss_is_the_hinge_of_every_pair(negatives: str, margin: float) -> None:
    vectors = F.normalize(torch.randn(12, 3, generator=Generator().manual_seed(0)), dim=1)
    fast = triplet_loss(vectors, 3, margin, negatives).item()
    assert fast == pytest.approx(slow_loss(vectors, 3, margin, negatives), rel=1e-4)


def test_nothing_is_lost_once_pictures_are_a_margin_apart() -> None:
    vectors = torch.eye(4).repeat(2, 1)
    assert triplet_loss(vectors, 2, 0.5, "semi_hard").item() == 0
    assert triplet_loss(vectors, 2, 1.5, "semi_hard").item() == pytest.approx(0.5)


def test_embeddings_have_length_one_over_their_own_dimensions(make_source) -> None:
    method = triplet()
    vectors = method.embedded(views_of(method, make_source(4)).images)
    assert vectors.shape == (12, 8)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(12))
    # Not over the batch, as in the released code.
    assert not torch.allclose(vectors.norm(dim=0), torch.ones(8), atol=0.1)


def test_views_are_of_the_pictures_in_turn(make_source) -> None:
    source = make_source(4)
    views = views_of(triplet(), source)
    torch.testing.assert_close(views.images, (source.clips[:, 0].float() / 127.5 - 1).repeat(3, 1, 1, 1))


def test_each_view_has_a_crop_and_colours_of_its_own(make_source) -> None:
    crop = {"scale": (0.3, 0.7), "ratio": (0.75, 1.333), "flip": 0.5}
    for changes in ({"crop": crop}, {"hue": 0.3, "brightness": 0.5}):
        first, second, third = views_of(triplet(**changes), make_source(4)).images.chunk(3)
        for one, other in ((first, second), (second, third), (first, third)):
            assert not torch.allclose(one, other, atol=0.05)


def test_views_without_colours_are_grey(make_source) -> None:
    images = views_of(triplet(grayscale=1.0), make_source(4)).images
    torch.testing.assert_close(images, images[:, :1].expand_as(images))


@pytest.mark.parametrize("negatives", ["semi_hard", "all"])
def test_training_brings_views_of_a_picture_together(make_source, negatives: str) -> None:
    method = triplet(
        dims=32, negatives=negatives, brightness=0.2, crop={"scale": (0.8, 1.0), "ratio": (0.9, 1.1), "flip": 0.0}
    )
    schedule = replace(SHORT, steps=100, batch_size=32, log_every=25, optimiser="adamw", learning_rate=0.01)
    rows = pretrain(method, of_blobs(make_source(64)), schedule, seed=0, device="cpu")
    # If all pictures were embedded alike, the loss would be the margin.
    assert rows[-1]["triplet"] < 0.3 * method.margin
    source = of_blobs(make_source(64))
    batch = source.take(method.draw(source.table, torch.arange(64), Generator(), START))
    answers = method.pretext(method.views(batch, Generator().manual_seed(0), START))
    assert answers.scores is not None
    assert answers.scores.shape == (64, 16)
    assert (answers.scores.argmax(dim=1) == answers.labels).float().mean() > 0.5


def test_one_view_is_refused() -> None:
    with pytest.raises(ValueError, match="views_each must be at least 2"):
        triplet(views_each=1)
