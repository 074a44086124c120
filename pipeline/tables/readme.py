"""The README's table: a line a system, its main number beside that of the run that it is compared with."""

import json
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import write_text
from pipeline.parameters import Parameters
from pipeline.tables.markdown import grid, percent, points

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def excerpt(parameters: Parameters, metrics: dict[str, Any]) -> str:
    """metrics: of the report's metrics.json. Of each run that is compared with another, the first number of its first
    protocol; runs without a number are left out."""
    rows = []
    for name, run in parameters.runs.items():
        protocol = next(iter(run.evaluate), None)
        if protocol is None or run.evaluate[protocol] == name:
            continue
        found = _first_number(metrics["measured"], name, protocol)
        if found is None:
            continue
        metric, number = found
        other = _first_number(metrics["measured"], run.evaluate[protocol], protocol)
        gap = number.get("difference")
        rows.append(
            [
                f"`{name}`",
                f"`{protocol}.{metric}`",
                f"{percent(number['value'])} %",
                f"{percent(other[1]['value'])} %" if other else "",
                f"{points(gap['value'])} ({points(gap['low'])} to {points(gap['high'])})" if gap else "",
            ]
        )
    header = ["Run", "Number", "Measured", "Compared with", "Difference (95 % interval)"]
    return grid(header, rows, right=frozenset({2, 3}))


def _first_number(measured: dict[str, Any], run: str, protocol: str) -> tuple[str, dict[str, Any]] | None:
    for metric, number in measured.get(run, {}).get(protocol, {}).items():
        if isinstance(number, dict) and "value" in number:
            return metric, number
    return None


def refresh(readme: Path, metrics: Path, parameters: Parameters) -> None:
    """Raises UserError if the README lacks its marks or there are no numbers yet."""
    if not metrics.exists():
        raise UserError(f"{metrics}: missing; `snakemake {metrics.with_name('table.md')}` makes it")
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise UserError(f"{readme}: expected the marks {BEGIN} and {END}; put them where the table belongs")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    table = excerpt(parameters, json.loads(metrics.read_text(encoding="utf-8")))
    write_text(readme, f"{before}{BEGIN}\n{table}\n{END}{after}")


def is_current(readme: Path, metrics: Path, parameters: Parameters) -> bool:
    """Whether the README prints these numbers; so it does where it has no marks."""
    _, marked, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    return not marked or rest.partition(END)[0].strip() == excerpt(
        parameters, json.loads(metrics.read_text(encoding="utf-8"))
    )
