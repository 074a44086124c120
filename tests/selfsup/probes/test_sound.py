"""Sound classification from stretches of clips' spectrograms."""

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from selfsup.networks.spectrogram_net import RATE, SpectrogramNet
from selfsup.probes.probe import Evaluation, Pretrained
from selfsup.probes.sound import SoundSVM
from selfsup.source import Batch, Draw, Span, Table

PROTOCOL = {
    "label": "tone",
    "dims": 64,
    "stretches": 3,
    "few_labels": 2,
    "few_draws": 3,
    "costs": [1.0, 0.01],
    "max_iterations": 200,
}


class Tones:
    """Clips of two seconds of noise with a tone, high or low."""

    def __init__(self, count: int, seed: int) -> None:
        generator = Generator().manual_seed(seed)
        self.tone = torch.arange(count) % 2
        self.sound = torch.randn(count, 2 * RATE, 257, generator=generator) - 6
        for clip, tone in enumerate(self.tone.tolist()):
            self.sound[clip, :, 40 + 120 * tone : 60 + 120 * tone] += 4
        rows = torch.arange(count)
        self.table: Table = {
            "row": rows,
            "start": torch.zeros(count).double(),
            "end": torch.full((count,), 2.0).double(),
        }
        self.classes = {"tone": ["low", "high", "never heard"]}

    def take(self, draw: Draw) -> Batch:
        streams = {name: self.heard(draw.rows, times) for name, times in draw.times.items()}
        return Batch(draw.indices, draw.rows, draw.rows, streams, {"tone": self.tone[draw.rows]})

    def heard(self, rows: Tensor, times: Tensor | Span) -> Tensor:
        assert isinstance(times, Tensor)
        steps = (times * RATE).round().long().clamp(0, self.sound.shape[1] - 1)
        return self.sound[rows[:, None], steps]


def splits() -> list[Tones]:
    return [Tones(count, seed) for seed, count in enumerate((24, 10, 16))]


def evaluate(sources: list[Tones], seed: int = 0) -> dict[str, Evaluation]:
    torch.manual_seed(0)
    encoder = SpectrogramNet(widths=[4, 8], seconds=0.5, pool=4)
    train, validation, test = sources
    numbers = SoundSVM(**PROTOCOL).evaluate(
        Pretrained({"sound": encoder}, None), train=train, validation=validation, test=test, device="cpu", seed=seed
    )
    return {number.metric: number for number in numbers}


def test_a_tone_is_read_off_even_random_features() -> None:
    numbers = evaluate(splits())
    assert list(numbers) == ["top1", "top1_few"]
    for number in numbers.values():
        assert (number.predictions["prediction"] == number.predictions["label"]).mean() > 0.9
        assert number.baselines == {"chance": 1 / 3}
        tried = [(one["layer"], one["penalty"]) for one in number.candidates]
        assert tried == [("block1", 1.0), ("block1", 0.01), ("block2", 1.0), ("block2", 0.01)]


def test_a_clip_is_one_example_however_many_its_stretches_and_draws_follow_each_other() -> None:
    numbers = evaluate(splits())
    assert numbers["top1"].predictions["row"].tolist() == list(range(16))
    assert numbers["top1_few"].predictions["row"].tolist() == list(range(16)) * PROTOCOL["few_draws"]


def test_a_class_that_training_lacks_is_never_the_answer() -> None:
    scores = evaluate(splits())["top1"].predictions["scores"]
    assert (scores[:, 2] < scores[:, :2].min(axis=1)).all()


def test_equal_seeds_give_equal_numbers() -> None:
    first, again, other = (evaluate(splits(), seed)["top1_few"].predictions["scores"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_one_class_alone_is_refused_and_an_empty_split_named() -> None:
    sources = splits()
    sources[0].tone.zero_()
    with pytest.raises(ValueError, match="all 24 training clips have the same 'tone'"):
        evaluate(sources)
    sources = [*splits()[:2], Tones(0, 3)]
    with pytest.raises(ValueError, match="the test split has no clips"):
        evaluate(sources)
