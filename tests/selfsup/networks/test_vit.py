import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from selfsup.networks.vit import Attention, ViT, patches, pictures, sine_cosine_positions

SIZES = {"patch": 4, "dim": 16, "depth": 6, "heads": 2, "side": 16}


def pictures_of(count: int) -> Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_blocks_are_maps_of_four_evenly_spaced_layers() -> None:
    network = ViT(**SIZES)
    assert network.shown == [2, 3, 5, 6]
    assert ViT(**SIZES | {"depth": 12}).shown == [3, 6, 9, 12]
    assert ViT(**SIZES | {"depth": 2}).channels == [16, 16]
    blocks = network.blocks(network.prepare({"frames": torch.zeros(2, 1, 3, 32, 32, dtype=torch.uint8)}))
    assert (
        [block.shape for block in blocks]
        == [(2, 16, 4, 4)] * 4
        == [(2, channels, 4, 4) for channels in network.channels]
    )


def test_a_maps_place_is_its_patchs_token() -> None:
    network, x = ViT(**SIZES).eval(), pictures_of(2)
    tokens = network.encoded(network.embedded(x))
    assert tokens.shape == (2, 17, 16)
    # Row 1, column 2 of 4 x 4, after the class token.
    torch.testing.assert_close(network.blocks(x)[-1][:, :, 1, 2], tokens[:, 1 + 4 + 2])


def test_patches_are_cut_row_after_row_and_put_together_again() -> None:
    x = pictures_of(2)
    cut = patches(x, 4)
    assert cut.shape == (2, 16, 48)
    assert torch.equal(cut[1, 6], x[1, :, 4:8, 8:12].flatten())
    assert torch.equal(pictures(cut, 4), x)


def test_the_embedding_is_that_of_a_convolution() -> None:
    network, x = ViT(**SIZES), pictures_of(2)
    kernel = network.patch_embed.weight.view(16, 3, 4, 4)
    expected = F.conv2d(x, kernel, network.patch_embed.bias, stride=4).flatten(2).transpose(1, 2)
    torch.testing.assert_close(network.embedded(x) - network.positions, expected)


def test_positions_by_hand() -> None:
    # Wavelengths 2 pi and 2 pi * 100; first the column, then the row, sines before cosines.
    positions = sine_cosine_positions(3, 8)
    row, column = 1, 2
    expected = [f(angle) for at in (column, row) for f in (math.sin, math.cos) for angle in (at, at / 100)]
    assert positions.shape == (9, 8)
    assert positions[row * 3 + column].tolist() == pytest.approx(expected)


def test_attention_by_hand() -> None:
    torch.manual_seed(0)
    attention, x = Attention(8, 2), torch.randn(1, 3, 8)
    queries, keys, values = (x[0] @ attention.qkv.weight.T + attention.qkv.bias).split(8, dim=1)
    heads = []
    for part in (slice(0, 4), slice(4, 8)):
        scores = (queries[:, part] @ keys[:, part].T / math.sqrt(4)).softmax(dim=1)
        heads.append(scores @ values[:, part])
    torch.testing.assert_close(attention(x)[0], attention.proj(torch.cat(heads, dim=1)))


def test_only_what_is_kept_is_seen() -> None:
    network, x = ViT(**SIZES).eval(), pictures_of(2)
    kept = torch.tensor([[3, 0, 9], [15, 1, 2]])
    tokens = network.visible(x, kept)
    assert tokens.shape == (2, 4, 16)
    hidden = torch.ones(2, 16, dtype=torch.bool).scatter(1, kept, False)
    other = pictures(torch.where(hidden[..., None], -patches(x, 4), patches(x, 4)), 4)
    assert torch.equal(network.visible(other, kept), tokens)
    assert not torch.equal(network.visible(-x, kept), tokens)


def test_all_patches_in_any_order_give_what_the_whole_picture_gives() -> None:
    network, x = ViT(**SIZES).eval(), pictures_of(2)
    order = torch.stack([torch.randperm(16, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)])
    whole, shuffled = network.encoded(network.embedded(x)), network.visible(x, order)
    torch.testing.assert_close(shuffled[:, 0], whole[:, 0])
    for entry in range(2):
        torch.testing.assert_close(shuffled[entry, 1:], whole[entry, 1:][order[entry]])


def test_positions_follow_from_the_sizes_and_are_in_no_file() -> None:
    assert "positions" not in ViT(**SIZES).state_dict()
    assert "positions" in dict(ViT(**SIZES).named_buffers())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"patch": 5}, "side must be a multiple of patch"),
        ({"dim": 10}, "dim must be a multiple of 4"),
        ({"heads": 3}, "dim must be a multiple of heads"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change: dict, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ViT(**SIZES | change)
