"""Crops and shifts by whole pixels, which leave every value as it is: of whole batches, of clips, of single frames."""

import torch
from torch import Generator, Tensor


def random_crop_flip(images: Tensor, generator: Generator, *, side: int, flip: float, jitter: int = 0) -> Tensor:
    """images: (B, C, H, W) or clips (B, T, C, H, W) of any dtype -> (B, [T,] C, side, side).

    An entry's window is drawn uniformly and mirrored with probability `flip`. All frames of a clip share both, as
    Shuffle & Learn (Misra et al., ECCV 2016) needs for a tuple's. With `jitter`, each frame's window is then moved on
    its own by up to so many px in each direction, as far as the frame reaches, so that order cannot be told from what
    stays in place (the spatial jittering of Lee et al., ICCV 2017). Raises ValueError for a side larger than the image.
    """
    height, width = images.shape[-2:]
    if side > min(height, width):
        raise ValueError(f"cannot cut {side} x {side} px out of {height} x {width}: take a smaller side")
    batch, frames = len(images), images.shape[1] if images.ndim == 5 else 1
    top, left = (
        (_integers(0, space, (batch, 1), generator) + _integers(-jitter, jitter, (batch, frames), generator)).clamp(
            0, space
        )
        for space in (height - side, width - side)
    )
    mirrored = torch.rand(batch, 1, generator=generator, device=generator.device) < flip
    return windows(images, top, left, mirrored.expand(batch, frames), side, side)


def random_shift(images: Tensor, generator: Generator, *, pixels: int, shared: bool) -> Tensor:
    """images: (B, C, H, W) or clips (B, T, C, H, W) of any dtype -> the same shape, moved by up to so many whole px in
    each direction; where nothing moves in, the border is repeated. shared: frames of a clip move together, not each on
    its own.
    """
    batch, frames = len(images), images.shape[1] if images.ndim == 5 else 1
    drawn = (batch, 1 if shared else frames)
    top, left = (_integers(-pixels, pixels, drawn, generator).expand(batch, frames) for _ in range(2))
    return windows(images, top, left, torch.zeros_like(top, dtype=torch.bool), images.shape[-2], images.shape[-1])


def windows(images: Tensor, top: Tensor, left: Tensor, mirrored: Tensor, height: int, width: int) -> Tensor:
    """images: (B, C, H, W) or (B, T, C, H, W). top, left: (B, T) int64 px, T being 1 for images, where each frame's
    window of height x width begins; mirrored: (B, T) bool. -> (B, [T,] C, height, width). What lies outside the frame
    is its border, repeated.
    """
    frames = images.reshape(-1, *images.shape[-3:])
    rows = top.reshape(-1, 1) + torch.arange(height, device=top.device)
    columns = left.reshape(-1, 1) + torch.arange(width, device=top.device)
    columns = torch.where(mirrored.reshape(-1, 1), columns.flip(1), columns)
    which = torch.arange(len(frames), device=top.device)[:, None, None]
    cut = frames.movedim(1, 3)[
        which, rows.clamp(0, frames.shape[-2] - 1)[:, :, None], columns.clamp(0, frames.shape[-1] - 1)[:, None]
    ]
    return cut.movedim(3, 1).view(*images.shape[:-2], height, width)


def _integers(least: int, greatest: int, shape: tuple[int, int], generator: Generator) -> Tensor:
    return torch.randint(least, greatest + 1, shape, generator=generator, device=generator.device)
