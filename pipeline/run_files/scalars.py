"""A run's log: `log.csv`, which is an output, and TensorBoard's event files, which are not."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.files import discard
from selfsup.training import LogRow


def write_log(history: list[LogRow], path: Path) -> None:
    """One line a row; a column that a row has not says `nan`: plots read an empty one as zero."""
    columns = dict.fromkeys(["step", *(name for row in history for name in row)])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(columns), restval="nan")
        writer.writeheader()
        writer.writerows(history)


@contextmanager
def events(folder: Path, after: int) -> Iterator[Callable[[LogRow], None]]:
    """Yield what writes a row into TensorBoard's files in `folder`. after: the step that a run goes on from, whose rows
    up to there stay; those of a run that begins are removed."""
    from torch.utils.tensorboard import SummaryWriter

    if after == 0:
        discard(folder)
    with SummaryWriter(str(folder), purge_step=after + 1 if after else None) as writer:

        def write(row: LogRow) -> None:
            for name, value in row.items():
                if name != "step":
                    writer.add_scalar(name, value, int(row["step"]))
            writer.flush()  # for whoever watches, and against a kill

        yield write
