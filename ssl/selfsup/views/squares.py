"""Turned, shifted and scaled squares of whole batches of pictures, every picture with its own."""

import torch
import torch.nn.functional as F
from torch import Tensor


def turned_squares(
    images: Tensor, centres: Tensor, extents: Tensor, turns: Tensor, *, side: int | None = None
) -> Tensor:
    """images: (B, C, H, H) float. centres: (B, 2), right and down, the square's middle off the picture's, in shares of
    the picture's side. extents: (B,), the square's side in the same shares. turns: (B,) radians, by which what is seen
    turns clockwise. -> (B, C, side, side), or of the picture's own side.

    Read bilinearly, without antialiasing: for squares that shrink little. Beyond its borders a picture is mirrored.
    """
    side = side or images.shape[-1]
    cosine, sine = turns.cos() * extents, turns.sin() * extents
    # A point y of the result, -1 to 1, shows the point centre + extent * R(-turn) y.
    rows = [
        torch.stack([cosine, sine, 2 * centres[:, 0]], dim=1),
        torch.stack([-sine, cosine, 2 * centres[:, 1]], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), [len(images), 1, side, side], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
