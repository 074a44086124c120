"""The chain behind a number: the closure of receipts over what each stage read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import paths
from pipeline.dag import Dag
from pipeline.errors import UserError
from pipeline.lineage import receipts
from pipeline.lineage.receipts import read_receipt
from pipeline.parameters import Parameters
from pipeline.tables.aliases import resolve, with_seeds
from pipeline.tables.lecture import Lecture, read_lecture
from pipeline.tables.results import Evaluation, read_evaluation

# Folders in which everything was made by a stage, so that a file without a receipt is a fault.
MADE = ("data/raw", "data/decoded", "runs", "reports")


@dataclass(frozen=True)
class Step:
    """One stage's receipt, and where it lies."""

    path: Path
    receipt: dict[str, Any]

    @property
    def title(self) -> str:
        """`pretrain rotation seed 0`, and the like."""
        names = [str(self.receipt[key]) for key in ("run", "split", "shard", "protocol") if key in self.receipt]
        seed = [f"seed {self.receipt['seed']}"] if "seed" in self.receipt else []
        on = [f"on {self.receipt['on']}"] if "on" in self.receipt else []
        return " ".join([self.receipt["stage"], *names, *seed, *on])


def closure(roots: list[Path]) -> list[Step]:
    """The receipts of `roots` and of all that they were made from, the last stage first. Raises UserError, naming it,
    for one that is missing."""
    steps: dict[Path, Step] = {}
    waiting = list(roots)
    while waiting:
        path = waiting.pop(0)
        if path in steps:
            continue
        steps[path] = Step(path, read_receipt(path))
        waiting += [
            paths.receipt_beside(Path(one["path"])) for one in steps[path].receipt["inputs"] if was_made(one["path"])
        ]
    return sorted(steps.values(), key=lambda step: (receipts.STAGES.index(step.receipt["stage"]), step.path.as_posix()))


def was_made(path: str) -> bool:
    """Whether a stage made this file. Fingerprints and exclusions follow from files under version control."""
    return path.startswith(tuple(f"{folder}/" for folder in MADE)) and "/fingerprints/" not in path


@dataclass(frozen=True)
class ReportedNumbers:
    """The numbers of one scale and dataset, and where their receipts lie."""

    parameters: Parameters
    scale: str
    dataset: str
    evaluations: dict[Path, Evaluation]
    lecture: Lecture

    @classmethod
    def collect(cls, parameters: Parameters, scale: str, dataset: str) -> "ReportedNumbers":
        """Of the evaluations that are there."""
        wanted = Dag(parameters).evaluations(scale, dataset, "numbers.json")
        folders = [path.parent for path in wanted if path.exists()]
        evaluations = {folder: read_evaluation(folder) for folder in folders}
        return cls(parameters, scale, dataset, evaluations, read_lecture())

    def must_have_numbers(self) -> None:
        """Raises UserError when there is none."""
        target = paths.report(self.scale, self.dataset) / "table.md"
        if not self.is_measured():
            raise UserError(f"no protocol can be run on {self.dataset}, so it has no number; {target} says why")
        if not self.evaluations:
            made = [scale for scale in self.parameters.scales if self._has_numbers_at(scale)]
            others = f" (there are some at other scales: --scale {' or '.join(made)})" if made else ""
            raise UserError(
                f"no number of {self.dataset} at scale {self.scale} is there yet{others}; "
                f"`snakemake --cores all {target}` makes them"
            )

    def is_measured(self) -> bool:
        """Whether its modality and labels allow any evaluation."""
        return bool(Dag(self.parameters).evaluations(self.scale, self.dataset, "numbers.json"))

    def _has_numbers_at(self, scale: str) -> bool:
        return any(path.exists() for path in Dag(self.parameters).evaluations(scale, self.dataset, "numbers.json"))

    @property
    def ids(self) -> list[str]:
        return with_seeds([id for evaluation in self.evaluations.values() for id in evaluation.ids()])

    def resolve(self, alias: str) -> str:
        return resolve(alias, self.ids, self.lecture)

    def folders_of(self, id: str) -> list[Path]:
        """The evaluations that a number comes from: one, or one a seed."""
        scale, dataset, run, seed, on, protocol, _, _ = id.split("/")
        found = [
            folder
            for folder, one in self.evaluations.items()
            if (one.run, one.on, one.protocol) == (run, on, protocol) and seed in ("seeds", f"seed-{one.seed}")
        ]
        if not found:
            raise UserError(f"{id}: no evaluation of {scale}/{dataset} gives this number")
        return found

    def table_receipts(self) -> list[Path]:
        """The report's receipt, and that of the copy at reports/ where it is this one."""
        own = paths.report(self.scale, self.dataset) / "receipt.json"
        is_published = (self.scale, self.dataset) == (self.parameters.scale, self.parameters.dataset)
        return [paths.published_report() / "receipt.json", own] if is_published else [own]
