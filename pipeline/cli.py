"""The command line: a verb a stage, and the auditor's verbs. Nothing heavy is imported until a verb runs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.parameters import Parameters

app = typer.Typer(
    help="Stages of the pipeline (called by Snakemake) and the auditor's verbs. Run from the repository's root.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

STAGES = "Stages, called by Snakemake's rules"
AUDITOR = "Lineage"
OWN = "Your own data"

Scale = Annotated[str, typer.Option(help="smoke, default or paper")]
Dataset = Annotated[str, typer.Option(help="a dataset with a card in data/cards/")]
Name = Annotated[str, typer.Option("--run", help="a run of params.yaml")]
Seed = Annotated[int, typer.Option()]
On = Annotated[str, typer.Option(help="the dataset that is evaluated on")]
Split = Annotated[str, typer.Option(help="train, validation or test")]


def _parameters() -> "Parameters":
    from pipeline.parameters import read_parameters

    return read_parameters()


def _prepared(scale: str | None = None) -> "Parameters":
    """For a stage that computes with torch: the process is set up before torch is imported."""
    from pipeline import process

    parameters = _parameters()
    process.prepare(parameters.at(scale or parameters.scale).threads)
    return parameters


@app.command(rich_help_panel=STAGES)
def fetch(scale: Scale, dataset: Dataset, workers: Annotated[int, typer.Option(min=1)] = 1) -> None:
    """Render or download a dataset's source files and list them with their hashes."""
    from pipeline.stages.fetch import fetch as stage

    stage(_parameters(), scale, dataset, workers)


@app.command(rich_help_panel=STAGES)
def crop(scale: Scale, dataset: Dataset) -> None:
    """Choose the stills of a dataset that is cut from another one's clips."""
    from pipeline.stages.crop import crop as stage

    stage(_parameters(), scale, dataset)


@app.command(rich_help_panel=STAGES)
def decode(scale: Scale, dataset: Dataset, split: Split, shard: Annotated[int, typer.Option(min=0)]) -> None:
    """Decode the files of one shard into the store."""
    from pipeline.stages.decode import decode as stage

    stage(_parameters(), scale, dataset, split, shard)


@app.command(rich_help_panel=STAGES)
def index(scale: Scale, dataset: Dataset, split: Split) -> None:
    """Join the rows of a split's shards; apply data/excluded.txt."""
    from pipeline.stages.index import index as stage

    stage(_parameters(), scale, dataset, split)


@app.command(rich_help_panel=STAGES)
def mine(scale: Scale, dataset: Dataset, split: Split) -> None:
    """Choose Shuffle & Learn's tuples of frames by their motion."""
    from pipeline.stages.mine import mine as stage

    stage(_parameters(), scale, dataset, split)


@app.command(rich_help_panel=STAGES)
def pretrain(scale: Scale, dataset: Dataset, run: Name, seed: Seed) -> None:
    """Pretrain a run."""
    parameters = _prepared(scale)
    from pipeline.stages.pretrain import pretrain as stage

    stage(parameters, scale, dataset, run, seed)


@app.command(rich_help_panel=STAGES)
def evaluate(
    scale: Scale,
    dataset: Dataset,
    run: Name,
    seed: Seed,
    on: On,
    protocols: Annotated[str, typer.Option(help="protocols of params.yaml, with commas between them")],
) -> None:
    """Evaluate a pretrained run under its protocols."""
    parameters = _prepared(scale)
    from pipeline.stages.evaluate import evaluate as stage

    stage(parameters, scale, dataset, run, seed, on, protocols.split(","))


@app.command(rich_help_panel=STAGES)
def report(
    scale: Scale, dataset: Dataset, part: Annotated[str, typer.Option(help="images, video or sound alone")] = ""
) -> None:
    """Print the lecture's tables with a measured column, the numbers and the figures; or the tables of one part."""
    from pipeline.stages.report import report as whole
    from pipeline.stages.report import report_part

    if part:
        report_part(_parameters(), scale, dataset, part)
    else:
        whole(_parameters(), scale, dataset)


@app.command(rich_help_panel=STAGES)
def publish(part: Annotated[str, typer.Option(help="images, video or sound alone")] = "") -> None:
    """Lay the report that params.yaml asks for, or one part of it, at reports/."""
    from pipeline.stages.publish import publish as stage

    stage(_parameters(), part)


@app.command(rich_help_panel=STAGES)
def shortcuts() -> None:
    """Report what gives labels away cheaply, and what can be learned of them."""
    parameters = _prepared()
    from pipeline.stages.shortcuts import shortcuts as stage

    stage(parameters)


@app.command(rich_help_panel=STAGES)
def reel() -> None:
    """Draw a few clips side by side, playing, with the waveforms of their sound."""
    from pipeline.stages.reel import reel as stage

    stage(_parameters())


@app.command(rich_help_panel=STAGES)
def fingerprint(scale: Annotated[str, typer.Option(help="as in params.yaml, if left out")] = "") -> None:
    """Refresh the small files that stand for the code, and for the exclusions, in both drivers."""
    from pipeline.lineage.dvc_sync import refresh
    from pipeline.lineage.exclusions import warnings

    parameters = _parameters()
    for path in refresh(parameters, scale or parameters.scale):
        typer.echo(f"changed: {path}")
    for line in warnings([scale or parameters.scale]):
        typer.echo(line, err=True)


@app.command(rich_help_panel=OWN)
def add(
    name: Annotated[str, typer.Argument(help="what the dataset is to be called: small letters, digits, - and _")],
    path: Annotated[Path, typer.Argument(help="the folder: its files, its classes, or train/ and test/ of them")],
    medium: Annotated[str, typer.Option(help="image, video or audio, where a folder has several")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="write a card anew that is there already")] = False,
) -> None:
    """Add a folder of your own videos, images or sounds: look into it and write its card. Nothing is copied."""
    from pipeline.user_data.add import add as verb

    verb(name, path, medium, replace)


@app.command(rich_help_panel=OWN)
def show(
    name: Annotated[str, typer.Argument(help="a dataset with a card in data/cards/")],
    scale: Annotated[str, typer.Option(help="as in params.yaml, if left out")] = "",
) -> None:
    """Print and draw what was decoded: a contact sheet, spectrograms, histograms of lengths and sizes."""
    from pipeline.user_data.show import show as verb

    parameters = _parameters()
    verb(parameters, scale or parameters.scale, name)


@app.command(rich_help_panel=AUDITOR)
def audit(
    number: Annotated[
        str, typer.Argument(help="rotation.linear.top1, a number's id, or its place in the table: 6.17")
    ] = "",
    file: Annotated[str, typer.Option(help="a clip, its id or a path to it: every number that it touched")] = "",
    verify: Annotated[bool, typer.Option("--verify", help="hash everything anew and hold it against dvc.lock")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the same for a program")] = False,
    scale: Annotated[str, typer.Option(help="as in params.yaml, if left out")] = "",
    dataset: Annotated[str, typer.Option(help="as in params.yaml, if left out")] = "",
) -> None:
    """Follow a number back to the data, code and parameters behind it, or a clip forward to its numbers."""
    from pipeline.lineage import audit as auditor
    from pipeline.lineage import audit_clip
    from pipeline.lineage.provenance import ReportedNumbers
    from pipeline.lineage.verify import verify as check

    parameters = _parameters()
    scale = scale or parameters.scale
    parameters.at(scale)
    dataset = dataset or (audit_clip.dataset_of(parameters, scale, file) if file else parameters.dataset)
    report = ReportedNumbers.collect(parameters, scale, dataset)
    if file:
        audit_clip.show_clip(report, file, as_json)
    elif number or not verify:
        auditor.show_number(report, number, as_json)
    if verify:
        check(report, number)


@app.command(rich_help_panel=AUDITOR)
def record() -> None:
    """Commit what Snakemake made to DVC, after making sure that Snakemake has nothing left to do."""
    from pipeline.lineage.dvc_sync import record as verb

    verb(_parameters())


@app.command(rich_help_panel=AUDITOR)
def restore() -> None:
    """After `git clone` and `dvc pull`: make both drivers see that everything is there."""
    from pipeline.lineage.dvc_sync import restore as verb

    verb()


@app.command(rich_help_panel=AUDITOR)
def readme() -> None:
    """Write a line a system into the README, from reports/metrics.json."""
    from pipeline import paths
    from pipeline.tables.readme import refresh

    refresh(Path("README.md"), paths.published_report() / "metrics.json", _parameters())


def main() -> None:
    """Run a verb; what a person can mend is one line on standard error and exit code 1."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
