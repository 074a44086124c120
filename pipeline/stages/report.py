"""report: tables (the lecture's, or of somebody's own files), the numbers for programs, what they cost, figures."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import eligibility, extra_inputs, paths
from pipeline.cards import read_card
from pipeline.dag import Dag
from pipeline.errors import UserError, did_you_mean
from pipeline.figures import decoded
from pipeline.figures import shown_clips as clips
from pipeline.figures.confusion import Answers, confusion
from pipeline.figures.contact_sheet import contact_sheet
from pipeline.figures.curves import curves
from pipeline.figures.search_results import searches_of
from pipeline.figures.searches import searches
from pipeline.figures.tuples import tuples
from pipeline.filenames import from_text
from pipeline.files import write_json, write_text
from pipeline.lineage import exclusions, fingerprints
from pipeline.lineage.exclusions import read_exclusions
from pipeline.lineage.receipts import open_receipt, read_receipt
from pipeline.parameters import Parameters, keys_of
from pipeline.parameters.models import class_paths
from pipeline.store import sample
from pipeline.store.index import read_index
from pipeline.tables import lecture as lectures
from pipeline.tables import numbers
from pipeline.tables.aliases import short_alias, with_seeds
from pipeline.tables.budgets import render_budgets
from pipeline.tables.lecture import read_lecture
from pipeline.tables.lecture_report import ReportContents, render_lecture_report
from pipeline.tables.metrics import metrics
from pipeline.tables.results import Result, read_result
from pipeline.tables.skipped_files import SkippedFile, counted, skipped_files
from pipeline.tables.skipped_runs import SkippedRuns
from pipeline.tables.tuple_counts import TupleCounts
from pipeline.tables.user_report import UserReport, render_user_report

SHEET_SIDE = 96  # px, of a frame
SHEET_WINDOWS = 24  # of somebody's own files
MOTION, TUPLES = "motion", 4  # of which strategy tuples are drawn, and how many
CONFUSED = "top1"  # the metric whose predictions are drawn


def report(parameters: Parameters, scale: str, dataset: str) -> None:
    """Writes the files of `paths.report_files`."""
    folder = paths.report(scale, dataset)
    outputs = [folder / name for name in paths.report_files(dataset)]
    table, figures, budget, sheet, curved, confused, over_motion, neighbours, retrieval = outputs
    dag = Dag(parameters)
    card = read_card(dataset)
    own = card.kind == "folder"
    evaluations = [path.parent for path in dag.evaluations(scale, dataset, "numbers.json")]
    runs = [path.parent for path in dag.runs(scale, dataset, "receipt.json")]
    indices = dag.indices(scale, dataset)
    rows = pd.concat([read_index(path) for path in indices], ignore_index=True)
    shown = sample.chosen(rows, card.main, SHEET_WINDOWS) if own else clips.of_each_class(rows, dataset)
    store = paths.decoded(scale, dataset)
    mined = {split: paths.tuples(scale, dataset, split) for split in card.splits}
    mined = {split: path for split, path in mined.items() if path in dag.data(scale, [dataset])}
    drawn = clips.of_strategy(read_index(mined["train"]), rows, MOTION, TUPLES) if mined else None
    looked_into = {*(shown["shard"] if own else ()), *(drawn["shard"] if drawn is not None else ())}
    shards = [store / f"{name}.arrow" for name in sorted(looked_into)]
    first_seed = [path for path in evaluations if paths.seed_of(path) == parameters.seeds[0]]
    found = searches_of(parameters, scale, first_seed)
    excluded = [paths.exclusions(scale, dataset, split) for split in card.splits]
    marked = hard_clips(scale, indices)
    with open_receipt(
        "report",
        receipt=folder / "receipt.json",
        inputs=[
            *(one / name for one in evaluations for name in ("numbers.json", "predictions.parquet")),
            *(run / "log.csv" for run in runs),
            *dict.fromkeys([*indices, *shards, *found.inputs]),
            *marked,
            *excluded,
            *mined.values(),
            *([] if own else [*map(from_text, shown["path"]), paths.TABLES, paths.PUBLISHED]),
            paths.card(dataset),
            fingerprints.check("report", parameters, scale),
        ],
        outputs=outputs,
        parameters=parameters.used(keys_of(parameters, "report", scale, dataset)),
        identity={"scale": scale, "dataset": dataset},
    ) as stage:
        results = [read_result(folder) for folder in evaluations]
        counts = [
            TupleCounts(split, notes["clips"], notes["tuples"], notes["clips_without"])
            for split, path in mined.items()
            for notes in [read_receipt(paths.receipt_beside(path))["notes"]]
        ]
        left = [read_exclusions(path) for path in excluded]
        trained = [read_receipt(run / "receipt.json") for run in runs]
        tested = [read_receipt(one / "receipt.json") for one in evaluations]
        receipts = {"trained": trained, "evaluated": tested}
        made = contents(parameters, scale, dataset, results, rows, left, counts, read_hard(marked), receipts)
        logs = {run.parent.name: pd.read_csv(run / "log.csv") for run in reversed(runs)}
        answered = answers(parameters, results, made.ids)
        mined_tuples = [] if drawn is None else clips.mined_tuples(drawn, store)
        if own:
            skipped_runs = SkippedRuns(*eligibility.not_run(parameters, scale, card)) | refused(trained, results)
            pictures = {
                curved.name: any(map(len, logs.values())),
                confused.name: answered,
                neighbours.name: found.within,
                retrieval.name: found.across,
                over_motion.name: mined_tuples,
            }
            not_empty = [name for name, content in pictures.items() if content]
            text = render_user_report(UserReport(card, made, skipped_runs, rows, small_batches(trained), not_empty))
            write_text(stage.partial(table), text)
            decoded.sheet(sample.windows(store, shown, card.main), stage.partial(sheet))
        else:
            lecture = read_lecture()
            lectures.check_aliases(lecture, parameters.runs, parameters.protocols)
            write_text(stage.partial(table), render_lecture_report(lecture, made))
            contact_sheet(clips.strips(shown, dataset, SHEET_SIDE), stage.partial(sheet))
        write_json(stage.partial(figures), metrics(made.measured, made.ids))
        write_text(stage.partial(budget), render_budgets(trained, tested))
        curves(dict(reversed(logs.items())), stage.partial(curved))
        confusion(answered, stage.partial(confused))
        searches([search.panel() for search in found.within], 3, stage.partial(neighbours))
        searches([search.panel() for search in found.across], 2, stage.partial(retrieval))
        tuples(mined_tuples, stage.partial(over_motion))
        stage.notes |= {"numbers": len(made.measured), "left_out": counted(made.skipped_files)}


def report_part(parameters: Parameters, scale: str, dataset: str, part: str) -> None:
    """Writes the tables of one part of the lecture, from the evaluations of its runs alone."""
    if part not in paths.PARTS:
        raise UserError(f"--part: unknown {part!r}{did_you_mean(part, paths.PARTS)}")
    folder, dag, card = paths.report(scale, dataset), Dag(parameters), read_card(dataset)
    evaluations = [path.parent for path in dag.evaluations(scale, dataset, "numbers.json", part)]
    indices = dag.indices(scale, dataset)
    excluded = [paths.exclusions(scale, dataset, split) for split in card.splits]
    marked = hard_clips(scale, indices)
    table = paths.part(folder, part)
    with open_receipt(
        "report",
        receipt=paths.receipt_beside(table),
        inputs=[
            *(one / name for one in evaluations for name in ("numbers.json", "predictions.parquet")),
            *indices,
            *marked,
            *excluded,
            paths.TABLES,
            paths.PUBLISHED,
            paths.card(dataset),
            fingerprints.check("report", parameters, scale),
        ],
        outputs=[table],
        parameters=parameters.used(keys_of(parameters, "report", scale, dataset)),
        identity={"scale": scale, "dataset": dataset, "part": part},
    ) as stage:
        rows = pd.concat([read_index(path) for path in indices], ignore_index=True)
        left = [read_exclusions(path) for path in excluded]
        results = [read_result(folder) for folder in evaluations]
        trained = [read_receipt(run / "receipt.json") for run in dag.runs(scale, dataset, "", part)]
        tested = [read_receipt(one / "receipt.json") for one in evaluations]
        receipts = {"trained": trained, "evaluated": tested}
        made = contents(parameters, scale, dataset, results, rows, left, [], read_hard(marked), receipts)
        lecture = read_lecture()
        lectures.check_aliases(lecture, parameters.runs, parameters.protocols)
        write_text(stage.partial(table), render_lecture_report(lecture, made, part))
        stage.notes |= {"numbers": len(made.measured)}


def related(parameters: Parameters) -> set[frozenset[str]]:
    """Pairs of runs, one of which trains the other's method among its own tasks."""
    of_method: dict[str, list[str]] = {}
    for name, run in parameters.runs.items():
        of_method.setdefault(run.train.method, []).append(name)
    return {
        frozenset((name, part))
        for name, run in parameters.runs.items()
        for path in class_paths(run.train.arguments)
        for part in of_method.get(path, [])
    }


def answers(parameters: Parameters, results: Sequence[Result], ids: Sequence[str]) -> list[Answers]:
    """Of every number `top1` of the first seed, what was answered. ids: every number that can be named."""
    found = []
    for result in results:
        one = result.evaluation
        if one.seed != parameters.seeds[0] or CONFUSED not in result.predictions:
            continue
        card = read_card(one.on)
        label = eligibility.label_of(parameters.protocols[one.protocol], card)
        id = next(one.id_of(scored) for scored in one.numbers if scored.metric == CONFUSED)
        answered = result.predictions[CONFUSED]
        found.append(Answers(short_alias(id, ids), card.labels[label].classes, answered.label, answered.prediction))
    return found


def refused(runs: list[dict[str, Any]], results: Sequence[Result]) -> SkippedRuns:
    """runs: their receipts. What the data did not allow, and why."""
    of_runs = {one["run"]: one["notes"]["refused"] for one in runs if "refused" in one["notes"]}
    evaluations = [result.evaluation for result in results]
    of_evaluations = {(one.run, one.protocol): one.refused for one in evaluations if one.refused}
    return SkippedRuns(of_runs, {}, {(run, by): why for (run, by), why in of_evaluations.items() if run not in of_runs})


def small_batches(runs: list[dict[str, Any]]) -> list[str]:
    """runs: their receipts. Which of them saw smaller batches than params.yaml has, for want of data; a line a run."""
    sizes: dict[str, list[int]] = {}
    for receipt in runs:
        if batch := receipt["notes"].get("batch_size"):
            sizes.setdefault(receipt["run"], []).append(batch)
    return [
        f"`{run}`: batches of {' or '.join(map(str, dict.fromkeys(of)))}, since there is no more to draw."
        for run, of in sizes.items()
    ]


def contents(
    parameters: Parameters,
    scale: str,
    dataset: str,
    results: Sequence[Result],
    rows: pd.DataFrame,
    excluded: list[dict[str, str]],
    tuple_counts: Sequence[TupleCounts],
    hard: Collection[str],
    receipts: Mapping[str, Sequence[dict[str, Any]]],
) -> ReportContents:
    """What the table prints, from the evaluations, the rows of every split, what was to be excluded, which clips are
    hard, and the receipts of what was `trained` and `evaluated`."""
    measured = numbers.measure(
        results,
        references=parameters.references(dataset),
        draws=parameters.bootstrap.draws,
        seed=parameters.bootstrap.seed,
        hard=hard,
    )
    pairs = numbers.between(
        results,
        references=parameters.references(dataset),
        related=related(parameters),
        draws=parameters.bootstrap.draws,
        seed=parameters.bootstrap.seed,
    )
    ids = with_seeds([id for result in results for id in result.evaluation.ids()])
    # A still, or a window of a file, may be excluded alone.
    there = {*rows["parent"], *rows["id"]}
    missing = [(clip, reason) for clips in excluded for clip, reason in clips.items() if clip not in there]
    unused = skipped_files(rows)
    unused += [
        SkippedFile(
            clip,
            f"named in {paths.EXCLUDED}, but not there at this scale{exclusions.hint(clip, reason, there)}",
            is_there=False,
        )
        for clip, reason in missing
    ]
    return ReportContents(
        scale,
        dataset,
        tuple(parameters.seeds),
        measured,
        pairs,
        ids,
        unused,
        tuple_counts,
        seen={name: examples_seen(parameters, scale, dataset, name) for name in {one.run for one in measured}},
        boxes=told_boxes(parameters, results),
        precision=precision(receipts),
    )


def examples_seen(parameters: Parameters, scale: str, dataset: str, run: str) -> int:
    """By the receipts of pretraining: entries that a run was trained on, and those that it begins with, each as often
    as it was seen; of the seed that saw most."""
    seen = 0
    for name in parameters.chain_of(run):
        on = parameters.placed(parameters.runs[name].train.on, dataset)
        folders = [paths.run(scale, on, name, seed) for seed in parameters.seeds]
        seen += max(read_receipt(folder / "receipt.json")["notes"]["images_seen"] for folder in folders)
    return seen


def told_boxes(parameters: Parameters, results: Sequence[Result]) -> set[tuple[str, str]]:
    """Runs and protocols whose numbers were told where the main object is, of datasets that know."""
    found = set()
    for one in (result.evaluation for result in results):
        train = parameters.runs[one.run].train
        trained = parameters.at(one.scale).schedules[train.schedule] is not None
        told = extra_inputs.told_boxes(
            parameters.probe(one.protocol), parameters.entry(one.run), train.arguments, trained
        )
        if told and extra_inputs.knows(read_card(one.dataset)):
            found.add((one.run, one.protocol))
    return found


def precision(receipts: Mapping[str, Sequence[dict[str, Any]]]) -> str:
    """By what was done, `trained` or `evaluated`, its receipts: a sentence on the precision that `auto` came to and the
    device."""
    parts = []
    for done, of in receipts.items():
        notes = [one["notes"] for one in of if one["notes"].get("precision")]
        kinds = dict.fromkeys(f"{note['precision']} ({note['device']})" for note in notes)
        if kinds:
            parts.append(f"{done} in {' and '.join(kinds)}")
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def hard_clips(scale: str, indices: Iterable[Path]) -> list[Path]:
    """The tables that say which clips are hard, of datasets that know, by their indices."""
    names = dict.fromkeys(index.parent.parent.name for index in indices)
    return [paths.annotations(scale, name, "clips") for name in names if extra_inputs.knows(read_card(name))]


def read_hard(tables: Iterable[Path]) -> frozenset[str]:
    """The ids of the hard clips."""
    found: set[str] = set()
    for path in tables:
        clips = pd.read_parquet(path, columns=["id", "hard"])
        found.update(clips["id"][clips["hard"]])
    return frozenset(found)
