"""What probes know of a network."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Window:
    """What an encoder takes of one stream at a time: `steps` elements, `seconds` from the first to the last."""

    steps: int
    seconds: float


def window_times(centres: Tensor, window: Window) -> Tensor:
    """centres: (B,) float64 seconds -> (B, steps), evenly spaced over the window's seconds around each centre. They may
    lie beyond a clip's ends, where a source repeats the outermost element.
    """
    steps = torch.arange(window.steps, dtype=torch.float64) - (window.steps - 1) / 2
    return centres[:, None] + steps * (window.seconds / max(window.steps - 1, 1))


class Encoder(nn.Module, ABC):
    """The part of a method that downstream tasks take: a convnet, a ViT, an audio network."""

    windows: Mapping[str, Window]
    """By stream, what `prepare` wants of it; probes read that around times of their own."""

    @property
    @abstractmethod
    def channels(self) -> list[int]:
        """C of each of `blocks`, from shallow to deep: how wide a head on them has to be."""

    @abstractmethod
    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """streams: name -> (B, T, ...) as stored, T being the window's steps (frames (B, T, 3, H, W) uint8) -> what
        `blocks` takes. For probes, and for methods whose pretext input is the same; others make theirs in `views`."""

    @abstractmethod
    def blocks(self, x: Tensor) -> list[Tensor]:
        """Feature maps from shallow to deep, each (B, C, *axes): (h, w) of a picture, (t, h, w) of a clip."""
