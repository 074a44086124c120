from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.autoencoder import Pictures
from selfsup.methods.image.denoising_autoencoder import DenoisingAutoencoder, masking_noise
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

WHOLE = {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0}
NETWORK = {"widths": [8, 16, 32], "side": 16}
ARGUMENTS = {"fraction": 0.25, "code": 4, "widths": [16, 8], "crop": WHOLE}
SCHEDULE = replace(SHORT, steps=120, batch_size=32, optimiser="adamw", learning_rate=0.01, log_every=20)


def denoiser(**changes) -> DenoisingAutoencoder:
    method = build(DenoisingAutoencoder, ARGUMENTS | changes, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, DenoisingAutoencoder)
    return method


def views_of(method: DenoisingAutoencoder, source) -> Pictures:
    start = Progress(0, 1)
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), start))
    return method.views(batch, Generator().manual_seed(0), start)


def test_every_picture_loses_the_same_number_of_pixels_at_its_own_places() -> None:
    noisy = masking_noise(torch.ones(5, 3, 8, 8), Generator().manual_seed(0), fraction=0.25)
    assert (noisy == 0).sum(dim=(2, 3)).tolist() == [[16] * 3] * 5
    # All three colours together.
    assert torch.equal(noisy[:, 0], noisy[:, 1])
    assert torch.equal(noisy[:, 0], noisy[:, 2])
    assert len(noisy[:, 0].flatten(1).unique(dim=0)) == 5


def test_every_pixel_is_as_likely_to_be_lost() -> None:
    lost = masking_noise(torch.ones(4000, 1, 3, 3), Generator().manual_seed(0), fraction=1 / 3) == 0
    shares = lost.float().mean(dim=0)
    # The standard deviation of a share of 4000 is 0.0075.
    assert (shares - 1 / 3).abs().max() < 0.03


def test_the_clean_picture_is_wanted(make_source) -> None:
    source = make_source(6)
    views = views_of(denoiser(), source)
    clean = source.clips[:, 0].float() / 127.5 - 1
    torch.testing.assert_close(views.wanted, clean)
    lost = (views.given != views.wanted).any(dim=1)
    assert lost.flatten(1).sum(dim=1).tolist() == [64] * 6
    assert views.given.permute(0, 2, 3, 1)[lost].abs().max() == 0


def test_without_noise_it_is_an_autoencoder(make_source) -> None:
    views = views_of(denoiser(fraction=0.0), make_source(6))
    assert torch.equal(views.given, views.wanted)


def test_loss_is_that_of_the_clean_picture(make_source) -> None:
    method = denoiser().eval()
    views = views_of(method, make_source(6))
    answers, total = method.reconstruct(views.given), 0.0
    for answer, wanted in zip(answers.flatten().tolist(), views.wanted.flatten().tolist(), strict=True):
        total += (answer - wanted) ** 2
    assert method.loss(views)["reconstruction"].item() == pytest.approx(total / views.wanted.numel(), rel=1e-4)


def test_training_brings_back_what_was_lost(make_source) -> None:
    method = denoiser()
    rows = pretrain(method, make_source(64), SCHEDULE, seed=0, device="cpu")
    noise = (55 / 127.5) ** 2 / 12
    assert rows[-1]["reconstruction"] < 2 * noise < 0.5 * rows[0]["reconstruction"]
    views = views_of(method, make_source(6, seed=1))
    with torch.no_grad():
        answers = method.pretext(views)
    assert answers.errors is not None
    assert answers.trivial is not None
    assert answers.errors.mean() < 0.5 * answers.trivial.mean()
    # Handing the noisy picture back is the easier answer; the reconstruction is the better one.
    as_given = ((views.given - views.wanted) / 2).square().mean(dim=(1, 2, 3))
    assert answers.errors.mean() < 0.5 * as_given.mean()


def test_a_decoder_for_another_side_is_refused() -> None:
    with pytest.raises(ValueError, match="change the number of widths"):
        denoiser(widths=[16])
