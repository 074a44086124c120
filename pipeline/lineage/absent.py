"""Lines of `data/excluded.txt` that exclude nothing, because what they name is not in the data."""

from collections.abc import Collection, Iterable
from pathlib import Path

from pipeline import paths
from pipeline.errors import nearest
from pipeline.lineage import exclusions
from pipeline.store import index

SHOWN = 8
"""Lines that are named, before the rest is counted."""
COMPARED = 20_000
"""Names that are searched for a near one, at most: some tenths of a second a line."""


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
    for line in exclusions.lines():
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
    lines = {line.clip: line for line in exclusions.lines()}
    found = [lines[clip] for clip in clips if clip in lines]
    where = f"what is indexed at scale {scale}"
    return [_told(line.number, line.clip, where, hint(line.clip, line.reason, ids)) for line in found[:SHOWN]]


def _told(number: int, clip: str, where: str, hint: str) -> str:
    return f"warning: {paths.EXCLUDED}:{number}: {clip} is not in {where}, so nothing is excluded{hint}"


def _ids(path: Path) -> set[str]:
    return set(index.read(path)["id"])
