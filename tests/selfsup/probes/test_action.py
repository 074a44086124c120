"""Actions from several frames: what order is worth, and what few labels are."""

import numpy as np
import pytest
import torch
from torch import Generator

from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder
from selfsup.networks.per_frame import PerFrameConvNet
from selfsup.probes.action import Action
from selfsup.probes.probe import Evaluation, Pretrained

PROTOCOL = {
    "label": "colour",
    "dims": 64,
    "frames": 3,
    "few_labels": 3,
    "few_draws": 4,
    "penalties": [0.1],
    "max_iterations": 50,
}
SEVERAL = {"widths": [4], "side": 16, "frames": 4, "seconds": 3.0, "contrast": 0.0, "stabilised": False}
NUMBERS = ["top1", "top1_few", "top1_blind", "top1_blind_few"]


@pytest.fixture
def splits(make_source) -> list:
    """Clips of four frames that get brighter or darker: no frame alone, nor their average, says which."""
    sources = [make_source(count, table="clips", frames=4, classes=2, seed=count) for count in (60, 20, 40)]
    for source in sources:
        count = len(source.clips)
        # The last is the same in both: the three midpoints of a clip of 3 s show the first three.
        brighter, darker = torch.tensor([40, 80, 120, 80]), torch.tensor([120, 80, 40, 80])
        levels = torch.where(source.labels["colour"][:, None] == 1, brighter, darker)
        noise = torch.randint(40, (count, 4, 3, 16, 16), generator=Generator().manual_seed(count))
        source.clips = (levels[:, :, None, None, None] + noise).to(torch.uint8)
    return sources


def evaluate(encoder: Encoder, splits: list, seed: int = 0, **changes) -> dict[str, Evaluation]:
    train, validation, test = splits
    numbers = Action(**{**PROTOCOL, **changes}).evaluate(
        Pretrained({"encoder": encoder}, None), train=train, validation=validation, test=test, device="cpu", seed=seed
    )
    return {number.metric: number for number in numbers}


def accuracy(number: Evaluation) -> float:
    return float((number.predictions["label"] == number.predictions["prediction"]).mean())


@pytest.mark.parametrize("several", [False, True], ids=["one frame at a time", "a window"])
def test_only_the_ordered_head_tells_what_order_alone_tells(several: bool, splits) -> None:
    torch.manual_seed(0)
    encoder = PerFrameConvNet(**SEVERAL) if several else ConvNet(widths=[4], side=16)
    numbers = evaluate(encoder, splits)
    assert list(numbers) == NUMBERS
    assert accuracy(numbers["top1"]) > 0.95
    assert accuracy(numbers["top1_few"]) > 0.95
    assert accuracy(numbers["top1_blind"]) < 0.75
    assert accuracy(numbers["top1_blind_few"]) < 0.75


def test_every_draw_of_few_labels_answers_every_test_clip(splits) -> None:
    numbers = evaluate(ConvNet(widths=[4], side=16), splits)
    rows = list(range(40))
    assert numbers["top1"].predictions["row"].tolist() == rows
    assert numbers["top1_few"].predictions["row"].tolist() == rows * PROTOCOL["few_draws"]
    scores = np.split(numbers["top1_few"].predictions["scores"], PROTOCOL["few_draws"])
    assert not any(np.array_equal(scores[0], other) for other in scores[1:])


def test_the_seed_decides_which_labels_are_the_few(splits) -> None:
    encoder = ConvNet(widths=[4], side=16)
    first, again, other = (evaluate(encoder, splits, seed) for seed in (1, 1, 2))
    few = [numbers["top1_few"].predictions["scores"] for numbers in (first, again, other)]
    assert np.array_equal(few[0], few[1])
    assert not np.array_equal(few[0], few[2])
    assert np.array_equal(first["top1"].predictions["scores"], other["top1"].predictions["scores"])


@pytest.mark.parametrize(("position", "name"), [(0, "training"), (1, "validation"), (2, "test")])
def test_an_empty_split_is_named(position: int, name: str, splits, make_source) -> None:
    splits[position] = make_source(0, table="clips", frames=4, classes=2)
    with pytest.raises(ValueError, match=f"the {name} split has no clips"):
        evaluate(ConvNet(widths=[4], side=16), splits)
