import pytest
import torch

from selfsup.networks.grey import GreyAlexNet, GreyConvNet


@pytest.mark.parametrize("network", [GreyConvNet(widths=[4, 8], side=32), GreyAlexNet(side=32)])
def test_prepare_takes_the_colours_away(network: GreyConvNet | GreyAlexNet) -> None:
    # Red and green of the same lightness: L is 54 in both.
    red, green = torch.tensor([255, 20, 10]), torch.tensor([30, 147, 30])
    frames = torch.stack([red, green]).to(torch.uint8).view(2, 1, 3, 1, 1).expand(2, 1, 3, 32, 32)
    images = network.prepare({"frames": frames})
    assert images.shape == (2, 3, 32, 32)
    assert (images - images[:, :1]).abs().max() == 0
    torch.testing.assert_close(images[0], images[1], atol=0.03, rtol=0)


def test_blocks_are_those_of_the_network_with_colours() -> None:
    network = GreyConvNet(widths=[4, 8], side=16)
    images = network.prepare({"frames": torch.randint(256, (2, 1, 3, 16, 16), dtype=torch.uint8)})
    assert [block.shape[1] for block in network.blocks(images)] == network.channels == [4, 8]
