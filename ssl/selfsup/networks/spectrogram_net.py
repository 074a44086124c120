"""The small backbone's twin for sound: stride-2 convolutions on a log-spectrogram.

As in Arandjelovic and Zisserman, ICCV 2017 and ECCV 2018, the spectrogram is an image of one channel, 257 bins high and
200 steps a second wide; instead of their VGG-like network there are as many blocks as `widths` has entries.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from selfsup.networks.encoder import Encoder, Window
from selfsup.networks.preparation import standardised
from selfsup.networks.strided import strided_maps, strided_stages

RATE = 200
"""Steps of a spectrogram a second."""
LEAST_STD = 1 / 15
"""Standard deviation below which a spectrogram counts as silent: one of the store's steps, 0.58 dB in nepers."""


class SpectrogramNet(Encoder):
    """A block is a 3 x 3 convolution of stride 2, batch normalisation and a ReLU. What it takes is standardised, each
    entry for itself, which the papers do not do: see `StandardisedConvNet`."""

    streams: ClassVar = ("spectrogram",)
    ranges: ClassVar = {"widths": (1, 65536), "seconds": (0.05, 60), "pool": (1, 64)}

    def __init__(self, *, widths: list[int], seconds: float, pool: int) -> None:
        """widths: channels of each block, from shallow to deep. seconds: of sound that is taken at a time; the papers
        have 1. pool: bins, and steps, that are averaged into one pixel first; the papers have 1.
        """
        super().__init__()
        self.widths = widths
        self.pool = pool
        steps = round(seconds * RATE)
        self.windows = {"spectrogram": Window(steps=steps, seconds=(steps - 1) / RATE)}
        self.stages = strided_stages(1, widths)

    @property
    def channels(self) -> list[int]:
        """The widths that it was made with."""
        return self.widths

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """spectrogram: (B, T, 257) log magnitude, -11.5 to 5.5 -> (B, 1, 256 / pool, T / pool), see `standardised`."""
        # Without the lowest bin, which holds no tone. Bins go up, time to the right. Averaged over time first, since
        # memory has a step's bins side by side.
        loud, pool = streams["spectrogram"], self.pool
        count, steps, bins = loud.shape
        shorter = loud[:, : steps // pool * pool].reshape(count, -1, pool, bins).mean(dim=2)[:, :, 1:]
        pooled = shorter[:, :, : (bins - 1) // pool * pool].reshape(*shorter.shape[:2], -1, pool).mean(dim=3)
        return standardised(pooled.transpose(1, 2)[:, None].contiguous(), LEAST_STD)

    def blocks(self, x: Tensor) -> list[Tensor]:
        """x: (B, 1, bins, steps) -> maps (B, widths[i], bins / 2^(i+1), steps / 2^(i+1))."""
        return strided_maps(self.stages, x)
