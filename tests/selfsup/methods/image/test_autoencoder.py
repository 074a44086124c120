from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.autoencoder import Autoencoder, Pictures, picture_errors
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

WHOLE = {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0}
CROPPED = {"scale": [0.5, 1.0], "ratio": [0.75, 1.333], "flip": 0.5}
NETWORK = {"widths": [8, 16, 32], "side": 16}
ARGUMENTS = {"code": 4, "widths": [16, 8], "crop": WHOLE}
SCHEDULE = replace(SHORT, steps=120, batch_size=32, optimiser="adamw", learning_rate=0.01, log_every=20)


def autoencoder(**changes) -> Autoencoder:
    method = build(Autoencoder, ARGUMENTS | changes, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, Autoencoder)
    return method


def views_of(method: Autoencoder, source) -> Pictures:
    start = Progress(0, 1)
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), start))
    return method.views(batch, Generator().manual_seed(0), start)


def test_what_is_wanted_is_what_was_given(make_source) -> None:
    source = make_source(6)
    views = views_of(autoencoder(), source)
    torch.testing.assert_close(views.given, source.clips[:, 0].float() / 127.5 - 1)
    assert torch.equal(views.given, views.wanted)
    cropped = views_of(autoencoder(crop=CROPPED), source)
    assert torch.equal(cropped.given, cropped.wanted)
    assert not torch.allclose(cropped.given, views.given, atol=0.1)


def test_the_code_is_all_that_the_decoder_sees(make_source) -> None:
    method = autoencoder(code=3).eval()
    seen = []
    method.decoder.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    pictures = views_of(method, make_source(6)).given
    assert method.reconstruct(pictures).shape == (6, 3, 16, 16)
    assert seen[0].shape == (6, 3, 2, 2)
    # Linear: twice the map is twice the code, less the bias.
    last = method.encoder.blocks(pictures)[-1]
    bias = method.bottleneck(torch.zeros_like(last))
    torch.testing.assert_close(method.bottleneck(2 * last) - bias, 2 * (seen[0] - bias))


def test_loss_is_the_mean_over_all_pixels(make_source) -> None:
    method = autoencoder().eval()
    views = views_of(method, make_source(6))
    answers, total = method.reconstruct(views.given), 0.0
    for answer, wanted in zip(answers.flatten().tolist(), views.wanted.flatten().tolist(), strict=True):
        total += (answer - wanted) ** 2
    assert method.loss(views)["reconstruction"].item() == pytest.approx(total / views.wanted.numel(), rel=1e-4)


def test_errors_are_of_pixels_between_zero_and_one() -> None:
    black, white = torch.full((1, 3, 2, 2), -1.0), torch.full((1, 3, 2, 2), 1.0)
    half = torch.cat([black, white], dim=3)
    assert picture_errors(white, black).tolist() == [1.0]
    assert picture_errors(torch.cat([half, half]), torch.zeros(2, 3, 2, 4)).tolist() == [0.25, 0.25]
    assert picture_errors(white[0], torch.cat([black, white])).tolist() == [1.0, 0.0]


def test_the_trivial_answer_is_the_mean_image(make_source) -> None:
    method, source = autoencoder(), make_source(200)
    method.fit(source, Generator().manual_seed(0))
    pictures = source.clips[:, 0].float() / 127.5 - 1
    torch.testing.assert_close(method.mean, pictures.mean(dim=0), atol=1e-5, rtol=0)
    answers = method.eval().pretext(Pictures(pictures, pictures))
    assert answers.trivial is not None
    # The mean squared error of the mean is the variance.
    assert answers.trivial.mean().item() == pytest.approx(
        (pictures / 2).var(dim=0, correction=0).mean().item(), rel=1e-4
    )


def test_training_beats_the_mean_image_on_what_it_never_saw(make_source) -> None:
    method = autoencoder()
    rows = pretrain(method, make_source(64), SCHEDULE, seed=0, device="cpu")
    # White noise is 55 of 255 levels wide, uniform: no code of 4 x 2 x 2 numbers can hold it.
    noise = (55 / 127.5) ** 2 / 12
    assert rows[-1]["reconstruction"] < 2 * noise < 0.5 * rows[0]["reconstruction"]
    with torch.no_grad():
        answers = method.pretext(views_of(method, make_source(6, seed=1)))
    assert answers.errors is not None
    assert answers.trivial is not None
    assert answers.errors.mean() < 0.5 * answers.trivial.mean()


def test_a_decoder_for_another_side_is_refused() -> None:
    with pytest.raises(ValueError, match="change the number of widths"):
        autoencoder(widths=[16])
