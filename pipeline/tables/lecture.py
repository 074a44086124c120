"""`data/tables.yaml` and `data/published.csv`: what the lecture's tables say, and which of our numbers go there."""

import csv
import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pipeline import paths
from pipeline.errors import UserError, did_you_mean
from pipeline.validation import Strict, load, validate

ALIAS = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
PLACE = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def _mapping(value: Any) -> Any:
    return {} if value is None else value


Cells = Annotated[dict[str, str], BeforeValidator(_mapping)]
"""What stands under each column; `null` in the file means under none."""


class Published(Strict):
    """One line of published.csv: one value that somebody reported."""

    key: str = Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")
    system: str
    paper: str
    year: int
    dataset: str
    protocol: str
    metric: str
    value: str
    unit: str
    source: str
    in_lecture: str
    confidence: Literal["read", "second-hand", "lecture", "recalled"]


class Column(Strict):
    """`comparable`: PROTOCOL.METRIC of ours that is the same kind of measurement, or null where there is none."""

    name: str
    comparable: str | None

    @property
    def protocol(self) -> str | None:
        """Ours whose numbers may stand here."""
        return self.comparable and self.comparable.split(".")[0]


class Row(Strict):
    """`published`: column -> key of published.csv. `measured`: column -> alias of a number."""

    label: str
    published: Cells
    measured: Cells
    footnotes: tuple[str, ...] = ()


class Table(Strict):
    """One table, chart or plotted result of the lecture."""

    id: str = Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")
    slide: str
    part: Literal["A", "B", "C"]
    caption: str
    citation: str
    columns: list[Column] = Field(min_length=1)
    footnotes: dict[str, str]
    rows: list[Row] = Field(min_length=1)


class Contents(Strict):
    """The whole of tables.yaml. `notes` are about the lecture, not about one table."""

    notes: list[str]
    tables: list[Table] = Field(min_length=1)


@dataclass(frozen=True)
class Lecture:
    """The lecture's tables, with the published values by key."""

    notes: list[str]
    tables: list[Table]
    published: Mapping[str, Published]

    def rows(self) -> Iterator[tuple[str, Table, Row]]:
        """Every row with its place (`3.4`: fourth row of the third table) and its table."""
        for number, table in enumerate(self.tables, 1):
            for position, row in enumerate(table.rows, 1):
                yield f"{number}.{position}", table, row


def read_lecture(tables: Path = paths.TABLES, published: Path = paths.PUBLISHED) -> Lecture:
    """Raises UserError for a file, key, column, footnote or alias that does not fit."""
    contents = load(Contents, tables)
    lecture = Lecture(contents.notes, contents.tables, _read_published(published))
    _check(lecture, str(tables), str(published))
    return lecture


def check_aliases(
    lecture: Lecture, runs: Collection[str], protocols: Collection[str], file: str = str(paths.TABLES)
) -> None:
    """runs, protocols: those of params.yaml. Without this a misspelt one would be an empty cell for ever. Raises
    UserError."""
    for place, table, row in lecture.rows():
        columns = {column.name: column for column in table.columns}
        for name, alias in row.measured.items():
            run, protocol = alias.split(".")[0], columns[name].protocol
            where = f"{file}: {table.id}, row {place} ({row.label}): measured: {alias!r} must"
            if run not in runs:
                raise UserError(
                    f"{where} begin with a run of {paths.PARAMETERS}, which has no {run!r}{did_you_mean(run, runs)}"
                )
            if protocol not in protocols:
                raise UserError(
                    f"{where} name a protocol of {paths.PARAMETERS}, which has no "
                    f"{protocol!r}{did_you_mean(str(protocol), protocols)}"
                )


def alias_at(lecture: Lecture, place: str) -> str:
    """The alias that stands at a place: `3.4`, or `3.4.2` for the second column of a row with several built cells.

    Raises UserError for a place that the lecture does not have, and for one where nothing is measured."""
    match = PLACE.fullmatch(place)
    if match is None:
        raise UserError(f"{place!r} is no place in the table; expected TABLE.ROW, such as 3.4")
    rows = {at: (table, row) for at, table, row in lecture.rows()}
    at = f"{int(match[1])}.{int(match[2])}"
    if at not in rows:
        number = int(match[1])
        tables = len(lecture.tables)
        has = f"table {number} has {len(lecture.tables[number - 1].rows)} rows" if 1 <= number <= tables else ""
        raise UserError(f"{place}: there is no such row: {has or f'the lecture has tables 1 to {tables}'}")
    table, row = rows[at]
    columns = [column.name for column in table.columns]
    built = {columns.index(name) + 1: alias for name, alias in row.measured.items()}
    if match[3] is not None:
        built = {position: alias for position, alias in built.items() if position == int(match[3])}
    if not built:
        raise UserError(f"{place}: {table.slide!r}, {row.label!r}: nothing is measured there yet; its cell is empty")
    if len(built) > 1:
        choices = ", ".join(f"{at}.{position} ({columns[position - 1]})" for position in sorted(built))
        raise UserError(f"{place}: {row.label!r} has several measured cells: choose one of {choices}")
    return next(iter(built.values()))


def _read_published(path: Path) -> dict[str, Published]:
    try:
        # newline="": the file has the line ends of the CSV standard, and csv wants to see them.
        with path.open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
    except FileNotFoundError:
        raise UserError(f"{path}: not found; it is part of the repository: check it out again") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a readable CSV file ({error}); check it out again") from None
    published: dict[str, Published] = {}
    for number, line in enumerate(lines, 2):
        one = validate(Published, {str(name): value for name, value in line.items()}, f"{path}:{number}")
        if one.key in published:
            raise UserError(f"{path}:{number}: key: {one.key!r} stands there twice; give one of them another name")
        published[one.key] = one
    return published


def _check(lecture: Lecture, file: str, published_file: str) -> None:
    ids = [table.id for table in lecture.tables]
    for number, identity in enumerate(ids, 1):
        if ids.index(identity) + 1 != number:
            raise UserError(f"{file}: tables: id {identity!r} stands there twice; give one of them another name")
    for place, table, row in lecture.rows():
        here = f"{file}: {table.id}, row {place} ({row.label})"
        columns = {column.name: column for column in table.columns}
        for field, cells in (("published", row.published), ("measured", row.measured)):
            for name in cells:
                if name not in columns:
                    raise UserError(f"{here}: {field}: unknown column {name!r}{did_you_mean(name, columns)}")
        for key in row.published.values():
            if key not in lecture.published:
                # did_you_mean would list all of the file's keys where none is near.
                near = difflib.get_close_matches(key, lecture.published, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "take one from its first column"
                raise UserError(f"{here}: published: {published_file} has no key {key!r}; {hint}")
        for name in row.footnotes:
            if name not in table.footnotes:
                hint = did_you_mean(name, table.footnotes) if table.footnotes else "; the table has none"
                raise UserError(f"{here}: footnotes: unknown {name!r}{hint}")
        for name, alias in row.measured.items():
            _check_alias(alias, columns[name], f"{here}: measured: {name}")


def _check_alias(alias: str, column: Column, here: str) -> None:
    """A number may stand only beside published values of its own kind."""
    if not ALIAS.fullmatch(alias):
        raise UserError(f"{here}: {alias!r} is not an alias; expected names joined by dots, as in rotation.linear.top1")
    if column.comparable is None:
        raise UserError(
            f"{here}: {alias!r}: nothing of ours is of this column's kind (comparable: null): leave it null"
        )
    parts, wanted = alias.split("."), column.comparable.split(".")
    if not contains(parts, wanted) or parts[-1] != wanted[-1]:
        raise UserError(f"{here}: {alias!r} is of another kind than the column; expected RUN.{column.comparable}")


def contains(parts: list[str], wanted: list[str]) -> bool:
    """Whether `wanted` is a subsequence of `parts`: all of it, in its order, other parts between allowed."""
    remaining = iter(parts)
    return all(part in remaining for part in wanted)
