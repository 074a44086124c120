import math

import torch
from torch import Tensor

from selfsup.views.sobel import sobel


def test_a_step_from_black_to_white_is_one_and_flat_is_minus_one() -> None:
    images = -torch.ones(1, 3, 4, 6)
    images[..., 3:] = 1
    expected = torch.tensor([-1.0, -1, 1, 1, -1, -1]).expand(1, 3, 4, 6)
    torch.testing.assert_close(sobel(images), expected)
    torch.testing.assert_close(sobel(images.transpose(2, 3)), expected.transpose(2, 3))


def test_is_the_length_of_both_filters_answers() -> None:
    image = 2 * torch.rand(5, 5, generator=torch.Generator().manual_seed(0)) - 1
    kernel = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]
    result = sobel(image[None, None])[0, 0]

    def at(image: Tensor, row: int, column: int) -> float:
        return image[min(max(row, 0), 4), min(max(column, 0), 4)].item()

    for row in range(5):
        for column in range(5):
            across = sum(kernel[i][j] * at(image, row + i - 1, column + j - 1) for i in range(3) for j in range(3))
            down = sum(kernel[j][i] * at(image, row + i - 1, column + j - 1) for i in range(3) for j in range(3))
            expected = min(1.0, math.hypot(across, down) / 4 - 1)
            torch.testing.assert_close(result[row, column].item(), expected, atol=1e-5, rtol=0)
