import pytest
import torch

from selfsup.networks import NETWORKS
from selfsup.registry import load

ARGUMENTS = {"convnet": {"widths": [4, 6, 8], "side": 16}, "alexnet": {"side": 64}}
FRAMES = torch.zeros(2, 1, 3, 64, 64, dtype=torch.uint8)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_says_what_it_takes_and_how_wide_its_blocks_are(name: str) -> None:
    network = load(NETWORKS, name)(**ARGUMENTS[name])
    streams = {
        stream: {"frames": FRAMES}[stream].expand(-1, window.steps, -1, -1, -1)
        for stream, window in network.windows.items()
    }
    with torch.no_grad():
        blocks = network.blocks(network.prepare(streams))
    assert [block.shape[1] for block in blocks] == network.channels
    assert all(block.ndim > 2 for block in blocks)
