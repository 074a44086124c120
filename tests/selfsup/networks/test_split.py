import pytest
import torch

from selfsup.networks.split import SplitAlexNet, SplitConvNet
from selfsup.training.seeds import seeded

FRAMES = torch.randint(256, (2, 1, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("alexnet", [False, True])
def test_each_half_sees_its_own_channels_only(alexnet: bool) -> None:
    with seeded(0, "cpu"):
        network = SplitAlexNet(side=64) if alexnet else SplitConvNet(widths=[8, 16, 32], side=64)
    network.eval()
    x = network.prepare({"frames": FRAMES})
    other = x.clone()
    other[:, 1:] = 0
    half = network.half_channels
    for width, block, without in zip(half, network.blocks(x), network.blocks(other), strict=True):
        assert block.shape[1] == 2 * width
        assert torch.equal(block[:, :width], without[:, :width])
        assert not torch.equal(block[:, width:], without[:, width:])
    assert network.channels == [2 * width for width in half]


def test_blocks_are_as_large_as_those_of_the_whole_networks() -> None:
    shapes = [block.shape[2] for block in SplitAlexNet(side=224).blocks(torch.zeros(1, 3, 224, 224))]
    assert shapes == [55, 27, 13, 13, 13]
    assert [block.shape[2] for block in SplitConvNet(widths=[4, 8], side=64).blocks(torch.zeros(1, 3, 64, 64))] == [
        32,
        16,
    ]


def test_prepare_gives_lab_between_minus_one_and_one() -> None:
    colours = torch.tensor([[255, 255, 255], [0, 0, 0], [0, 0, 255]], dtype=torch.uint8)
    x = SplitConvNet(widths=[2], side=8).prepare({"frames": colours.view(3, 1, 3, 1, 1).expand(3, 1, 3, 8, 8)})
    expected = torch.tensor([[1, 0, 0], [-1, 0, 0], [32.30 / 50 - 1, 79.19 / 110, -107.86 / 110]])
    torch.testing.assert_close(x[..., 0, 0], expected, atol=1e-3, rtol=0)


def test_odd_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="widths must be even"):
        SplitConvNet(widths=[4, 7], side=16)
