import pytest
import torch

from selfsup.networks.alexnet import AlexNet
from selfsup.networks.convnet import ConvNet
from selfsup.networks.decoder import Decoder, MapShape, last_map


def test_the_last_map_is_found_and_nothing_moves() -> None:
    encoder = ConvNet(widths=[8, 16, 32], side=16)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    assert last_map(encoder) == MapShape(channels=32, height=2, width=2, side=16)
    assert encoder.training
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert last_map(AlexNet(side=224)) == MapShape(channels=256, height=13, width=13, side=224)


def test_every_up_convolution_doubles_the_side() -> None:
    decoder = Decoder(MapShape(32, 2, 2, side=16), widths=[16, 8])
    maps, sides = torch.randn(5, 32, 2, 2), []
    for stage in decoder.stages:
        maps = stage(maps)
        sides.append(maps.shape[-1])
    assert sides == [4, 8, 16]
    assert decoder(torch.randn(5, 32, 2, 2)).shape == (5, 3, 16, 16)


def test_what_is_left_to_the_side_is_made_up_by_resizing() -> None:
    decoder = Decoder(MapShape(8, 13, 13, side=224), widths=[4, 4, 4])
    assert decoder(torch.randn(2, 8, 13, 13)).shape == (2, 3, 224, 224)


@pytest.mark.parametrize("widths", [[16], [16, 16, 16]])
def test_widths_that_do_not_lead_to_the_picture_are_refused(widths: list[int]) -> None:
    with pytest.raises(ValueError, match="change the number of widths"):
        Decoder(MapShape(32, 2, 2, side=16), widths)


def test_pictures_stay_in_range() -> None:
    pictures = Decoder(MapShape(32, 2, 2, side=16), widths=[16, 8])(1e3 * torch.randn(5, 32, 2, 2))
    assert pictures.abs().max() <= 1
