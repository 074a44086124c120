"""What no number uses: files count once, are named before they are counted, with the reason as it was written."""

import pandas as pd

from pipeline.tables.skipped_files import SHOWN, SkippedFile, counted, named, partly, skipped_files


def test_a_file_that_is_left_out_counts_once_however_many_windows_it_has() -> None:
    index = pd.DataFrame(
        {
            "parent": [
                "toyworld/train/1",
                "toyworld/train/1",
                "toyworld/train/2",
                "toyworld/test/3",
                "toyworld/test/4",
            ],
            "reason": ["truncated", "truncated", "truncated", "excluded: spoilt", None],
        }
    )
    found = skipped_files(index)
    assert found == [
        SkippedFile("toyworld/test/3", "excluded: spoilt"),
        SkippedFile("toyworld/train/1", "truncated"),
        SkippedFile("toyworld/train/2", "truncated"),
    ]
    assert counted(found) == 3


def test_files_that_are_left_out_are_named_before_they_are_counted() -> None:
    files = [SkippedFile(f"mine/train/{number}", f"holds {number} of its 9 frames") for number in range(SHOWN + 5)]
    table, *rest = named(files)
    assert f"`mine/train/{SHOWN - 1}`" in table
    assert f"`mine/train/{SHOWN}`" not in table
    assert rest == ["- and 5 more: holds N of its N frames"]


def test_a_reason_is_shown_as_it_was_written() -> None:
    (table,) = named([SkippedFile("mine/train/a", "excluded: `rm` <img> *me* [x](y) _so_ &lt;")])
    assert r"excluded: \`rm\` \<img> \*me\* \[x](y) \_so\_ \&lt;" in table


def test_a_file_of_which_something_is_used_is_left_out_in_part() -> None:
    parents = ["mine/train/1", "mine/train/1", "mine/train/1", "mine/train/2"]
    found = skipped_files(pd.DataFrame({"parent": parents, "reason": ["excluded: a", None, "excluded: b", "cut"]}))
    assert [one.in_part for one in found] == [True, True, False]
    assert (counted(found), partly(found)) == (2, 1)
