"""Small data in memory, behind the same protocol as the store's."""

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from selfsup.source import Batch, Draw, Table


class MemorySource:
    """A `Source` of clips (N, T, 3, H, W) uint8, frame t shown from t to t + 1 seconds; every clip is a file."""

    def __init__(
        self, clips: Tensor, table: str, labels: Mapping[str, Tensor], classes: Mapping[str, list[str]]
    ) -> None:
        self.clips = clips
        self.labels = labels
        self.classes = classes
        rows, count = torch.arange(len(clips)), clips.shape[1]
        self.table: Table
        if table == "frames":
            times = torch.arange(count, dtype=torch.float64).repeat(len(clips))
            self.table = {"row": rows.repeat_interleave(count), "time": times}
        else:
            start = torch.zeros(len(clips), dtype=torch.float64)
            self.table = {"row": rows, "start": start, "end": start + count - 1}

    def take(self, draw: Draw) -> Batch:
        assert set(draw.times) <= {"frames"}
        streams = {}
        for stream, times in draw.times.items():
            assert isinstance(times, Tensor), "pictures are drawn by their times"
            streams[stream] = self.clips[draw.rows[:, None], times.floor().long().clamp(0, self.clips.shape[1] - 1)]
        labels = {name: label[draw.rows] for name, label in self.labels.items()}
        return Batch(draw.indices, draw.rows, parents=draw.rows, streams=streams, labels=labels, targets=draw.targets)


MakeSource = Callable[..., MemorySource]


@pytest.fixture
def make_source() -> MakeSource:
    """Clips of patterns that have an up and a down, labelled `colour`: lit from above, one of `classes` colours."""

    def make(
        count: int, *, table: str = "frames", frames: int = 1, side: int = 16, classes: int = 3, seed: int = 0
    ) -> MemorySource:
        generator = torch.Generator().manual_seed(seed)
        colour = torch.randint(classes, (count,), generator=generator)
        palette = torch.tensor([[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0], [1.0, 1.0, 0.5]])
        light = torch.linspace(1, 0.2, side)[:, None].expand(side, side)
        noise = torch.rand(count, frames, 3, side, side, generator=generator)
        clips = 200 * palette[colour][:, None, :, None, None] * light + 55 * noise
        names = [f"colour {index}" for index in range(classes)]
        return MemorySource(clips.to(torch.uint8), table, {"colour": colour}, {"colour": names})

    return make
