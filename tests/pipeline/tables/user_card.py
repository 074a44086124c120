"""The card of somebody's own files, for tests of what is said of them."""

from pipeline.cards import Card, Label


def card_of(labels: dict[str, Label], **files: int) -> Card:
    """Of a folder of somebody's own; files: how many of each split."""
    return Card(
        name="mine",
        kind="folder",
        root="/somewhere",
        modality="video",
        title="Mine",
        description="Files",
        licence="",
        citation="",
        labels=labels,
        splits=list(files),
        files=files,
    )
