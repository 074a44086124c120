"""Several pretext tasks on one trunk: Doersch and Zisserman, "Multi-task self-supervised visual learning", ICCV 2017.

Withheld and predicted: what each task withholds and predicts. The paper's are relative position, colourisation,
exemplars by triplets, and motion segmentation.
"""

import copy
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, ClassVar, get_type_hints

import torch
from torch import Generator, Tensor, nn

from selfsup.class_path import METHODS, load
from selfsup.methods.method import Method, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Source, Table
from selfsup.views.lab import as_grey


class MultiTask(Method):
    """Differs from the paper in these ways.

    - All tasks see the same pictures at every step, and one optimiser moves trunk and heads. There each batch is of one
      task, on workers of its own.
    - Every task's head stands on the deepest block. The variant that lets each task choose a mix of the layers (lasso,
      section 4.2) is left out.
    - Batch normalisation takes each task's views by themselves in training, and the mean over the tasks in evaluation.
    - Motion segmentation needs masks that no stored stream has.
    """

    table = "frames"
    streams = ("frames",)
    ranges: ClassVar = {"weights": (0, 1000000)}

    def __init__(
        self, *, encoder: Encoder, tasks: dict[str, dict[str, Any]], weights: dict[str, float], harmonised: bool
    ) -> None:
        """tasks: by its path below `selfsup.methods` (`image.rotation:Rotation`), each method's own arguments.
        weights: of each task's loss, by its module's name (`rotation`); all 1 in the paper (section 3.4).
        harmonised: whether every task is given pictures without their colours, as colourisation is (section 4.1: L of
        Lab, three times over), so that the trunk cannot tell the tasks apart by them. Probes show it colours.
        Raises ValueError for a task that does not fit: of other streams, with encoders of its own, that draws in a way
        of its own or trains groups of parameters against each other; and for weights of other tasks.
        """
        super().__init__()
        self.encoder = encoder
        self.tasks = nn.ModuleDict()
        shown = without_colours(encoder) if harmonised else encoder
        for path, arguments in tasks.items():
            name = path.partition(":")[0].rpartition(".")[2]
            if name in self.tasks:
                raise ValueError(f"multi_task: tasks: two of the module {name}; name each module once")
            self.tasks[name] = made(path, arguments, shown)
        if not tasks or weights.keys() != self.tasks.keys():
            raise ValueError(f"multi_task: weights: expected one each for {list(self.tasks)}, found {list(weights)}")
        self.weights = weights
        self.labels = tuple(sorted({label for _, task in self.each() for label in task.labels}))

    def each(self) -> list[tuple[str, Method]]:
        """The tasks by name."""
        return [(name, task) for name, task in self.tasks.items() if isinstance(task, Method)]

    def fit(self, source: Source, generator: Generator) -> Table:
        """Fit each task. Returns the source's table with the columns that tasks have added. Raises ValueError where a
        task has chosen rows, so that no other task could draw the same, and where two add different columns of one
        name."""
        table = dict(source.table)
        for name, task in self.each():
            fitted = task.fit(source, generator)
            if len(fitted["row"]) != len(table["row"]):
                raise ValueError(
                    f"multi_task: {name} draws from {len(fitted['row'])} rows of its own, the others from "
                    f"{len(table['row'])}: it cannot share batches"
                )
            for column, values in fitted.items():
                if column in table and not torch.equal(table[column], values):
                    raise ValueError(f"multi_task: {name} has another column {column!r} than the tasks before it")
                table[column] = values
        return table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> dict[str, Any]:
        """Each task's views of the same batch, by its name."""
        return {name: task.views(batch, generator, progress) for name, task in self.each()}

    def loss(self, views: dict[str, Any]) -> dict[str, Tensor]:
        """Each task's losses, weighted, as `rotation_rotation`: the task's name and the loss's. Training adds them."""
        return {
            f"{name}_{part}": self.weights[name] * loss
            for name, task in self.each()
            for part, loss in task.loss(views[name]).items()
        }

    def after_step(self, views: dict[str, Any], progress: Progress) -> None:
        """That of each task."""
        for name, task in self.each():
            task.after_step(views[name], progress)


def made(path: str, arguments: Mapping[str, Any], encoder: Encoder) -> Method:
    """A task on a trunk that it does not hold itself: its state is its heads. Raises ValueError, see `MultiTask`."""
    task_class = load(f"{METHODS}.{path}")
    where = f"multi_task: tasks.{path}"
    if not (isinstance(task_class, type) and issubclass(task_class, Method)):
        raise ValueError(f"{where}: is not a method")
    if (task_class.table, task_class.streams, task_class.annotations) != ("frames", ("frames",), ()):
        raise ValueError(f"{where}: works on other data than single frames")
    if not task_class.trains or task_class.draw is not Method.draw or task_class.groups is not Method.groups:
        raise ValueError(f"{where}: trains or draws in a way of its own and cannot share a trunk")
    hints = get_type_hints(task_class.__init__)
    given = {
        name: hints[name](**value) if is_dataclass(hints.get(name)) and isinstance(value, Mapping) else value
        for name, value in arguments.items()
    }
    try:
        task = task_class(encoder=encoder, **given)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error
    # A plain attribute: registered below each task, the trunk would stand in the heads' file once a task.
    del task._modules["encoder"]
    object.__setattr__(task, "encoder", encoder)
    return task


def without_colours(encoder: Encoder) -> Encoder:
    """The same network, with the same weights and not a copy of them, which prepares pictures as grey ones."""
    shown = copy.copy(encoder)
    object.__setattr__(shown, "prepare", lambda streams: as_grey(encoder.prepare(streams)))
    return shown
