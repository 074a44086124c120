"""What a method or a probe sees of the data: row tables to draw from, and batches of streams."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from torch import Tensor

Table = Mapping[str, Tensor]
"""A row table: columns of equal length, one entry for each thing that can be drawn.

Two are built in. `frames`: row (N,) int64, time (N,) float64. `clips`: row, start, end. One is mined. `tuples`: row, a,
b, c, d, e (Shuffle & Learn's five times), strategy (N,) int64. Others come from a method's `fit`, with columns of their
own beside `row`. `row` is a position in the split's index; times are seconds on the clip's own clock."""

TUPLE_STRATEGIES = ("motion", "uniform")
"""How tuples were mined, by their number in the column `strategy`: see `pipeline.mining.tuples`."""


class TooLittleData(ValueError):
    """A dataset lacks what a method or a probe works on: tuples, a second class, clips of the same class."""


@dataclass(frozen=True)
class Span:
    """`steps` consecutive elements of a stream from each of `starts` (B,) float64 seconds on: a stretch of sound."""

    starts: Tensor
    steps: int


Times = Mapping[str, Tensor | Span]
"""By stream: (B, T) float64 seconds, for each the element that is shown or sounds then; or a Span."""


@dataclass(frozen=True)
class Draw:
    """What is to be read. indices: (B,) int64, entries of the row table. rows: (B,) int64, positions in the index.
    targets: name -> (B, ...), what drawing has decided and is to be predicted (the order of frames); handed on.
    """

    indices: Tensor
    rows: Tensor
    times: Times
    targets: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """rows: (B,) int64, positions in the index. parents: (B,) int64, equal where the source file is the same.
    indices: (B,) int64, entries of the row table that were drawn (memory banks and surrogate classes go by them).
    streams: name -> (B, T, ...), in the store's own dtype: frames (B, T, 3, H, W) uint8.
    labels: name -> (B,) int64; empty unless the source was opened with labels.
    targets: those of the draw."""

    indices: Tensor
    rows: Tensor
    parents: Tensor
    streams: Mapping[str, Tensor]
    labels: Mapping[str, Tensor]
    targets: Mapping[str, Tensor] = field(default_factory=dict)

    def to(self, device: str) -> "Batch":
        """The same batch on a device."""
        return replace(
            self,
            indices=self.indices.to(device),
            rows=self.rows.to(device),
            parents=self.parents.to(device),
            streams={name: stream.to(device, non_blocking=True) for name, stream in self.streams.items()},
            labels={name: label.to(device, non_blocking=True) for name, label in self.labels.items()},
            targets={name: target.to(device, non_blocking=True) for name, target in self.targets.items()},
        )


class Source(Protocol):
    """One split of one dataset. `classes` maps a label's name to its classes, for the labels that were asked for."""

    @property
    def table(self) -> Table:
        """The row table that it was opened with."""
        ...

    @property
    def classes(self) -> Mapping[str, list[str]]:
        """Of the labels that it was opened with."""
        ...

    def take(self, draw: Draw) -> Batch:
        """Read what was drawn: only the streams that `draw.times` names."""
        ...
