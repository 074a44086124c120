"""What evaluations left: their numbers and predictions, read and checked."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from pipeline.errors import UserError
from pipeline.validation import validate


class _Record(BaseModel):
    """Part of numbers.json. Keys that tables do not need may stand beside these: protocols add their own."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Scored(_Record):
    """One metric on the test split. value, interval, chance and ceiling are fractions; of an error they are in its own
    unit, and `trivial` is the error of a trivial answer. at_edge: a choice ended at an end of what was tried."""

    layer: str
    metric: str
    value: float
    low: float
    high: float
    count: int
    clips: int
    chance: float | None = None
    ceiling: float | None = None
    trivial: float | None = None
    at_edge: bool = False


class Evaluation(_Record):
    """numbers.json: what one run of one seed scores under one protocol; or why it was refused, for want of data."""

    run: str
    seed: int
    dataset: str
    scale: str
    on: str
    protocol: str
    refused: str | None = None
    numbers: list[Scored]
    overlap: dict[str, int]

    @property
    def name(self) -> str:
        return f"{self.scale}/{self.dataset}/{self.run}/seed-{self.seed}/{self.on}/{self.protocol}"

    def id_of(self, scored: Scored) -> str:
        return f"{self.name}/{scored.layer}/{scored.metric}"

    def ids(self) -> list[str]:
        """Of all its numbers; `aliases.with_seeds` adds those over seeds."""
        return [self.id_of(scored) for scored in self.numbers]


@dataclass(frozen=True)
class Predictions:
    """predictions.parquet, sorted by id: id and parent (N,) str, label and prediction (N,) int, scores (N, classes)."""

    id: np.ndarray
    parent: np.ndarray
    label: np.ndarray
    prediction: np.ndarray
    scores: np.ndarray

    def of(self, parents: Collection[str]) -> "Predictions":
        """Those of some clips."""
        chosen = np.isin(self.parent, list(parents))
        return Predictions(*(column[chosen] for column in vars(self).values()))


@dataclass(frozen=True)
class Result:
    """What `evaluate` left in one folder. predictions: by metric."""

    evaluation: Evaluation
    predictions: Mapping[str, Predictions]


def read_evaluation(folder: Path) -> Evaluation:
    """Raises UserError for a numbers.json that is missing or broken."""
    path = folder / "numbers.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path}` makes it") from None
    except ValueError as error:
        raise UserError(f"{path}: not readable as JSON ({error}); delete it and run again") from None
    return validate(Evaluation, data, str(path))


def read_predictions(folder: Path, columns: list[str]) -> pa.Table:
    """Some columns of predictions.parquet. Raises UserError for a file that is missing or broken."""
    path = folder / "predictions.parquet"
    try:
        return pq.read_table(path, columns=columns)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path}` makes it") from None
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a readable file of predictions ({error}); delete it and run again") from None


def read_result(folder: Path) -> Result:
    """Raises UserError for a numbers.json or predictions.parquet that is missing or broken."""
    evaluation = read_evaluation(folder)
    table = read_predictions(folder, ["metric", "id", "parent", "label", "prediction", "scores"]).to_pandas()
    by_metric = {
        str(metric): predictions(
            **{name: some[name].to_numpy() for name in ("id", "parent", "label", "prediction")},
            scores=np.stack(some["scores"]),
        )
        for metric, some in table.groupby("metric", observed=True)
    }
    return Result(evaluation, by_metric)


def predictions(
    id: np.ndarray, parent: np.ndarray, label: np.ndarray, prediction: np.ndarray, scores: np.ndarray
) -> Predictions:
    """Columns of equal length N, in any order."""
    order = np.argsort(id.astype(str), kind="stable")
    return Predictions(id.astype(str)[order], parent.astype(str)[order], label[order], prediction[order], scores[order])
