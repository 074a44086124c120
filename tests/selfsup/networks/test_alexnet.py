import torch

from selfsup.networks.alexnet import AlexNet


def test_blocks_have_the_papers_shapes_at_224_pixels() -> None:
    network = AlexNet(side=224).eval()
    streams = {"frames": torch.zeros(1, 1, 3, 256, 256, dtype=torch.uint8)}
    with torch.no_grad():
        shapes = [tuple(block.shape[1:]) for block in network.blocks(network.prepare(streams))]
    assert shapes == [(64, 55, 55), (192, 27, 27), (384, 13, 13), (256, 13, 13), (256, 13, 13)]
