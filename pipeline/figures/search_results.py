"""What protocols that look for the nearest have found for a few test clips, read from the store to be drawn: the middle
frame, and all of the sound, where a protocol looked at a frame around the main object and a stretch of sound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import eligibility, paths
from pipeline.cards import read_card
from pipeline.figures.searches import Panel, Shown
from pipeline.parameters import Parameters
from pipeline.store import sample
from pipeline.store.index import read_index
from pipeline.tables.results import read_evaluation, read_predictions

PICTURE, SOUND, ACROSS = "picture", "sound", "ndcg_"
QUERIES, FOUND = 6, 5  # that are drawn: clips that ask, and for each of them


@dataclass(frozen=True)
class Search:
    """Of one number. title: its run, and for a search across modalities what asks for what. folder: of the shards.
    label: that alike clips have in common. rows: of the index, the clip that asks and after it those that were found,
    best first. asking, asked: PICTURE or SOUND."""

    title: str
    folder: Path
    label: str
    rows: Sequence[pd.DataFrame]
    asking: str
    asked: str

    def panel(self) -> Panel:
        """Read from the store."""
        drawn = []
        for rows in self.rows:
            asking, *found = sample.windows(self.folder, rows, self.label)
            drawn.append((_shown(asking, self.asking), [_shown(one, self.asked) for one in found]))
        return Panel(self.title, drawn)


@dataclass(frozen=True)
class Searches:
    """Those of some evaluations: `within` pictures, by neighbours, and `across` pictures and sounds, by retrieval.

    inputs: the files of the store that they are drawn from."""

    within: list[Search]
    across: list[Search]
    inputs: list[Path]


def searches_of(parameters: Parameters, scale: str, evaluations: Iterable[Path]) -> Searches:
    """evaluations: their folders. Raises UserError for predictions that are missing or broken."""
    made = Searches([], [], [])
    rows: dict[str, pd.DataFrame] = {}
    for folder in evaluations:
        table = read_predictions(folder, ["metric", "id", "label", "retrieved"])
        answered = table.filter(table["retrieved"].is_valid()).to_pandas()
        if answered.empty:
            continue
        evaluation = read_evaluation(folder)
        card, store = read_card(evaluation.on), paths.decoded(scale, evaluation.on)
        if evaluation.on not in rows:
            indices = [paths.index(scale, evaluation.on, split) for split in card.splits]
            made.inputs.extend(indices)
            rows[evaluation.on] = pd.concat(map(read_index, indices)).set_index("id", drop=False)
        label = eligibility.label_of(parameters.protocols[evaluation.protocol], card)
        for metric, some in answered.groupby("metric", observed=True, sort=False):
            chosen = some.sort_values("id").drop_duplicates("label").sort_values("label").head(QUERIES)
            shown = [rows[evaluation.on].loc[[one.id, *one.retrieved[:FOUND]]] for one in chosen.itertuples()]
            made.inputs.extend(store / f"{name}.arrow" for name in pd.concat(shown)["shard"].unique())
            if str(metric).startswith(ACROSS):
                asking, asked = str(metric).removeprefix(ACROSS).split("_")
                title = f"{evaluation.run}: {asking} to {asked}"
                made.across.append(Search(title, store, label, shown, asking, asked))
            else:
                made.within.append(Search(evaluation.run, store, label, shown, PICTURE, PICTURE))
    return made


def _shown(window: sample.Window, kind: str) -> Shown:
    """Its middle frame, or its sound."""
    if kind == SOUND:
        assert window.spectrogram is not None
        return Shown(window.label, np.asarray(window.spectrogram))
    assert window.frames is not None
    return Shown(window.label, window.frames[len(window.frames) // 2])
