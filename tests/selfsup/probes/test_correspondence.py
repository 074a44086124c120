"""Correspondence asks the method about matching and mismatched pairs of the test clips."""

import pytest
import torch
from torch import Tensor

from selfsup.methods.audiovisual.ave_net import AVENet
from selfsup.networks.convnet import ConvNet
from selfsup.networks.spectrogram_net import SpectrogramNet
from selfsup.probes.correspondence import Correspondence
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.source import Batch, Draw, Span, Table
from selfsup.training import build

COUNT, PAIRS = 12, 3
NETWORKS = {
    "vision": (ConvNet, {"widths": [4], "side": 16}),
    "sound": (SpectrogramNet, {"widths": [4], "seconds": 0.5, "pool": 4}),
}
ARGUMENTS = {
    "dims": COUNT,
    "negatives": "all",
    "grid": 0.1,
    "around": (1.0, 1.0),
    "crop_scale": (1.0, 1.0),
    "crop_ratio": (1.0, 1.0),
    "flip": 0.0,
    "volume": 0.0,
}


class Numbered:
    """Clips whose every pixel, and every loudness, is the clip's number; three classes in turn."""

    def __init__(self, count: int) -> None:
        self.table: Table = {
            "row": torch.arange(count) + 50,
            "start": torch.zeros(count).double(),
            "end": torch.full((count,), 1.9).double(),
        }
        self.classes = {"sounding": ["a", "b", "c"]}

    def take(self, draw: Draw) -> Batch:
        sounds = draw.times["spectrogram"]
        assert isinstance(sounds, Span)
        number, count = draw.rows - 50, len(draw.rows)
        streams = {
            "frames": number.to(torch.uint8)[:, None, None, None, None].expand(-1, 1, 3, 16, 16),
            "boxes": torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(count, 1, 4),
            "spectrogram": number.float()[:, None, None].expand(-1, sounds.steps, 257),
        }
        return Batch(draw.indices, draw.rows, draw.rows, streams, {"sounding": number % 3})


class Oracle(AVENet):
    """Knows each clip by its number."""

    def embed_frames(self, frames: Tensor, boxes: Tensor) -> Tensor:
        return torch.eye(COUNT)[frames[:, 0, 0, 0, 0].long()]

    def embed_sounds(self, spectrogram: Tensor) -> Tensor:
        return torch.eye(COUNT)[spectrogram[:, 0, 0].long()]


def evaluate(count: int = COUNT, seed: int = 0) -> Evaluation:
    method = build(Oracle, ARGUMENTS, NETWORKS, seed=0)
    source = Numbered(count)
    [number] = Correspondence(label="sounding", pairs=PAIRS).evaluate(
        Pretrained(method.encoders(), method), train=source, validation=source, test=source, device="cpu", seed=seed
    )
    return number


def test_who_knows_the_clips_is_right_every_time() -> None:
    number = evaluate()
    assert number.metric == "accuracy"
    assert (number.predictions["prediction"] == number.predictions["label"]).all()


def test_half_of_a_clips_pairs_match_and_no_mismatched_one_is_its_own() -> None:
    predictions = evaluate().predictions
    matching = predictions["row"] == predictions["partner"]
    assert (matching == (predictions["label"] == 1)).all()
    for row in range(50, 50 + COUNT):
        assert sorted(predictions["label"][predictions["row"] == row]) == [0] * PAIRS + [1] * PAIRS
        assert (predictions["partner"] == row).sum() == 2 * PAIRS


def test_the_ceiling_loses_the_mismatched_pairs_that_sound_alike() -> None:
    number = evaluate()
    predictions = number.predictions
    alike = (predictions["row"] - predictions["partner"]) % 3 == 0
    lost = (alike & (predictions["label"] == 0)).sum()
    assert lost > 0
    assert number.baselines == {"chance": 0.5, "ceiling": pytest.approx(1 - lost / len(alike))}


def test_the_seed_decides_the_partners() -> None:
    first, again, other = (evaluate(seed=seed).predictions["partner"].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_one_clip_makes_no_pairs() -> None:
    with pytest.raises(ValueError, match="pairs need two test clips or more: there is 1"):
        evaluate(count=1)
