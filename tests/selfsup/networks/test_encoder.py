import pytest
import torch

from selfsup.class_path import NETWORKS, load

WINDOW = {"frames": 4, "seconds": 1.0, "contrast": 2.0, "stabilised": True}
ARGUMENTS = {
    "convnet:ConvNet": {"widths": [4, 6, 8], "side": 16},
    "convnet:StandardisedConvNet": {"widths": [4, 6, 8], "side": 16},
    "alexnet:AlexNet": {"side": 64},
    "per_frame:PerFrameConvNet": {"widths": [4, 6, 8], "side": 16, **WINDOW},
    "per_frame:PerFrameAlexNet": {"side": 64, **WINDOW},
    "spectrogram_net:SpectrogramNet": {"widths": [4, 6, 8], "seconds": 0.5, "pool": 4},
}
STREAMS = {
    "frames": lambda steps: torch.zeros(2, steps, 3, 64, 64, dtype=torch.uint8),
    "spectrogram": lambda steps: torch.zeros(2, steps, 257),
}


@pytest.mark.parametrize("path", ARGUMENTS)
def test_every_network_says_what_it_takes_and_how_wide_its_blocks_are(path: str) -> None:
    network = load(f"{NETWORKS}.{path}")(**ARGUMENTS[path])
    streams = {stream: STREAMS[stream](window.steps) for stream, window in network.windows.items()}
    assert network.streams == tuple(streams)
    with torch.no_grad():
        blocks = network.blocks(network.prepare(streams))
    assert [block.shape[1] for block in blocks] == network.channels
    assert all(block.ndim > 2 for block in blocks)
