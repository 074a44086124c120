"""Views of sound, given as log-spectrograms: louder or softer, earlier or later."""

import torch
from torch import Generator, Tensor


def random_volume(spectrogram: Tensor, generator: Generator, *, change: float = 0.1) -> Tensor:
    """spectrogram: (B, ...) float, natural logarithms of magnitudes -> the same shape, an entry's magnitudes times a
    factor uniform in [1 - change, 1 + change].

    L3-Net (Arandjelovic and Zisserman, ICCV 2017) and AVE-Net (ECCV 2018) change the volume by up to 10 %, the same
    throughout an entry.
    """
    draw = torch.rand(len(spectrogram), generator=generator, device=spectrogram.device)
    return volume(spectrogram, 1 + change * (2 * draw - 1))


def volume(spectrogram: Tensor, factors: Tensor) -> Tensor:
    """spectrogram: (B, ...) float, log(magnitude + floor) in nepers (0.115 to the dB). factors: (B,), positive.

    A factor of the waveform, and so of magnitudes, is an addend of logarithms. The floor, which stands for silence,
    moves along: near it values are up to |log factor| off, which is 0.105 for a tenth less, 0.9 dB.
    """
    return spectrogram + factors.log().view(-1, *[1] * (spectrogram.ndim - 1))


def random_stretch(sound: Tensor, generator: Generator, *, steps: int) -> Tensor:
    """sound: (B, T, ...) -> (B, steps, ...): of each entry so many consecutive steps, from a uniform start.

    A shift in time that makes up no sound: draw longer stretches than the network takes. Raises ValueError for more
    steps than there are.
    """
    length = sound.shape[1]
    if steps > length:
        raise ValueError(f"cannot take {steps} steps of {length}: draw longer stretches")
    starts = torch.randint(0, length - steps + 1, (len(sound),), generator=generator, device=generator.device)
    return stretch(sound, starts, steps)


def stretch(sound: Tensor, starts: Tensor, steps: int) -> Tensor:
    """sound: (B, T, ...). starts: (B,) int64, at most T - steps. -> (B, steps, ...)."""
    entries = torch.arange(len(sound), device=sound.device)[:, None]
    return sound[entries, starts[:, None] + torch.arange(steps, device=sound.device)]
