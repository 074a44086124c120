import pytest
import torch

from selfsup.networks.tokeniser import Tokeniser


def test_it_scores_every_token_in_every_cell() -> None:
    network = Tokeniser(widths=[8, 12], tokens=20, side=16).eval()
    x = network.prepare({"frames": torch.randint(256, (2, 1, 3, 16, 16), dtype=torch.uint8)})
    blocks = network.blocks(x)
    assert [block.shape for block in blocks] == [(2, 8, 8, 8), (2, 12, 4, 4)]
    assert network.channels == [8, 12]
    logits = network.logits(x)
    assert logits.shape == (2, 20, network.cells, network.cells) == (2, 20, 4, 4)
    by_hand = network.scores.weight[:, :, 0, 0] @ blocks[-1][1, :, 2, 3] + network.scores.bias
    torch.testing.assert_close(logits[1, :, 2, 3], by_hand)


def test_a_side_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ValueError, match="a multiple of 8, one halving a width, not 36"):
        Tokeniser(widths=[4, 4, 4], tokens=8, side=36)
