"""add: look into a folder of somebody's own files, say what is there, write its card. Copies nothing."""

import os
import re
from pathlib import Path

from pipeline import paths
from pipeline.cards import Card, read_card
from pipeline.datasets.folder.formats import ENDINGS
from pipeline.errors import UserError, did_you_mean
from pipeline.filenames import to_text
from pipeline.files import partial, write_text
from pipeline.parameters import read_parameters
from pipeline.user_data.card_text import card_text
from pipeline.user_data.description import describe
from pipeline.user_data.folder_scan import scan_folder
from pipeline.user_data.inspect_file import Limits
from pipeline.validation import load

NAME = re.compile("[a-z0-9][a-z0-9_-]*")
RESERVED = ("fingerprints", "logs", "benchmarks")
"""Folders beside those of the datasets under `runs/`."""


def add(name: str, path: Path, medium: str, replace: bool) -> None:
    """Writes `data/cards/NAME.yaml` and prints what was found.

    medium: the one to take of several, empty where there is one. Raises UserError for a name that cannot be used or is
    taken, and for a folder of which nothing can be used.
    """
    if not paths.PARAMETERS.exists():
        raise UserError(f"{paths.PARAMETERS}: not found in {Path.cwd()}; run from the repository's root")
    card = paths.card(name) if NAME.fullmatch(name) else None
    if card is None or name in RESERVED or len(name) > 60:
        wanted = f"a name other than {', '.join(RESERVED)}, of at most 60" if name in RESERVED else "at most 60"
        raise UserError(
            f"{to_text(name)!r}: expected {wanted} small letters, digits, - and _, a letter or digit first: "
            "it becomes part of file names"
        )
    if card.exists():
        if read_card(name).kind != "folder":
            raise UserError(f"{card}: is there already, and is no folder of somebody's own; choose another name")
        if not replace:
            raise UserError(f"{card}: is there already; choose another name, or count anew with `add --replace`")
    if medium and medium not in ENDINGS:
        raise UserError(f"--medium: expected {', '.join(ENDINGS)}, found {medium!r}{did_you_mean(medium, ENDINGS)}")
    read = read_parameters()
    store = read.at(read.scale).store
    limits = Limits(store.max_pixels, store.file_seconds, store.file_memory_mb)
    found = scan_folder(path, next((one for one in ENDINGS if one == medium), None), limits)
    text = card_text(name, _root(path), found)
    # Read back before it gets its name: a card that this program wrote must be one that it can read.
    draft = partial(card)
    write_text(draft, text)
    try:
        load(Card, draft)
        draft.replace(card)
    finally:
        draft.unlink(missing_ok=True)
    describe(name, found)


def _root(path: Path) -> str:
    """Inside the repository relative to it, so that both can be moved together; elsewhere absolute. Links are kept."""
    absolute = Path(os.path.normpath(path.absolute()))
    here = Path.cwd()
    return to_text(absolute.relative_to(here) if absolute.is_relative_to(here) and absolute != here else absolute)
