"""Gaussian blur, a sigma an image, as matrices that a crop's can take in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.views.separable import separable

SHARP = 1e-6
"""px: a Gaussian this narrow is one weight of exactly 1."""


@dataclass(frozen=True)
class RandomBlur:
    """Blur as an argument: with `probability`, of a `sigma` uniform between two values, in px of the result."""

    probability: float
    sigma: tuple[float, float]
    ranges: ClassVar = {"probability": (0, 1), "sigma": (0.01, 100)}

    def sigmas(self, batch: int, generator: Generator) -> Tensor | None:
        """(B,) px for `resized_crop`, see `random_sigmas`; None where blur is off."""
        if self.probability == 0:
            return None
        return random_sigmas(batch, generator, sigma=self.sigma, probability=self.probability)


def random_sigmas(
    batch: int, generator: Generator, *, sigma: Sequence[float] = (0.1, 2.0), probability: float = 0.5
) -> Tensor:
    """(B,) px, uniform in `sigma` with `probability`, else 0: no blur. On the generator's device.

    The defaults are SimCLR's (Chen et al., ICML 2020, appendix A), for pictures of 224 px: its kernel follows the
    picture's side, sigma does not.
    """
    size, coin = torch.rand(2, batch, generator=generator, device=generator.device)
    return torch.where(coin < probability, sigma[0] + (sigma[1] - sigma[0]) * size, 0)


def gaussian_blur(images: Tensor, sigmas: Tensor) -> Tensor:
    """images: (B, ..., H, W), float, or uint8, which comes out in [-1, 1]. sigmas: (B,) px, 0 for none. -> the same
    shape. To blur what is cropped as well, give the sigmas to `resized_crop`: it costs less.
    """
    height, width = images.shape[-2:]
    return separable(images, blur_matrices(sigmas, height), blur_matrices(sigmas, width))


def blur_matrices(sigmas: Tensor, size: int) -> Tensor:
    """sigmas: (B,) px -> (B, size, size): a row is a Gaussian around a pixel, cut off at the kernel's ends, summing to
    one. Beyond its ends a picture is mirrored at its outermost pixels, as in torchvision; SimCLR's code takes zeros,
    which darkens the border.
    """
    radius = kernel_radius(size)
    offsets = torch.arange(-radius, radius + 1, device=sigmas.device)
    weights = torch.exp(-0.5 * (offsets / sigmas.clamp(min=SHARP)[:, None]).square())
    weights = weights / weights.sum(dim=1, keepdim=True)
    pixels = torch.arange(size, device=sigmas.device) + offsets[:, None]
    mirrored = (size - 1) - ((size - 1) - pixels.abs()).abs()
    # (2 radius + 1, size, size): which pixel each offset reads.
    reads = F.one_hot(mirrored, size).to(weights.dtype)
    return (weights @ reads.flatten(1)).view(-1, size, size)


def kernel_radius(size: int) -> int:
    """Of a kernel of 10 % of the side, in px, as SimCLR's code rounds it: 224 px have a kernel of 23, 64 px one of 7.
    At least 1."""
    return max(1, size // 10 // 2)
