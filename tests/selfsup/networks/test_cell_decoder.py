import pytest
import torch

from selfsup.networks.cell_decoder import CellDecoder
from selfsup.training.seeds import seeded


@pytest.mark.parametrize(
    ("side", "widths", "cells"), [(4, [6, 5], 16), (4, [6, 5], 12), (13, [], 12), (2, [6], 16), (4, [6], 4)]
)
def test_every_cell_has_its_outputs(side: int, widths: list[int], cells: int) -> None:
    assert CellDecoder(8, widths, 7)(torch.zeros(2, 8, side, side), cells).shape == (2, 7, cells, cells)


def test_a_cell_depends_on_what_lies_there() -> None:
    with seeded(0, "cpu"):
        decoder = CellDecoder(3, [4], 2).eval()
    block = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    other = block.clone()
    other[..., :2, :2] += 1
    change = (decoder(block, 16) - decoder(other, 16)).abs().amax(dim=(0, 1))
    # Somewhere, not everywhere: a ReLU may hide it in a cell.
    assert change[:4, :4].max() > 0
    assert change[8:, 8:].max() == 0
