"""Our numbers: read from evaluations, averaged over seeds, with their intervals and differences."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from pipeline.errors import UserError
from pipeline.tables.aliases import id_over_seeds
from pipeline.validation import validate
from selfsup.probes.intervals import Interval, bootstrap_interval, paired_difference
from selfsup.probes.metrics import PER_EXAMPLE


class _Record(BaseModel):
    """Part of numbers.json. Keys that tables do not need may stand beside these: protocols add their own."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Choice(_Record):
    """What was chosen on validation."""

    layer: str


class Scored(_Record):
    """One metric on the test split; value, interval and chance are fractions."""

    layer: str
    metric: str
    value: float
    low: float
    high: float
    count: int
    clips: int
    chance: float


class Evaluation(_Record):
    """numbers.json: what one run of one seed scores under one protocol."""

    run: str
    seed: int
    dataset: str
    scale: str
    on: str
    protocol: str
    choice: Choice
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
    """predictions.parquet, sorted by id: id and parent (N,) str, label and prediction (N,) int."""

    id: np.ndarray
    parent: np.ndarray
    label: np.ndarray
    prediction: np.ndarray


@dataclass(frozen=True)
class Result:
    """What `evaluate` left in one folder."""

    evaluation: Evaluation
    predictions: Predictions


@dataclass(frozen=True)
class Measured:
    """A number over seeds, as tables print it. Fractions; `difference` is to the reference run, paired by example.

    layers: the chosen one of each seed. overlap: clips that pretraining shares with each split of the evaluation."""

    id: str
    run: str
    seeds: tuple[int, ...]
    layers: tuple[str, ...]
    value: float
    low: float
    high: float
    chance: float
    count: int
    clips: int
    difference: Interval | None
    overlap: Mapping[str, int]


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


def read_result(folder: Path) -> Result:
    """Raises UserError for a numbers.json or predictions.parquet that is missing or broken."""
    evaluation = read_evaluation(folder)
    path = folder / "predictions.parquet"
    try:
        columns = pq.read_table(path, columns=["id", "parent", "label", "prediction"])
    except FileNotFoundError:
        raise UserError(f"{path}: missing; `snakemake {path}` makes it") from None
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a readable file of predictions ({error}); delete it and run again") from None
    id, parent, label, prediction = (column.to_numpy(zero_copy_only=False) for column in columns.itercolumns())
    return Result(evaluation, predictions(id, parent, label, prediction))


def predictions(id: np.ndarray, parent: np.ndarray, label: np.ndarray, prediction: np.ndarray) -> Predictions:
    """Columns of equal length (N,), in any order."""
    order = np.argsort(id.astype(str), kind="stable")
    return Predictions(id.astype(str)[order], parent.astype(str)[order], label[order], prediction[order])


def measure(results: Sequence[Result], *, reference: str, draws: int, seed: int) -> list[Measured]:
    """Numbers over seeds, in the order in which runs and protocols first appear in `results`.

    reference: the run that differences are taken to (random initialisation). draws, seed: of the bootstrap.
    Raises UserError where results that should be comparable were not scored on the same examples."""
    groups: dict[tuple[str, ...], list[tuple[Result, Scored]]] = {}
    for result in results:
        one = result.evaluation
        for scored in one.numbers:
            key = (one.scale, one.dataset, one.run, one.on, one.protocol, scored.metric)
            groups.setdefault(key, []).append((result, scored))
    measured = []
    for (scale, dataset, run, on, protocol, metric), members in groups.items():
        baseline = groups.get((scale, dataset, reference, on, protocol, metric), [])
        measured.append(_over_seeds(members, [] if run == reference else baseline, draws=draws, seed=seed))
    return measured


def _over_seeds(
    members: list[tuple[Result, Scored]], baseline: list[tuple[Result, Scored]], *, draws: int, seed: int
) -> Measured:
    members = sorted(members, key=lambda member: member[0].evaluation.seed)
    values, clusters = _values(members)
    evaluations = [result.evaluation for result, _ in members]
    scored = [one for _, one in members]
    first = scored[0]
    if len(members) == 1:
        # The evaluation's own interval: the table then says what numbers.json says, digit for digit.
        estimate = Interval(first.value, first.low, first.high)
    else:
        estimate = bootstrap_interval(values, clusters, draws=draws, seed=seed)
    ids = [evaluation.id_of(one) for evaluation, one in zip(evaluations, scored, strict=True)]
    return Measured(
        id=id_over_seeds(ids),
        run=evaluations[0].run,
        seeds=tuple(evaluation.seed for evaluation in evaluations),
        layers=tuple(one.layer for one in scored),
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        chance=first.chance,
        count=first.count,
        clips=first.clips,
        difference=_difference(members, baseline, draws=draws, seed=seed),
        overlap={
            split: max(evaluation.overlap.get(split, 0) for evaluation in evaluations)
            for split in evaluations[0].overlap
        },
    )


def _difference(
    members: list[tuple[Result, Scored]], baseline: list[tuple[Result, Scored]], *, draws: int, seed: int
) -> Interval | None:
    """Over the seeds that both runs have; None where they have none in common."""
    seeds = {result.evaluation.seed for result, _ in members} & {result.evaluation.seed for result, _ in baseline}
    if not seeds:
        return None
    # Both in one call, so that they are held to the same examples.
    pairs = [
        sorted((one for one in side if one[0].evaluation.seed in seeds), key=lambda one: one[0].evaluation.seed)
        for side in (members, baseline)
    ]
    values, clusters = _values([*pairs[0], *pairs[1]])
    return paired_difference(values[: len(seeds)], values[len(seeds) :], clusters, draws=draws, seed=seed)


def _values(members: list[tuple[Result, Scored]]) -> tuple[np.ndarray, np.ndarray]:
    """Per-example values (S, N) and the clip of each example (N,) as integers."""
    first = members[0][0]
    values = []
    for result, scored in members:
        name = f"{result.evaluation.name}: {scored.metric}"
        if scored.metric not in PER_EXAMPLE:
            raise UserError(f"{name}: not known of one example; expected one of {', '.join(PER_EXAMPLE)}")
        if scored.layer != result.evaluation.choice.layer:
            raise UserError(
                f"{name}: is of layer {scored.layer!r}, but the predictions are of {result.evaluation.choice.layer!r}, "
                "the layer chosen on validation; evaluate again"
            )
        if not np.array_equal(result.predictions.id, first.predictions.id):
            raise UserError(
                f"{name}: scored on other examples than {first.evaluation.name} "
                f"({len(result.predictions.id)} and {len(first.predictions.id)}); evaluate both again"
            )
        value = PER_EXAMPLE[scored.metric](vars(result.predictions))
        if abs(value.mean() - scored.value) > 1e-6:
            raise UserError(
                f"{name}: numbers.json says {scored.value:.6f}, its predictions say {value.mean():.6f}; evaluate again"
            )
        values.append(value)
    return np.stack(values), np.unique(first.predictions.parent, return_inverse=True)[1]
