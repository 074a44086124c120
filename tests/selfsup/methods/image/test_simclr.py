import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Generator

from selfsup.methods.image.simclr import SimCLR, TwoViews, nt_xent
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

START = Progress(0, 1)
WHOLE = {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0}
NO_COLOURS = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1, "jitter": 0.0, "grayscale": 0.0}
PLAIN = {
    "temperature": 0.2,
    "layers": 2,
    "hidden": 32,
    "dims": 16,
    "branches": "both",
    "crop": WHOLE,
    "colours": NO_COLOURS,
    "blur": {"probability": 0.0, "sigma": (0.1, 2.0)},
    "rotate": 0.0,
    "cutout": 0.0,
    "noise": 0.0,
    "sobel": 0.0,
}
ON = {
    "crop": {"crop": {"scale": (0.3, 0.6), "ratio": (1.0, 1.0), "flip": 0.0}},
    "flip": {"crop": WHOLE | {"flip": 1.0}},
    "drop": {"colours": NO_COLOURS | {"grayscale": 1.0}},
    "jitter": {"colours": NO_COLOURS | {"jitter": 1.0}},
    "rotate": {"rotate": 1.0},
    "cutout": {"cutout": 0.5},
    "noise": {"noise": 0.1},
    "blur": {"blur": {"probability": 1.0, "sigma": (1.0, 2.0)}},
    "sobel": {"sobel": 1.0},
}


def simclr(**changes) -> SimCLR:
    networks = {"encoder": (ConvNet, {"widths": [8, 16, 32], "side": 16})}
    method = build(SimCLR, PLAIN | changes, networks, seed=0)
    assert isinstance(method, SimCLR)
    return method


def views_of(method: SimCLR, source) -> TwoViews:
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), START))
    return method.views(batch, Generator().manual_seed(0), START)


def test_nt_xent_is_equation_1() -> None:
    first, second = torch.randn(2, 4, 5, generator=Generator().manual_seed(0))
    z = [*first, *second]
    losses = []
    for i in range(8):
        weights = [math.exp(F.cosine_similarity(z[i], other, dim=0).item() / 0.3) for other in z]
        losses.append(-math.log(weights[(i + 4) % 8] / (sum(weights) - weights[i])))
    assert nt_xent(first, second, 0.3).item() == pytest.approx(sum(losses) / 8, rel=1e-5)


def test_nt_xent_is_computed_in_fp32_under_autocast() -> None:
    first, second = torch.randn(2, 16, 8, generator=Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        half = nt_xent(first, second, 0.05)
    assert half.dtype == torch.float32
    assert torch.equal(half, nt_xent(first, second, 0.05))


def test_everything_off_leaves_pictures_as_they_are(make_source) -> None:
    source = make_source(6)
    views = views_of(simclr(), source)
    upright = source.clips[:, 0].float() / 127.5 - 1
    torch.testing.assert_close(views.first, upright, atol=1e-6, rtol=0)
    torch.testing.assert_close(views.second, upright, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ON)
def test_each_augmentation_can_be_on_alone_and_stays_in_range(make_source, name: str) -> None:
    source = make_source(6)
    views = views_of(simclr(**ON[name]), source)
    upright = source.clips[:, 0].float() / 127.5 - 1
    for images in (views.first, views.second):
        assert all((image - other).abs().max() > 0.01 for image, other in zip(images, upright, strict=True))
        assert images.abs().max() <= 1 + 1e-5
    if name not in ("flip", "drop", "sobel"):  # which are the same for both views
        assert not torch.equal(views.first, views.second)


def test_of_one_branch_the_other_is_the_picture_itself(make_source) -> None:
    source = make_source(6)
    views = views_of(simclr(branches="one", **ON["cutout"]), source)
    assert torch.equal(views.first, source.clips[:, 0].float() / 127.5 - 1)
    assert not torch.equal(views.first, views.second)


def test_both_views_pass_through_the_encoder_as_one_batch(make_source) -> None:
    method = simclr(**ON["jitter"])
    views = views_of(method, make_source(6))
    z = method.head(method.encoder.blocks(torch.cat([views.first, views.second]))[-1].mean(dim=(2, 3)))
    expected = nt_xent(z[:6], z[6:], 0.2)
    torch.testing.assert_close(method.loss(views)["nt_xent"], expected)


def test_without_a_head_the_features_themselves_are_contrasted(make_source) -> None:
    method = simclr(layers=0)
    assert method.embedded(views_of(method, make_source(6)).first).shape == (6, 32)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="temperature must be above 0, not 0"):
        simclr(temperature=0.0)
    with pytest.raises(ValueError, match="branches must be both or one, not 'two'"):
        simclr(branches="two")


# The pictures are noise under one of three colours: to be told apart by their pixels.
LEARNING = replace(SHORT, optimiser="adamw", steps=80, batch_size=32, log_every=20, learning_rate=0.01)


def test_training_brings_the_loss_well_below_chance_and_the_other_view_is_told(make_source) -> None:
    method, source = simclr(noise=0.05), make_source(64)
    rows = pretrain(method, source, LEARNING, seed=0, device="cpu")
    assert rows[0]["nt_xent"] > rows[-1]["nt_xent"]
    assert rows[-1]["nt_xent"] < 0.4 * math.log(63)
    batch = source.take(method.draw(source.table, torch.arange(64), Generator(), START))
    answers = method.pretext(method.views(batch, Generator().manual_seed(1), START))
    assert answers.labels is not None
    assert answers.scores is not None
    assert (answers.scores.argmax(dim=1) == answers.labels).float().mean() > 0.5


def test_lars_brings_the_loss_down_too(make_source) -> None:
    schedule = replace(LEARNING, optimiser="lars", learning_rate=5.0, weight_decay=1e-6)
    rows = pretrain(simclr(noise=0.05), make_source(64), schedule, seed=0, device="cpu")
    assert rows[-1]["nt_xent"] < 0.6 * math.log(63)
