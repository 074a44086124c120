"""Colour jitter and random greyscale: one 3 x 3 matrix and one offset an image, applied once."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

GREY = (0.299, 0.587, 0.114)
"""Luma of ITU-R BT.601, as in PIL; torchvision's weights differ from it by 0.0001, and so may saturations."""


@dataclass(frozen=True)
class ColourDistortion:
    """The colour changes that contrastive methods share: see `colour_jitter`.

    brightness, contrast, saturation, hue: strengths. jitter: probability of these four. grayscale: probability of
    losing all colours. Either is off at 0. SimCLR of strength s: .8 s, .8 s, .8 s, .2 s, .8 and .2.
    """

    brightness: float
    contrast: float
    saturation: float
    hue: float
    jitter: float
    grayscale: float
    ranges: ClassVar = {
        "brightness": (0, 1),
        "contrast": (0, 1),
        "saturation": (0, 1),
        "hue": (0, 0.5),
        "jitter": (0, 1),
        "grayscale": (0, 1),
    }

    def __call__(self, images: Tensor, generator: Generator) -> Tensor:
        """images: (B, 3, H, W) float in [-1, 1] -> the same shape and range."""
        if self.jitter == 0 and self.grayscale == 0:
            return images
        return colour_jitter(
            images,
            generator,
            brightness=self.brightness,
            contrast=self.contrast,
            saturation=self.saturation,
            hue=self.hue,
            probability=self.jitter,
            grayscale=self.grayscale,
        )


def colour_jitter(
    images: Tensor,
    generator: Generator,
    *,
    brightness: float,
    contrast: float,
    saturation: float,
    hue: float,
    probability: float = 1.0,
    grayscale: float = 0.0,
) -> Tensor:
    """images: (B, 3, H, W), or clips (B, T, 3, H, W), whose frames share their parameters; float in [-1, 1], as is what
    comes out.

    As torchvision's ColorJitter: with `probability`, an image's brightness, contrast and saturation are multiplied by
    factors uniform in [max(0, 1 - x), 1 + x], its hue turned by a uniform part in [-hue, hue] of a full turn;
    whether or not it was, it loses its colours with probability `grayscale`. SimCLR of strength s (Chen et al., ICML
    2020, appendix A): brightness, contrast and saturation .8 s, hue .2 s, probability .8, grayscale .2. The brightness
    and saturation jitter of AVE-Net (Arandjelovic and Zisserman, ECCV 2018) has contrast and hue 0. What differs from
    torchvision: see `adjusted`.
    """
    draws = torch.rand(6, len(images), generator=generator, device=images.device)
    jittered = draws[4] < probability
    factors = []
    for draw, strength in zip(draws, (brightness, contrast, saturation), strict=False):
        least = max(0.0, 1 - strength)
        factors.append(torch.where(jittered, least + (1 + strength - least) * draw, 1))
    turns = torch.where(jittered, hue * (2 * draws[3] - 1), 0)
    return adjusted(
        images,
        brightness=factors[0],
        contrast=factors[1],
        # A picture without saturation is grey.
        saturation=torch.where(draws[5] < grayscale, 0, factors[2]),
        hue=turns,
    )


def adjusted(images: Tensor, *, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor) -> Tensor:
    """images: (B, 3, H, W), or clips (B, T, 3, H, W), float in [-1, 1] -> the same, each entry with its own factors
    (B,); hue: (B,) in full turns.

    Brightness fades to black, contrast to the picture's (in a clip: the frame's) mean grey, saturation to each pixel's
    grey, with torchvision's meaning. Hue turns colours about the axis of greys in RGB. After hue the other three
    commute, so their order needs no draw. Two differences:

    - Values are cut to [-1, 1] once, at the end; torchvision cuts after each of the four, in random order. Where
      nothing reaches beyond the range in between, brightness, contrast and saturation agree to 0.001.
    - torchvision's hue is that of HSV, which is not linear: it keeps the greatest and the least channel, where turning
      keeps mean and distance from grey. They agree at thirds of a turn. On colours uniform in the RGB cube and turns of
      0.1 (SimCLR at s = .5) they differ by 0.13 on average, 0.4 at the 99th percentile, of a range of 2; at 0.2 by 0.15
      and 0.5; on colours half as saturated, by half as much.
    """
    matrices, turning = _matrices(brightness, contrast, saturation, hue)
    frames = images.reshape(len(images), -1, 3, *images.shape[-2:])
    # (B, T): mean grey of each frame after its hue is turned; turning is linear, so that it can be had beforehand.
    grey = (frames.mean(dim=(-2, -1)) * _grey(turning)[:, None]).sum(dim=2)
    offsets = (brightness * (1 - contrast))[:, None] * grey + brightness[:, None] - 1
    result = torch.baddbmm(
        offsets.reshape(-1, 1, 1),
        matrices.repeat_interleave(frames.shape[1], dim=0),
        frames.reshape(-1, 3, images.shape[-2] * images.shape[-1]),
    )
    return result.clamp_(-1, 1).view(images.shape)


def _matrices(brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) each -> (B, 3, 3): all four together, less the offset; and hue alone."""
    angle = 2 * math.pi * hue
    cosine, sine = angle.cos() / 3, angle.sin() / math.sqrt(3)
    same, next_, last = 1 / 3 + 2 * cosine, 1 / 3 - cosine - sine, 1 / 3 - cosine + sine
    # Red turns into green after a third of a turn, green into blue, blue into red.
    turning = torch.stack([same, next_, last, last, same, next_, next_, last, same], dim=1).view(-1, 3, 3)
    kept = saturation[:, None, None]
    mixed = kept * turning + (1 - kept) * _grey(turning)[:, None]
    return (brightness * contrast)[:, None, None] * mixed, turning


def _grey(matrices: Tensor) -> Tensor:
    """(B, 3, 3) -> (B, 3): the weights of red, green and blue in the grey of what they make."""
    # Not by a tensor of weights: to copy one to a GPU would stall it.
    red, green, blue = matrices.unbind(dim=1)
    return GREY[0] * red + GREY[1] * green + GREY[2] * blue
