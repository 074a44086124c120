"""report: tables (the lecture's, or of somebody's own files), the numbers for programs, a sheet of clips."""

from pathlib import Path

import pandas as pd

from pipeline import cards, eligibility, layout
from pipeline.dag import Dag
from pipeline.figures import decoded
from pipeline.figures.contact_sheet import contact_sheet
from pipeline.files import write_json, write_text
from pipeline.lineage import absent, exclusions, fingerprints, receipts
from pipeline.parameters import Parameters, keys_of
from pipeline.paths import from_text
from pipeline.stages import shown as clips
from pipeline.store import index, sample
from pipeline.tables import lecture as lectures
from pipeline.tables import markdown, numbers
from pipeline.tables import own as own_tables
from pipeline.tables.aliases import with_seeds
from pipeline.tables.left_out import LeftOut, counted, left_out
from pipeline.tables.metrics import metrics
from pipeline.tables.own import OwnReport

SHEET_SIDE = 96  # px, of a frame
SHEET_WINDOWS = 24  # of somebody's own files


def report(parameters: Parameters, scale: str, dataset: str) -> None:
    """Writes `table.md`, `metrics.json` and `figures/DATASET.png`."""
    folder = layout.report(scale, dataset)
    table, figures, sheet = folder / "table.md", folder / "metrics.json", folder / "figures" / f"{dataset}.png"
    dag = Dag(parameters)
    card = cards.read(dataset)
    own = card.kind == "folder"
    evaluations = [path.parent for path in dag.evaluations(scale, dataset, "numbers.json")]
    indices = dag.indices(scale, dataset)
    rows = pd.concat([index.read(path) for path in indices], ignore_index=True)
    shown = sample.chosen(rows, card.main, SHEET_WINDOWS) if own else clips.of_each_class(rows, dataset)
    shards = [layout.decoded(scale, dataset) / f"{name}.arrow" for name in sorted(shown["shard"].unique())]
    excluded = [layout.exclusions(scale, dataset, split) for split in card.splits]
    with receipts.open(
        "report",
        receipt=folder / "receipt.json",
        inputs=[
            *(one / name for one in evaluations for name in ("numbers.json", "predictions.parquet")),
            *indices,
            *excluded,
            *(shards if own else [*map(from_text, shown["path"]), layout.TABLES, layout.PUBLISHED]),
            layout.card(dataset),
            fingerprints.check("report", parameters, scale),
        ],
        outputs=[table, figures, sheet],
        parameters=parameters.used(keys_of("report", scale, dataset)),
        identity={"scale": scale, "dataset": dataset},
    ) as stage:
        made = contents(parameters, scale, dataset, evaluations, rows, [exclusions.read(path) for path in excluded])
        if own:
            not_run = eligibility.not_run(parameters, scale, card)
            notes = small_batches(dag.runs(scale, dataset, "receipt.json"))
            write_text(stage.partial(table), own_tables.render(OwnReport(card, made, not_run, rows, notes)))
            decoded.sheet(sample.windows(layout.decoded(scale, dataset), shown, card.main), stage.partial(sheet))
        else:
            lecture = lectures.read()
            lectures.check_runs(lecture, parameters.runs)
            write_text(stage.partial(table), markdown.render(lecture, made))
            contact_sheet(clips.strips(shown, dataset, SHEET_SIDE), stage.partial(sheet))
        write_json(stage.partial(figures), metrics(made.measured, made.ids))
        stage.notes |= {"numbers": len(made.measured), "left_out": counted(made.left_out)}


def small_batches(runs: list[Path]) -> list[str]:
    """runs: their receipts. Which of them saw smaller batches than params.yaml has, for want of data."""
    notes = []
    for path in runs:
        receipt = receipts.read(path)
        if batch := receipt["notes"].get("batch_size"):
            notes.append(
                f"`{receipt['run']}`, seed {receipt['seed']}: batches of {batch}, since there is no more to draw."
            )
    return notes


def contents(
    parameters: Parameters,
    scale: str,
    dataset: str,
    evaluations: list[Path],
    rows: pd.DataFrame,
    excluded: list[dict[str, str]],
) -> markdown.Report:
    """What the table prints, from the evaluations' folders, the rows of every split, and what was to be excluded."""
    results = [numbers.read_result(folder) for folder in evaluations]
    measured = numbers.measure(
        results,
        references=parameters.references(dataset),
        draws=parameters.bootstrap.draws,
        seed=parameters.bootstrap.seed,
    )
    pairs = numbers.between(
        results,
        references=parameters.references(dataset),
        draws=parameters.bootstrap.draws,
        seed=parameters.bootstrap.seed,
    )
    ids = with_seeds([id for result in results for id in result.evaluation.ids()])
    # A still, or a window of a file, may be excluded alone.
    there = {*rows["parent"], *rows["id"]}
    missing = [(clip, reason) for clips in excluded for clip, reason in clips.items() if clip not in there]
    unused = left_out(rows)
    unused += [
        LeftOut(
            clip,
            f"named in {layout.EXCLUDED}, but not there at this scale{absent.hint(clip, reason, there)}",
            is_there=False,
        )
        for clip, reason in missing
    ]
    return markdown.Report(scale, dataset, tuple(parameters.seeds), measured, pairs, ids, unused)
