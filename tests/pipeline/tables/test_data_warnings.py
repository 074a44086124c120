"""What numbers on somebody's own files are to be held against."""

from dataclasses import replace

import pandas as pd

from pipeline.cards import Label
from pipeline.tables.data_warnings import data_warnings
from pipeline.tables.duplicates import duplicates
from pipeline.tables.numbers import Measured
from tests.pipeline.tables.user_card import card_of

NUMBER = Measured(
    id="smoke/mine/rotation/seeds/mine/linear/block3/top1",
    run="rotation",
    protocol="linear",
    seeds=(0,),
    layers=("block3",),
    value=0.5,
    low=0.4,
    high=0.6,
    chance=0.5,
    ceiling=None,
    count=12,
    clips=12,
    difference=None,
    overlap={},
)
SEARCHED = replace(
    NUMBER, id="smoke/mine/ave_net/seeds/mine/retrieval/embedding/ndcg_picture_sound", protocol="retrieval"
)
CARD = card_of({"class": Label(of="clip", classes=["a", "b", "c"])}, train=1, test=1)


def rows_of(train: str, test: str, windows: int = 1) -> pd.DataFrame:
    """train, test: the class of each file. A file's bytes are told by its number in its split: none are alike."""
    made = [
        {"parent": f"mine/{split}/{number}", "split": split, "label_class": label, "origin": f"{split}{number}"}
        for split, labels in (("train", train), ("test", test))
        for number, label in enumerate(labels)
        for _ in range(windows)
    ]
    return pd.DataFrame(made).assign(reason=None)


def said(rows: pd.DataFrame, *measured: Measured) -> list[str]:
    return data_warnings(CARD, rows, measured, duplicates(rows, "class"))


def test_the_largest_class_is_what_shares_of_right_classes_are_held_against() -> None:
    rows = rows_of("abc", "aaaaaaabbbcc")
    (told,) = said(rows, NUMBER, SEARCHED)
    assert told.startswith("**Largest class**: 58.3 % of the test windows are of `a`. Whoever always named it")
    assert told.endswith("not chance, is what a `top1` has to exceed.")
    assert said(rows, SEARCHED) == []


def test_what_cannot_be_asked_is_counted() -> None:
    rows = rows_of("abc", "aaaaaaaaabc", windows=2)
    (told,) = said(rows, SEARCHED)
    assert told.startswith(
        "**Searches left out**: in `retrieval`, of 22 test windows 4 do not ask, since no other test"
    )
    assert "(`b`, `c`)" in told
    (told,) = said(rows_of("abc", "aaaaaaaaabbc"), SEARCHED)
    assert "of 12 test windows 1 does not ask" in told
    assert said(rows_of("abc", "aaaaaaabbbcc"), SEARCHED) == []


def test_training_files_among_those_of_test_are_named() -> None:
    rows = rows_of("abc", "aaaaaaabbbcc")
    rows.loc[rows["parent"].isin(["mine/test/0", "mine/test/7"]), "origin"] = ["train0", "train2"]
    (told,) = said(rows)
    pairs = "`mine/test/0` is `mine/train/0`, `mine/test/7` is `mine/train/2`"
    assert told.startswith(f"**Leak**: of 12 test files 2 are training files too, byte for byte ({pairs}); ")
    rows.loc[rows["parent"] == "mine/train/0", "reason"] = "excluded: twice"
    (told,) = said(rows)
    assert "of 12 test files 1 is a training file too" in told


def test_files_of_test_alone_are_no_leak() -> None:
    rows = rows_of("abc", "aaaaaaabbbcc")
    rows.loc[rows["parent"] == "mine/test/1", "origin"] = "test0"
    assert said(rows) == []
