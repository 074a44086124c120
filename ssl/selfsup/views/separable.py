"""Linear maps of rows and columns over whole batches, a pair an image: what resized crops and blur have in common."""

import torch
from torch import Tensor


def separable(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """W_y X W_x^T of every picture X. images: (B, ..., H, W), float, or uint8, which comes out in [-1, 1].
    down: (B, h, H) and across: (B, w, W), rows of weights that sum to one. -> (B, ..., h, w) float32.

    All pictures of an entry (its channels, its frames) share its two matrices: they lie side by side in two batched
    products without a copy of the matrices. The result is a view of memory in the order (B, h, ..., w).
    """
    batch, *between, height, width = images.shape
    pictures = images.reshape(batch, -1, height, width).transpose(1, 2)
    rows = torch.empty(pictures.shape, dtype=down.dtype, device=images.device)
    rows.copy_(pictures)
    if images.dtype == torch.uint8:
        # (x - 127.5) / 127.5, the division by way of the weights.
        rows.sub_(127.5)
        down = down / 127.5
    shrunk = torch.bmm(down, rows.view(batch, height, -1)).view(batch, -1, width)
    result = torch.bmm(shrunk, across.transpose(1, 2))
    result = result.view(batch, down.shape[1], -1, across.shape[1]).transpose(1, 2)
    return result.view(batch, *between, down.shape[1], across.shape[1])
