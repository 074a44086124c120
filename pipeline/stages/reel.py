"""reel: a few training clips of params.yaml's dataset side by side, playing."""

import numpy as np

from pipeline import paths
from pipeline.cards import read_card
from pipeline.errors import UserError
from pipeline.figures.reel import reel as draw
from pipeline.figures.shown_clips import strips, unlike
from pipeline.filenames import from_text
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import open_receipt
from pipeline.parameters import Parameters, keys_of
from pipeline.store.index import read_index

CLIPS = 5  # as many as are as wide as a page


def reel(parameters: Parameters) -> None:
    """Writes `reports/figures/DATASET.webp`. Raises UserError for a dataset without films that sound, or without
    actions."""
    scale, dataset = parameters.scale, parameters.dataset
    path, card = paths.reel(dataset), read_card(dataset)
    if card.modality != "audio-visual" or "action" not in card.labels:
        raise UserError(
            f"{paths.card(dataset)}: a reel shows actions and their sound; expected modality audio-visual and a label "
            f"action, found {card.modality} and {', '.join(card.labels) or 'no label'}"
        )
    train = paths.index(scale, dataset, "train")
    shown = unlike(read_index(train), dataset, CLIPS)
    with open_receipt(
        "reel",
        receipt=paths.receipt_beside(path),
        inputs=[
            train,
            *map(from_text, shown["path"]),
            paths.card(dataset),
            fingerprints.check("reel", parameters, scale),
        ],
        outputs=[path],
        parameters=parameters.used(keys_of(parameters, "reel", scale, dataset)),
        identity={"scale": scale, "dataset": dataset},
    ) as stage:
        side = int(shown[["width", "height"]].to_numpy().min())
        frames_per_second = 1 / float(np.median(np.diff(shown["frame_times"].iloc[0])))
        draw(strips(shown, dataset, side), frames_per_second, stage.partial(path))
        stage.notes |= {"clips": list(shown["id"])}
