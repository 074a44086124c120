"""Gaussian noise: figure 4 (h) of SimCLR (Chen et al., ICML 2020)."""

import torch
from torch import Generator, Tensor


def gaussian_noise(images: Tensor, generator: Generator, std: float) -> Tensor:
    """images: (B, C, H, W) float in [-1, 1] -> the same shape, normal noise of standard deviation `std` added to every
    number, the sum cut to [-1, 1]. The paper gives no strength."""
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return (images + std * noise).clamp(-1, 1)
