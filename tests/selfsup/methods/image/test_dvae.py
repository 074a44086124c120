import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Generator

from selfsup.methods.image.dvae import DVAE, Relaxed, divergence, gumbel
from selfsup.methods.method import Progress
from selfsup.networks.tokeniser import Tokeniser
from selfsup.training import build, pretrain
from tests.selfsup.schedules import SHORT

NETWORK = {"widths": [16, 32], "tokens": 32, "side": 16}
ARGUMENTS = {
    "dims": 16,
    "widths": [32],
    "temperature": [1.0, 0.0625],
    "annealed": 0.5,
    "kl": 0.001,
    "crop": {"scale": [1.0, 1.0], "ratio": [1.0, 1.0], "flip": 0.0},
}


def dvae(**changes) -> DVAE:
    method = build(DVAE, ARGUMENTS | changes, {"encoder": (Tokeniser, NETWORK)}, seed=0)
    assert isinstance(method, DVAE)
    return method


def views_of(method: DVAE, source, progress: Progress) -> Relaxed:
    batch = source.take(method.draw(source.table, torch.arange(6), Generator(), progress))
    return method.views(batch, Generator().manual_seed(0), progress)


def test_gumbel_noise_draws_with_the_softmaxs_probabilities() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0])
    noise = gumbel(torch.rand(20000, 3, generator=Generator().manual_seed(0)))
    drawn = (logits + noise).argmax(dim=1).bincount() / 20000
    # Five standard deviations of a share of 20,000.
    assert (drawn - logits.softmax(dim=0)).abs().max() < 5 * math.sqrt(0.25 / 20000)


def test_divergence_by_hand() -> None:
    chances = torch.tensor([[0.5, 0.25, 0.125, 0.125], [0.25, 0.25, 0.25, 0.25]])
    by_hand = sum(p * math.log(p / 0.25) for p in chances[0].tolist()) / 2
    assert divergence(chances.log() + 3).item() == pytest.approx(by_hand, abs=1e-6)


def test_temperature_falls_and_the_divergence_comes_in_by_a_half_cosine(make_source) -> None:
    method, source = dvae(), make_source(6)
    met = [views_of(method, source, Progress(step, 8)) for step in (0, 2, 4, 8)]
    assert [one.temperature for one in met] == pytest.approx([1, (1 + 1 / 16) / 2, 1 / 16, 1 / 16])
    assert [one.kl for one in met] == pytest.approx([0, 0.0005, 0.001, 0.001])


def test_loss_by_hand(make_source) -> None:
    method = dvae().eval()
    views = views_of(method, make_source(6), Progress(2, 8))
    logits = method.encoder.logits(views.pictures)
    drawn = F.softmax((logits + views.noise) / views.temperature, dim=1)
    vectors = torch.einsum("bkhw,dk->bdhw", drawn, method.codebook.weight[:, :, 0, 0])
    squared = (method.decoder(vectors) - views.pictures).square().mean().item()
    losses = method.loss(views)
    assert losses["reconstruction"].item() == pytest.approx(squared, rel=1e-4)
    assert losses["divergence"].item() == pytest.approx(0.0005 * divergence(logits).item(), rel=1e-4)


def test_a_reconstruction_is_made_of_one_token_a_cell(make_source) -> None:
    method = dvae().eval()
    pictures = views_of(method, make_source(6), Progress(0, 8)).pictures
    tokens = method.encoder.logits(pictures).argmax(dim=1)
    vectors = method.codebook.weight[:, :, 0, 0].T[tokens].permute(0, 3, 1, 2)
    torch.testing.assert_close(method.reconstruct(pictures), method.decoder(vectors))


@pytest.mark.slow
def test_training_reconstructs_colours_and_light_and_uses_several_tokens(make_source) -> None:
    method, source = dvae(), make_source(64)
    schedule = replace(SHORT, steps=200, batch_size=32, optimiser="adamw", learning_rate=0.01, log_every=25)
    rows = pretrain(method, source, schedule, seed=0, device="cpu")
    noise = (55 / 127.5) ** 2 / 12
    assert rows[-1]["reconstruction"] < 2 * noise < 0.5 * rows[0]["reconstruction"]
    views = views_of(method, make_source(6, seed=1), Progress(1, 1))
    with torch.no_grad():
        answers = method.pretext(views)
        tokens = method.encoder.logits(views.pictures).argmax(dim=1)
    assert answers.errors is not None
    assert answers.trivial is not None
    assert answers.errors.mean() < 0.4 * answers.trivial.mean()
    assert len(tokens.unique()) > 6


def test_a_temperature_that_rises_is_refused() -> None:
    with pytest.raises(ValueError, match="the first the greater one"):
        dvae(temperature=[0.1, 1.0])
