"""A method as params.yaml describes it: mappings become what the constructor asks for, encoders those of other runs."""

import pytest
import torch

from selfsup.methods.audiovisual.ave_net import AVENet
from selfsup.methods.audiovisual.supervised_sound import SupervisedSound
from selfsup.methods.image.rotation import Rotation
from selfsup.methods.image.supervised import Supervised
from selfsup.methods.method import Method
from selfsup.methods.video.supervised import SupervisedVideo
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder
from selfsup.networks.per_frame import PerFrameConvNet
from selfsup.networks.spectrogram_net import SpectrogramNet
from selfsup.training import build
from selfsup.views.geometry import RandomCrop

CROP = {"scale": [0.5, 1.0], "ratio": [0.75, 1.333], "flip": 0.5}
WINDOW = {"frames": 2, "seconds": 1.0, "contrast": 0.0, "stabilised": False}
PICTURES = (ConvNet, {"widths": [4, 8], "side": 16})
CLIPS = (PerFrameConvNet, {"widths": [4, 8], "side": 16, **WINDOW})
SOUNDS = (SpectrogramNet, {"widths": [4, 8], "seconds": 0.5, "pool": 4})


@pytest.mark.parametrize(
    ("method", "network"), [(Supervised, PICTURES), (SupervisedVideo, CLIPS)], ids=["stated", "inherited"]
)
def test_a_mapping_becomes_the_dataclass_that_a_constructor_asks_for(method: type[Method], network) -> None:
    made = build(method, {"label": "colour", "crop": CROP}, {"encoder": network}, seed=0)
    assert made.crop == RandomCrop(scale=[0.5, 1.0], ratio=[0.75, 1.333], flip=0.5)
    ready = build(method, {"label": "colour", "crop": RandomCrop(**CROP)}, {"encoder": network}, seed=0)
    assert ready.crop == made.crop


def equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())


def of_stills(seed: int) -> Method:
    return build(Rotation, {"turns": [0, 180], "crop": CROP}, {"encoder": PICTURES}, seed)


def pairs() -> AVENet:
    arguments = {"dims": 8, "negatives": "all", "grid": 0.08, "around": [1.0, 1.5], "crop": CROP}
    made = build(AVENet, arguments, {"vision": PICTURES, "sound": SOUNDS}, 0)
    assert isinstance(made, AVENet)
    return made


def test_a_role_takes_the_only_encoder_of_the_same_streams() -> None:
    method, source = pairs(), build(SupervisedSound, {"label": "tone"}, {"encoder": SOUNDS}, seed=1)
    assert not equal(method.sound, source.encoder)
    before = {name: value.clone() for name, value in method.vision.state_dict().items()}
    method.begin_with("sound", source.encoders())
    assert equal(method.sound, source.encoder)
    assert all(torch.equal(value, before[name]) for name, value in method.vision.state_dict().items())
    # And of several encoders the one that fits.
    alone = of_stills(seed=1)
    alone.begin_with("encoder", method.encoders())
    assert equal(alone.encoder, method.vision)


@pytest.mark.parametrize(
    ("role", "encoders", "expected"),
    [
        ("encoder", {"encoder": SOUNDS}, "init_from.encoder: expected one encoder of the same streams, found 0"),
        ("encoder", {"a": PICTURES, "b": PICTURES}, "init_from.encoder: expected one encoder .* found 2"),
        ("teacher", {"encoder": PICTURES}, "init_from.teacher: expected one encoder of the same streams, found 0"),
        (
            "encoder",
            {"encoder": (ConvNet, {"widths": [4, 6], "side": 16})},
            "init_from.encoder: the networks differ: size mismatch",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(role: str, encoders: dict, expected: str) -> None:
    made: dict[str, Encoder] = {name: network(**given) for name, (network, given) in encoders.items()}
    with pytest.raises(ValueError, match=expected):
        of_stills(seed=0).begin_with(role, made)
