"""`data/excluded.txt`: clips that may touch no later number, by split, so that only what they touched is redone; and
lines of it that exclude nothing, because what they name is not in the data."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline import cards, paths
from pipeline.errors import UserError, did_you_mean, nearest
from pipeline.files import write_text

SHOWN = 8
"""Lines that are named, before the rest is counted."""
COMPARED = 20_000
"""Names that are searched for a near one, at most: some tenths of a second a line."""


@dataclass(frozen=True)
class Line:
    """clip: DATASET/SPLIT/NAME, of a clip, a still or (with @) a window. number: in the file, from 1."""

    number: int
    clip: str
    reason: str


def read_exclusions(path: Path = paths.EXCLUDED) -> dict[str, str]:
    """Reason by clip id. Raises as `lines` does."""
    return {line.clip: line.reason for line in lines(path)}


def lines(path: Path = paths.EXCLUDED) -> list[Line]:
    """Raises UserError for a line whose first word names no split, or that gives no reason."""
    found = []
    try:
        texts = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from None
    for number, text in enumerate(texts, 1):
        if not text.strip() or text.startswith("#"):
            continue
        clip, reason = [*text.split(maxsplit=1), ""][:2]
        parts = clip.split("/", 2)
        if len(parts) != 3 or parts[1] not in paths.SPLITS or not all(parts):
            raise UserError(
                f"{path}:{number}: expected DATASET/SPLIT/NAME (split {', '.join(paths.SPLITS)}) and a reason, found "
                f"{clip!r}; a space in a name is written %20, as `audit` prints it"
            )
        if not reason.strip():
            raise UserError(f"{path}:{number}: {clip} has no reason; write one behind it")
        found.append(Line(number, clip, reason.strip()))
    return found


def of(scale: str, dataset: str, split: str) -> list[Path]:
    """What concerns a split of a dataset: its own exclusions and, for stills, those of the clips they are cut from."""
    parent = cards.parent(dataset)
    return [paths.exclusions(scale, name, split) for name in (dataset, parent) if name]


def refresh(scale: str, datasets: list[str]) -> list[Path]:
    """Write the part of every split that has changed; returns the written."""
    read_lines = lines()
    for line in read_lines:
        dataset = line.clip.partition("/")[0]
        if dataset not in datasets:
            raise UserError(
                f"{paths.EXCLUDED}:{line.number}: {line.clip}: there is no dataset {dataset!r}"
                f"{did_you_mean(dataset, datasets)}"
            )
    reasons = {line.clip: line.reason for line in read_lines}
    written = []
    for dataset in datasets:
        for split in paths.SPLITS:
            path = paths.exclusions(scale, dataset, split)
            mine = sorted((clip, reason) for clip, reason in reasons.items() if clip.startswith(f"{dataset}/{split}/"))
            text = "".join(
                f"{clip} {reason}\n" for clip, reason in [("#", "clips of this split that are excluded"), *mine]
            )
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                write_text(path, text)
                written.append(path)
    return written


def meant(clip: str, reason: str, ids: Collection[str]) -> str | None:
    """What was probably meant by an id that is none of `ids`: its name written with spaces, so that the rest of it went
    into the reason; the same name in another split; a name much like it."""
    dataset, split, name = clip.split("/", 2)
    words = [clip, *reason.split()]
    spaced = ("%20".join(words[:count]) for count in range(len(words), 1, -1))
    elsewhere = (f"{dataset}/{other}/{name}" for other in paths.SPLITS if other != split)
    for one in (*spaced, *elsewhere):
        if one in ids:
            return one
    # Names alone are compared: with what all have in common any two would be near.
    here = f"{dataset}/{split}/"
    near = nearest(name, [one.removeprefix(here) for one in ids if one.startswith(here)][:COMPARED])
    return near and here + near


def hint(clip: str, reason: str, ids: Collection[str]) -> str:
    """`; did you mean 'x'?`, or nothing."""
    near = meant(clip, reason, ids)
    return f"; did you mean {near!r}?" if near else ""


def warnings(scales: Iterable[str]) -> list[str]:
    """A line for each of `data/excluded.txt` whose dataset is listed at some of the scales, but at none with what the
    line names. Raises UserError as reading does."""
    listed: dict[str, dict[str, set[str]]] = {}
    found = []
    for line in lines():
        dataset = line.clip.partition("/")[0]
        if dataset not in listed:
            listings = {scale: paths.raw(scale, dataset) / "files.parquet" for scale in scales}
            listed[dataset] = {scale: _ids(path) for scale, path in listings.items() if path.exists()}
        ids = set().union(*listed[dataset].values())
        if listed[dataset] and line.clip.partition("@")[0] not in ids:
            where = f"{dataset} as listed at scale {' and '.join(listed[dataset])}"
            found.append((line, where, ids))
    told = [
        _told(line.number, line.clip, where, hint(line.clip, line.reason, ids)) for line, where, ids in found[:SHOWN]
    ]
    return told + [f"warning: {paths.EXCLUDED}: {len(found) - SHOWN} more lines name what is not there"] * (
        len(found) > SHOWN
    )


def warnings_of(clips: Iterable[str], scale: str, ids: Collection[str]) -> list[str]:
    """The same of one split that is being indexed. clips: those of its exclusions that are not there."""
    by_clip = {line.clip: line for line in lines()}
    found = [by_clip[clip] for clip in clips if clip in by_clip]
    where = f"what is indexed at scale {scale}"
    return [_told(line.number, line.clip, where, hint(line.clip, line.reason, ids)) for line in found[:SHOWN]]


def _told(number: int, clip: str, where: str, hint: str) -> str:
    return f"warning: {paths.EXCLUDED}:{number}: {clip} is not in {where}, so nothing is excluded{hint}"


def _ids(path: Path) -> set[str]:
    from pipeline.store.index import read_index  # whoever plans imports no Parquet where there is no line

    return set(read_index(path)["id"])
