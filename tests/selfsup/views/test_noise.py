import pytest
import torch
from torch import Generator

from selfsup.views.noise import gaussian_noise


def test_noise_has_its_standard_deviation_and_stays_in_range() -> None:
    noisy = gaussian_noise(torch.zeros(16, 3, 32, 32), Generator().manual_seed(0), 0.2)
    assert noisy.mean().item() == pytest.approx(0, abs=0.01)
    assert noisy.std().item() == pytest.approx(0.2, rel=0.02)
    assert not torch.equal(noisy[0], noisy[1])
    assert gaussian_noise(torch.ones(1, 3, 32, 32), Generator().manual_seed(0), 0.2).max().item() == 1


def test_no_noise_leaves_everything_as_it_is() -> None:
    images = 2 * torch.rand(4, 3, 8, 8) - 1
    assert torch.equal(gaussian_noise(images, Generator(), 0.0), images)
