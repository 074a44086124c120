"""table.md: published beside measured, empty where nothing is built, the same bytes every time."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.tables import aliases, lecture, lecture_report, metrics, numbers
from pipeline.tables.lecture import read_lecture
from pipeline.tables.lecture_report import ReportContents, render_lecture_report
from pipeline.tables.markdown import grid, points
from pipeline.tables.results import read_result
from pipeline.tables.skipped_files import SkippedFile

Write = Callable[..., Path]
REFERENCES = {(run, "toyworld", "linear"): "random" for run in ("random", "rotation", "supervised")}


@pytest.fixture(scope="module")
def the_lecture() -> lecture.Lecture:
    return read_lecture()


def report_of(folders: list[Path]) -> ReportContents:
    results = [read_result(folder) for folder in folders]
    return ReportContents(
        scale="smoke",
        dataset="toyworld",
        seeds=(0,),
        measured=numbers.measure(results, references=REFERENCES, draws=200, seed=0),
        between=numbers.between(results, references=REFERENCES, draws=200, seed=0),
        ids=aliases.with_seeds(id for result in results for id in result.evaluation.ids()),
        skipped_files=[
            SkippedFile("toyworld/test/000001", "excluded: consent withdrawn"),
            SkippedFile("toyworld/test/000002", "excluded: consent withdrawn"),
        ],
    )


@pytest.fixture
def report(evaluation: Write) -> ReportContents:
    return report_of([evaluation("random", right=60), evaluation("rotation", right=120)])


def cells_of(text: str, place: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {place} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_built_row_has_its_number_with_interval(the_lecture: lecture.Lecture, report: ReportContents) -> None:
    text = render_lecture_report(the_lecture, report)
    assert cells_of(text, "6.17") == ["6.17", "Rotation ²", "55.4 %, read", "60.0 % (53.0 to 67.0)"]
    assert cells_of(text, "14.1") == ["14.1", "Random", "18.3 %, lecture", "30.0 % (23.0 to 37.0)"]


def test_a_row_that_is_not_built_has_an_empty_cell(the_lecture: lecture.Lecture, report: ReportContents) -> None:
    text = render_lecture_report(the_lecture, report)
    assert cells_of(text, "3.4") == ["3.4", "Rotation", "54.4 %, read", ""]
    # Named in tables.yaml, but this report has no supervised run.
    assert cells_of(text, "6.1")[-1] == ""


def test_a_protocol_that_is_not_used_leaves_its_cells_empty(the_lecture: lecture.Lecture, evaluation: Write) -> None:
    report = report_of([evaluation("rotation", right=120)])
    other = replace(report.measured[0], id=report.measured[0].id.replace("/linear/", "/knn/"), protocol="knn")
    text = render_lecture_report(the_lecture, replace(report, measured=[other], between=[], ids=[other.id]))
    assert cells_of(text, "6.17")[-1] == ""


def test_every_row_of_every_table_is_there(the_lecture: lecture.Lecture, report: ReportContents) -> None:
    text = render_lecture_report(the_lecture, report)
    for place, table, row in the_lecture.rows():
        cells = cells_of(text, place)
        assert cells[1].startswith(row.label)
        assert len(cells) == 2 + 2 * len(table.columns)


def test_footnotes_and_notes_are_printed(the_lecture: lecture.Lecture, report: ReportContents) -> None:
    words = " ".join(render_lecture_report(the_lecture, report).split())
    for table in the_lecture.tables:
        for footnote in table.footnotes.values():
            assert " ".join(footnote.split()) in words
    for note in the_lecture.notes:
        assert " ".join(note.split()) in words


def test_differences_exclusions_and_overlap_are_printed(the_lecture: lecture.Lecture, report: ReportContents) -> None:
    text = render_lecture_report(the_lecture, report)
    (line,) = [line for line in text.splitlines() if line.startswith("| `rotation.linear.top1`") and "block3" in line]
    assert re.search(r"\| 60\.0 % \(53\.0 to 67\.0\) +\| 25\.0 % \| \+30\.0 \(\+2\d\.\d to \+3\d\.\d\)\* ", line)
    assert re.search(r"\| `toyworld/test/000002` +\| excluded: consent withdrawn +\|", text)
    assert "### Overlap\n" in text
    assert re.search(r"\| `rotation` +\| `linear` +\| +800 +\| +0 +\| +0 +\|", text)


def test_a_run_has_one_row_of_overlap_unless_its_protocols_differ(report: ReportContents) -> None:
    (first,) = [one for one in report.measured if one.run == "rotation"]
    alike, other = replace(first, protocol="knn"), replace(first, protocol="order", overlap={"test": 2})
    *_, table = lecture_report.overlap_section(replace(report, measured=[first, alike, first, other]))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert rows == [["`rotation`", "`linear`, `knn`", "800", "0", "0"], ["`rotation`", "`order`", "0", "0", "2"]]


def test_a_difference_between_runs_says_what_is_taken_from_what(evaluation: Write) -> None:
    folders = [evaluation("random", right=60), evaluation("rotation", right=120), evaluation("supervised", right=140)]
    *_, table = lecture_report.between_runs(report_of(folders))
    assert re.match(r"\| Number +\| Minus +\| Difference +\|", table)
    assert re.search(r"\| `supervised\.linear\.top1` +\| `rotation\.linear\.top1` +\| \+10\.0 ", table)


def test_the_values_of_seeds_stand_beside_what_their_interval_is_over(evaluation: Write) -> None:
    folders = [evaluation("rotation", right=right, seed=seed) for seed, right in enumerate((120, 140, 130))]
    report = replace(report_of(folders), seeds=(0, 1, 2))
    text = lecture_report.measured_here(report)[0]
    assert re.search(r"\| Value +\| Each seed +\|", text)
    assert re.search(r"\| 65\.0 % \(5\d\.\d to 7\d\.\d\) +\| 60\.0, 70\.0, 65\.0 +\|", text)
    assert "Each seed" not in lecture_report.measured_here(report_of(folders[:1]))[0]
    assert lecture_report.over((0, 1)) == "clips and seeds"
    assert lecture_report.over((0,)).startswith("clips alone")


def test_an_error_is_printed_in_its_own_unit_beside_a_trivial_one(report: ReportContents) -> None:
    first = report.measured[0]
    error = replace(
        first, id=first.id.replace("/top1", "/error"), value=0.01234, low=0.012, high=0.0127, chance=None, trivial=0.345
    )
    table, legend, *_ = lecture_report.measured_here(replace(report, measured=[error], ids=[error.id]))
    assert re.search(r"\| 0\.0123 \(0\.012 to 0\.0127\) +\| trivial 0\.345 +\|", table)
    assert "Error: less is better" in " ".join(legend.split())


def test_boxes_edges_and_budgets_are_marked(evaluation: Write) -> None:
    rights = {"random": 60, "rotation": 120, "supervised": 140}
    report = report_of([evaluation(run, right=right) for run, right in rights.items()])
    plain = "".join(lecture_report.measured_here(report) + lecture_report.between_runs(report))
    assert not any(mark in plain for mark in "ᵇᵉ†")
    at_edge = [replace(one, at_edge=one.run == "random") for one in report.measured]
    seen = {"random": 0, "rotation": 11_200, "supervised": 76_800}
    marked = replace(report, measured=at_edge, seen=seen, boxes={("rotation", "linear")})
    table, legend, *_ = lecture_report.measured_here(marked)
    (rotation,) = [line for line in table.splitlines() if "rotation" in line]
    assert "`rotation.linear.top1`ᵇ" in rotation
    assert "11,200" in rotation
    assert "block3ᵉ" in next(line for line in table.splitlines() if "random" in line)
    assert "ᵇ: told by the dataset" in " ".join(legend.split())
    _, note, between = lecture_report.between_runs(marked)
    assert "†: the two have seen different numbers" in " ".join(note.split())
    assert "†" in between


def test_ordinary_and_hard_clips_are_told_apart(evaluation: Write) -> None:
    # Of 200 clips the first 120 are right: of the first hundred all, of the second a fifth.
    result = read_result(evaluation("rotation", right=120))
    hard = {f"toyworld/test/{number:06d}" for number in range(100, 200)}
    (number,) = numbers.measure([result], references={}, draws=200, seed=0, hard=hard)
    assert number.ordinary is not None
    assert number.hard is not None
    assert (number.value, number.ordinary.value, number.hard.value) == (0.6, 1.0, pytest.approx(0.2))
    report = report_of([evaluation("random", right=60)])
    _, _, table = lecture_report.hard_clips(replace(report, measured=[number], ids=[number.id]))
    assert re.search(r"\| `rotation\.linear\.top1` +\| 100\.0 % .* \| 20\.0 % \(1\d\.\d to 2\d\.\d\) \|", table)
    assert lecture_report.hard_clips(report) == []


def test_two_renders_are_equal_and_carry_no_date(the_lecture: lecture.Lecture, report: ReportContents) -> None:
    text = render_lecture_report(the_lecture, report)
    assert text == render_lecture_report(the_lecture, report)
    assert not re.search(r"20\d\d-\d\d-\d\d|\d\d:\d\d", text)


def test_the_smoke_table_says_that_its_numbers_mean_nothing(
    the_lecture: lecture.Lecture, report: ReportContents
) -> None:
    words = "**At scale `smoke` the numbers mean nothing**"
    introduction, _, _ = render_lecture_report(the_lecture, report).partition("## Measured here")
    assert words in introduction
    assert words not in render_lecture_report(the_lecture, replace(report, scale="default"))


def test_one_clip_is_spoken_of_as_one(the_lecture: lecture.Lecture, report: ReportContents) -> None:
    one = replace(report, skipped_files=report.skipped_files[:1])
    assert "\n1 clip or file is used by no number" in render_lecture_report(the_lecture, one)
    assert "\n2 clips or files are used by no number" in render_lecture_report(the_lecture, report)


def test_a_report_without_numbers_is_still_the_lecture(the_lecture: lecture.Lecture) -> None:
    text = render_lecture_report(the_lecture, ReportContents("smoke", "toyworld", (0,), [], [], [], []))
    assert cells_of(text, "6.17")[-1] == ""


def test_a_cell_that_could_be_two_numbers_is_an_error(the_lecture: lecture.Lecture, evaluation: Write) -> None:
    report = report_of(
        [
            evaluation("random", right=60),
            evaluation("random", right=60, on="stills"),
        ]
    )
    with pytest.raises(UserError, match="could mean 2 numbers"):
        render_lecture_report(the_lecture, report)


def test_columns_line_up_in_the_raw_text() -> None:
    lines = grid(["#", "a|b"], [["1", "long cell"], ["10", ""]], right=frozenset({0})).splitlines()
    assert lines == ["|   # | a\\|b      |", "| --: | --------- |", "|   1 | long cell |", "|  10 |           |"]


def test_a_difference_that_rounds_to_nothing_has_no_sign() -> None:
    assert [points(value) for value in (0.1234, -0.1234, -0.0001, 0.0001)] == ["+12.3", "-12.3", "0.0", "0.0"]


def test_metrics_are_nested_by_alias_and_rounded(report: ReportContents) -> None:
    found = metrics.metrics(report.measured, report.ids)
    assert found == metrics.metrics(report.measured, report.ids)
    top1 = found["measured"]["rotation"]["linear"]["top1"]
    assert (top1["value"], top1["low"], top1["high"], top1["chance"]) == (0.6, 0.53, 0.67, 0.25)
    assert top1["difference"]["value"] == 0.3
    assert "difference" not in found["measured"]["random"]["linear"]["top1"]
    assert found["ids"] == sorted(report.ids)
