import math
import statistics
from dataclasses import replace

import pytest
import torch
from torch import Generator

from selfsup.methods.image.mae import MAE, Masked, normalised, random_masks
from selfsup.methods.method import Progress
from selfsup.networks.vit import ViT, patches, pictures
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

WHOLE = {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0}
NETWORK = {"patch": 4, "dim": 32, "depth": 2, "heads": 2, "side": 16}
ARGUMENTS = {
    "masked": 0.75,
    "normalise": True,
    "decoder_dim": 32,
    "decoder_depth": 1,
    "decoder_heads": 2,
    "crop": WHOLE,
}
SCHEDULE = replace(SHORT, steps=150, batch_size=32, optimiser="adamw", learning_rate=0.005, log_every=25)


def mae(**changes) -> MAE:
    method = build(MAE, ARGUMENTS | changes, {"encoder": (ViT, NETWORK)}, seed=0)
    assert isinstance(method, MAE)
    return method


def views_of(method: MAE, source) -> Masked:
    start = Progress(0, 1)
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), start))
    return method.views(batch, Generator().manual_seed(0), start)


def test_masks_part_the_patches_and_each_picture_has_its_own() -> None:
    kept, hidden = random_masks(2000, 16, 4, Generator().manual_seed(0))
    assert (kept.shape, hidden.shape) == ((2000, 4), (2000, 12))
    assert torch.equal(torch.cat([kept, hidden], dim=1).sort(dim=1).values, torch.arange(16).expand(2000, -1))
    # Every patch is as likely: 500 of 2,000, five standard deviations around it.
    counts = kept.flatten().bincount(minlength=16)
    assert (counts - 500).abs().max() < 5 * math.sqrt(2000 * 0.25 * 0.75)


def test_a_patch_is_normalised_by_its_own_unbiased_variance() -> None:
    cut = torch.rand(2, 3, 12, generator=Generator().manual_seed(0))
    cut[0, 0] = 0.25
    for picture, answers in zip(cut, normalised(cut), strict=True):
        for patch, answer in zip(picture.tolist(), answers.tolist(), strict=True):
            mean, deviation = statistics.mean(patch), math.sqrt(statistics.variance(patch) + 1e-6)
            assert answer == pytest.approx([(pixel - mean) / deviation for pixel in patch], abs=1e-5)


@pytest.mark.parametrize("normalise", [False, True])
def test_loss_is_the_mean_squared_error_of_the_withheld_patches(make_source, normalise: bool) -> None:
    method = mae(normalise=normalise).eval()
    views = views_of(method, make_source(6))
    answers = method.predict(views)
    by_hand = []
    for image, hidden, answer in zip(views.images, views.hidden.tolist(), answers, strict=True):
        for place, numbers in zip(hidden, answer, strict=True):
            row, column = divmod(place, 4)
            patch = image[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4].flatten()
            if normalise:
                patch = (patch - patch.mean()) / (patch.var() + 1e-6).sqrt()
            by_hand.append((numbers - patch).square().mean().item())
    assert len(by_hand) == 6 * 12
    assert method.loss(views)["patches"].item() == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-4)


def test_the_encoder_sees_visible_patches_only(make_source) -> None:
    method, seen = mae().eval(), []
    method.encoder.layers[0].register_forward_pre_hook(lambda module, given: seen.append(given[0].shape))
    views = views_of(method, make_source(6))
    answers = method.predict(views)
    assert seen == [(6, 1 + 4, 32)]
    hidden = torch.zeros(6, 16, dtype=torch.bool).scatter(1, views.hidden, True)
    cut = patches(views.images, 4)
    other = replace(views, images=pictures(torch.where(hidden[..., None], -cut, cut), 4))
    assert torch.equal(method.predict(other), answers)


def test_answers_do_not_depend_on_the_order_of_the_patches(make_source) -> None:
    method = mae().eval()
    views = views_of(method, make_source(6))
    other = replace(views, kept=views.kept.flip(1), hidden=views.hidden.flip(1))
    torch.testing.assert_close(method.predict(other), method.predict(views).flip(1), atol=1e-5, rtol=1e-4)


def test_a_reconstruction_keeps_what_is_visible_and_has_the_errors_of_the_answers(make_source) -> None:
    method = mae().eval()
    views = views_of(method, make_source(6))
    filled = method.reconstruct(views)
    cut, whole = patches(filled, 4), patches(views.images, 4)
    for entry in range(6):
        kept, hidden = views.kept[entry], views.hidden[entry]
        assert torch.equal(cut[entry, kept], whole[entry, kept])
        deviation = (whole[entry, hidden].var(dim=1) + 1e-6).sqrt()
        errors = ((cut[entry, hidden] - whole[entry, hidden]) / deviation[:, None]).square().mean(dim=1)
        torch.testing.assert_close(errors, method.errors(method.predict(views), views)[entry], rtol=1e-3, atol=1e-4)


def test_the_trivial_answer_is_the_mean_patch(make_source) -> None:
    method, source = mae(normalise=False).eval(), make_source(100)
    method.fit(source, Generator().manual_seed(0))
    whole = patches(source.clips[:, 0].float() / 127.5 - 1, 4)
    torch.testing.assert_close(method.mean, whole.mean(dim=(0, 1)), atol=1e-5, rtol=0)
    views = views_of(method, source)
    answers = method.pretext(views)
    expected = [
        (whole[entry, views.hidden[entry]] - whole.mean(dim=(0, 1))).square().mean().item() for entry in range(6)
    ]
    assert answers.trivial is not None
    assert answers.trivial.tolist() == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_training_fills_patches_in_down_to_the_noise(make_source) -> None:
    method = mae(normalise=False)
    rows = pretrain(method, make_source(64), SCHEDULE, seed=0, device="cpu")
    noise = (55 / 127.5) ** 2 / 12
    assert rows[-1]["patches"] < 1.5 * noise < 0.5 * rows[0]["patches"]
    with torch.no_grad():
        answers = method.pretext(views_of(method, make_source(6, seed=1)))
    assert answers.errors is not None
    assert answers.trivial is not None
    assert answers.errors.mean() < 0.3 * answers.trivial.mean()


@pytest.mark.parametrize("masked", [0.99, 0.0])
def test_shares_that_leave_nothing_are_refused(masked: float) -> None:
    with pytest.raises(ValueError, match="of 16 patches visible; change masked"):
        mae(masked=masked)
