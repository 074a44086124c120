import pytest
import torch
from selfsup.registry import load

from selfsup.networks import NETWORKS

WINDOW = {"frames": 4, "seconds": 1.0, "contrast": 2.0, "stabilised": True}
ARGUMENTS = {
    "convnet": {"widths": [4, 6, 8], "side": 16},
    "standardised_convnet": {"widths": [4, 6, 8], "side": 16},
    "alexnet": {"side": 64},
    "per_frame_convnet": {"widths": [4, 6, 8], "side": 16, **WINDOW},
    "per_frame_alexnet": {"side": 64, **WINDOW},
    "spectrogram_net": {"widths": [4, 6, 8], "seconds": 0.5, "pool": 4},
}
STREAMS = {
    "frames": lambda steps: torch.zeros(2, steps, 3, 64, 64, dtype=torch.uint8),
    "spectrogram": lambda steps: torch.zeros(2, steps, 257),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_says_what_it_takes_and_how_wide_its_blocks_are(name: str) -> None:
    network = load(NETWORKS, name)(**ARGUMENTS[name])
    streams = {stream: STREAMS[stream](window.steps) for stream, window in network.windows.items()}
    assert network.streams == tuple(streams)
    with torch.no_grad():
        blocks = network.blocks(network.prepare(streams))
    assert [block.shape[1] for block in blocks] == network.channels
    assert all(block.ndim > 2 for block in blocks)
