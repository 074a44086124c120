"""Which clips a report shows."""

import pandas as pd

from pipeline.figures.shown_clips import of_each_class


def rows(labels: list[tuple[str, str]], split: str = "train") -> pd.DataFrame:
    """labels: object and action of each clip."""
    objects, actions = zip(*labels, strict=True)
    ids = [f"toyworld/{split}/{number}" for number in range(len(labels))]
    return pd.DataFrame({"id": ids, "split": split, "reason": None, "label_object": objects, "label_action": actions})


def test_each_class_shows_another_action_where_it_can() -> None:
    table = rows([("horn", "jump"), ("bell", "jump"), ("bell", "wave"), ("horn", "fall"), ("drum", "jump")])
    shown = of_each_class(table, "toyworld")
    # Nothing but a jump is there of the drum.
    expected = [("bell", "jump"), ("drum", "jump"), ("horn", "fall")]
    assert list(zip(shown["label_object"], shown["label_action"], strict=True)) == expected


def test_neither_an_excluded_clip_nor_one_of_the_test_split_is_shown() -> None:
    table = pd.concat([rows([("bell", "wave")], "test"), rows([("bell", "jump"), ("bell", "fall")])], ignore_index=True)
    table.loc[1, "reason"] = "excluded: blurred"
    assert of_each_class(table, "toyworld")["label_action"].tolist() == ["fall"]
