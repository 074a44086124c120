import torch
import torch.nn.functional as F

from selfsup.networks.spectrogram_net import SpectrogramNet


def test_prepare_averages_squares_of_bins_and_steps_and_standardises() -> None:
    """As `avg_pool2d` of the picture whose bins go up, without the lowest bin; loudness tells nothing."""
    heard = torch.randn(2, 100, 257, generator=torch.Generator().manual_seed(0)) * 3 - 6
    net = SpectrogramNet(widths=[4], seconds=0.5, pool=8)
    pictures = net.prepare({"spectrogram": heard})
    expected = F.avg_pool2d(heard[:, :, 1:].transpose(1, 2)[:, None], 8)
    expected = (expected - expected.mean(dim=(1, 2, 3), keepdim=True)) / expected.std(dim=(1, 2, 3), keepdim=True)
    assert pictures.shape == (2, 1, 32, 12)
    torch.testing.assert_close(pictures, expected, atol=0.01, rtol=0)
    torch.testing.assert_close(net.prepare({"spectrogram": heard + 2}), pictures, atol=1e-4, rtol=0)


def test_silence_is_zero() -> None:
    silent = torch.full((1, 100, 257), -11.5)
    pictures = SpectrogramNet(widths=[4], seconds=0.5, pool=4).prepare({"spectrogram": silent})
    assert pictures.abs().max() < 1e-3


def test_one_step_of_the_store_is_not_enlarged() -> None:
    silent = torch.full((1, 100, 257), -11.5)
    silent[:, :50] += 1 / 15
    pictures = SpectrogramNet(widths=[4], seconds=0.5, pool=2).prepare({"spectrogram": silent})
    assert abs(pictures.std().item() - 0.5) < 0.05
