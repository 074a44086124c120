import math
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.bigan import BiGAN, Pairs
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.probes.pretext import Pretext
from selfsup.probes.probe import Pretrained
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

WHOLE = {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0}
ARGUMENTS = {"dims": 6, "grid": 2, "widths": [16, 32], "hidden": 64, "speed": 1.0, "crop": WHOLE}
NETWORK = {"widths": [8, 16, 32], "side": 16}
ADAM = replace(SHORT, optimiser="adamw", learning_rate=1e-3, momentum=0.5, batch_size=32)


def bigan(arguments: dict = ARGUMENTS, network: dict = NETWORK) -> BiGAN:
    method = build(BiGAN, arguments, {"encoder": (ConvNet, network)}, seed=0)
    assert isinstance(method, BiGAN)
    return method


def views_of(method: BiGAN, source) -> Pairs:
    start = Progress(0, 1)
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), start))
    return method.views(batch, Generator().manual_seed(0), start)


def test_codes_are_uniform_and_pictures_are_those_of_the_source(make_source) -> None:
    source = make_source(6)
    method = bigan({**ARGUMENTS, "dims": 2000})
    views = views_of(method, source)
    torch.testing.assert_close(views.images, source.clips[:, 0].float() / 127.5 - 1)
    assert torch.equal(views.small, views.images)
    assert views.codes.shape == (6, 2000)
    assert -1 <= views.codes.min() < -0.99
    assert 0.99 < views.codes.max() <= 1
    assert views.codes.mean().abs() < 0.02


def test_the_discriminator_may_see_smaller_pictures_than_the_encoder(make_source) -> None:
    method = bigan({**ARGUMENTS, "widths": [16]})
    views = views_of(method, make_source(6))
    assert views.images.shape == (6, 3, 16, 16)
    assert views.small.shape == method.generate(views.codes).shape == (6, 3, 8, 8)
    # Halved, a picture keeps its mean colour but for what the antialiasing weighs differently at its border.
    torch.testing.assert_close(views.small.mean(dim=(2, 3)), views.images.mean(dim=(2, 3)), atol=0.05, rtol=0)


def test_the_losses_are_cross_entropies_with_the_labels_swapped_between_the_players(make_source) -> None:
    method = bigan().eval()
    views = views_of(method, make_source(6))
    by_hand = dict.fromkeys(
        ["discriminator/real", "discriminator/generated", "encoder_generator/real", "encoder_generator/generated"], 0.0
    )
    for image, small, code in zip(views.images, views.small, views.codes, strict=True):
        encoded, made = method.encode(image[None]), method.generate(code[None])
        real = torch.sigmoid(method.discriminator(small[None], encoded)).item()
        generated = torch.sigmoid(method.discriminator(made, code[None])).item()
        by_hand["discriminator/real"] -= math.log(real) / 12
        by_hand["discriminator/generated"] -= math.log(1 - generated) / 12
        by_hand["encoder_generator/real"] -= math.log(1 - real) / 12
        by_hand["encoder_generator/generated"] -= math.log(generated) / 12
    assert {name: loss.item() for name, loss in method.loss(views).items()} == pytest.approx(by_hand, rel=1e-4)


def test_the_groups_hold_every_parameter_once() -> None:
    method = bigan()
    grouped = [parameter for group in method.groups().values() for parameter in group]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == set(method.parameters())


def test_the_discriminator_learns_to_tell_what_does_not_learn(make_source) -> None:
    method = bigan({**ARGUMENTS, "speed": 0.01})
    rows = pretrain(method, make_source(64), replace(ADAM, steps=20), seed=0, device="cpu")
    assert rows[-1]["discriminator/real"] + rows[-1]["discriminator/generated"] < 0.5 * math.log(2)


@pytest.mark.slow
def test_the_players_stay_in_balance_and_pictures_come_to_look_like_the_data(make_source) -> None:
    source = make_source(64, classes=1)
    method = bigan()
    rows = pretrain(method, source, replace(ADAM, steps=120, log_every=20), seed=0, device="cpu")
    mean = source.clips[:, 0].float().mean(dim=0) / 127.5 - 1
    torch.testing.assert_close(method.mean_image, mean)
    made = method.generate(2 * torch.rand(64, 6, generator=Generator().manual_seed(0)) - 1).detach()
    assert (made.mean(dim=0) - mean).square().mean() < 0.1 * mean.square().mean()
    assert all(row["encoder_generator/generated"] < 5 for row in rows)


def test_what_is_answered_is_the_error_against_that_of_the_mean_image(make_source) -> None:
    source = make_source(64)
    method = bigan()
    method.fit(source, Generator().manual_seed(0))
    method.eval()
    answers = method.pretext(views_of(method, source))
    pictures = source.clips[:6, 0].float() / 127.5 - 1
    assert answers.errors is not None
    assert answers.trivial is not None
    for image, error, trivial in zip(pictures, answers.errors, answers.trivial, strict=True):
        made = method.generate(method.encode(image[None]))[0]
        assert error.item() == pytest.approx((made - image).square().mean().item(), rel=1e-4)
        assert trivial.item() == pytest.approx((method.mean_image - image).square().mean().item(), rel=1e-4)
    pretrained = Pretrained(method.encoders(), method)
    [evaluation] = Pretext().evaluate(pretrained, train=source, validation=source, test=source, device="cpu", seed=0)
    assert evaluation.metric == "error"
