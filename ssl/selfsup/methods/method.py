"""The contract of a pretraining method."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Generator, Tensor, nn

from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Draw, Source, Table


@dataclass(frozen=True)
class Progress:
    """Where training stands: `step` of `steps` done."""

    step: int
    steps: int

    @property
    def fraction(self) -> float:
        """Of the run that is done, 0 to 1."""
        return self.step / self.steps


@dataclass(frozen=True)
class PretextAnswers:
    """How a method answers its own pretext task on held-out entries: N answers, one or more an entry.

    entries: (N,) int64, which of the batch's entries each is about. A classification gives labels (N,) int64 and scores
    (N, classes), greatest for its answer; anything else gives errors (N,), lower is better, and the errors of a trivial
    answer (N,), such as the mean image's: what the number is read against.
    """

    entries: Tensor
    labels: Tensor | None = None
    scores: Tensor | None = None
    errors: Tensor | None = None
    trivial: Tensor | None = None


class Method(nn.Module):
    """One paper. A subclass states what is withheld, what is predicted, and with which networks.

    What moves while it trains is a parameter or a buffer, of a shape that it keeps: a checkpoint holds nothing else.

    Its constructor takes the encoders of `training.RUN.networks` in params.yaml by their names there (one, `encoder`,
    for most) and, as further keyword arguments without defaults, the run's `arguments`.
    """

    table: ClassVar[str]
    """The row table that its source is opened with: frames, clips, or a mined one."""
    streams: ClassVar[tuple[str, ...]]
    moving: ClassVar[bool] = False
    """Whether it needs several frames of a clip; a literal."""
    annotations: ClassVar[tuple[str, ...]] = ()
    """What it draws beside streams where a dataset knows it, a literal: `boxes` of the main object, (B, T, 4) shares of
    the picture (left, top, right, bottom); of a dataset that does not, the whole picture."""
    trains: ClassVar[bool] = True
    """False for a method that has nothing to train; any other may be left as it is initialised, without a schedule."""
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {}
    """Least and greatest value of numeric arguments (of a list: of each number), a literal: params.yaml is held against
    it before anything runs."""
    answers: ClassVar[tuple[str, ...]] = ()
    """Questions of its pretext task that probes may ask it, a literal: `pretext`, `correspondence`, `order`."""
    teachers: ClassVar[tuple[str, ...]] = ()
    """Roles of `init_from`, beside its encoders' names, that `begin_with` takes: a literal."""
    labels: tuple[str, ...] = ()
    """The labels that it may see; none, unless it is supervised."""

    def encoders(self) -> dict[str, Encoder]:
        """The encoders that downstream tasks take, by the names of their attributes."""
        return {name: child for name, child in self.named_children() if isinstance(child, Encoder)}

    def begin_with(self, role: str, encoders: Mapping[str, Encoder]) -> None:
        """Before training: take what a run that this one is `init_from` has learned, `encoders` by their names there.

        role: one of its own encoders, which gets the weights of the only one there that takes the same streams; or one
        of `teachers`, which a subclass keeps. Raises ValueError where nothing fits."""
        own = self.encoders().get(role)
        fitting = [other for other in encoders.values() if own is not None and other.streams == own.streams]
        if own is None or len(fitting) != 1:
            raise ValueError(f"init_from.{role}: expected one encoder of the same streams, found {len(fitting)}")
        try:
            own.load_state_dict(fitting[0].state_dict())
        except RuntimeError as error:
            raise ValueError(f"init_from.{role}: the networks differ: {str(error).splitlines()[-1].strip()}") from None

    def fit(self, source: Source, generator: Generator) -> Table:
        """Compute what the method needs from the data before training (priors, clusters, permutations) into buffers.

        Returns the row table to draw from: the source's own, or a choice from it with columns added."""
        return source.table

    def draw(self, table: Table, indices: Tensor, generator: Generator, progress: Progress) -> Draw:
        """indices: (B,) into the row table of `fit` -> what to read."""
        times = table["time"][indices].unsqueeze(1)
        return Draw(indices, table["row"][indices], dict.fromkeys(self.streams, times))

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Any:
        """The free supervision, made on the batch's device; every random choice comes from `generator`."""
        raise TypeError(f"{type(self).__name__} does not train")

    def loss(self, views: Any) -> dict[str, Tensor]:
        """Scalars by name; `group/name` where there are several groups of parameters, else group `main`."""
        raise TypeError(f"{type(self).__name__} does not train")

    def held_out(self, table: Table) -> Table:
        """table: of a split that the method was not fitted on -> what `draw` takes, with columns as `fit` adds them."""
        return table

    def pretext(self, views: Any) -> PretextAnswers:
        """The method's answers to its pretext task for the views of held-out entries; asked in evaluation mode, without
        gradients. Only of methods whose `answers` names `pretext`."""
        raise TypeError(f"{type(self).__name__} answers no pretext question")

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by group, one optimiser a group."""
        return {"main": [parameter for parameter in self.parameters() if parameter.requires_grad]}

    def rates(self) -> dict[str, float]:
        """By group, what the schedule's learning rate is multiplied by; 1 for a group that is not named (an
        adversary's generator may learn ten times as fast as its discriminator)."""
        return {}

    def after_step(self, views: Any, progress: Progress) -> None:
        """Momentum encoders, queues and memory banks move here; what `loss` computed it left on `self`."""
