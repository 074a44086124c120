"""What a number is called: SCALE/DATASET/RUN/SEED/ON/PROTOCOL/LAYER/METRIC, its aliases, its place in a table."""

import difflib
from collections.abc import Iterable, Sequence

from pipeline.errors import UserError
from pipeline.tables.lecture import PLACE, Lecture, alias_at, contains

OVER_SEEDS = "seeds"
"""Stands where a seed's own number has `seed-S`."""
CHOSEN_LAYERS = "chosen"
"""Stands for the layer of a number over seeds that chose different ones."""


def with_seeds(ids: Iterable[str]) -> list[str]:
    """ids: each seed's own numbers -> every number that can be named, sorted: those, and each over seeds."""
    groups = over_seeds(ids)
    return sorted({*groups, *(id for members in groups.values() for id in members)})


def over_seeds(ids: Iterable[str]) -> dict[str, list[str]]:
    """ids: each seed's own numbers -> by each number over seeds, its members, in their order."""
    groups: dict[str, list[str]] = {}
    for id in dict.fromkeys(ids):
        groups.setdefault(_without_seed(id), []).append(id)
    return {id_over_seeds(members): members for members in groups.values()}


def resolve(alias: str, ids: Sequence[str], lecture: Lecture) -> str:
    """The id that an id, an alias (`rotation.linear.top1`) or a place in the tables (`6.17`) means.

    A number over seeds counts before those of its seeds. Raises UserError, with what the alias could mean or with the
    nearest one, where it does not mean exactly one number."""
    if PLACE.fullmatch(alias):
        return resolve(alias_at(lecture, alias), ids, lecture)
    if alias in ids:
        return alias
    matches = [id for id in ids if contains(id.split("/"), alias.split("."))]
    groups = {_without_seed(id) for id in matches if _is_over_seeds(id)}
    matches = [id for id in matches if _is_over_seeds(id) or _without_seed(id) not in groups]
    if not matches:
        short = [short_alias(id, ids) for id in ids if _is_over_seeds(id)]
        near = difflib.get_close_matches(alias, short, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(short) or 'no numbers yet'}"
        raise UserError(f"{alias}: there is no such number; {hint}")
    if len(matches) > 1:
        meanings = ", ".join(short_alias(id, ids) for id in matches)
        raise UserError(f"{alias}: could mean {len(matches)} numbers: {meanings}; name one of them")
    return matches[0]


def short_alias(id: str, ids: Sequence[str]) -> str:
    """The shortest alias of a number: RUN.PROTOCOL.METRIC, with further parts only where it would be ambiguous."""
    _, dataset, run, seed, on, protocol, layer, metric = id.split("/")
    seeds = [] if seed == OVER_SEEDS else [seed]
    for parts in (
        [run, *seeds, protocol, metric],
        [run, *seeds, on, protocol, metric],
        [run, *seeds, on, protocol, layer, metric],
        [dataset, run, *seeds, on, protocol, layer, metric],
    ):
        # For a number over seeds only other ones compete: it counts before its members.
        rivals = (other for other in ids if _is_over_seeds(other) == (not seeds))
        if [other for other in rivals if contains(other.split("/"), parts)] == [id]:
            return ".".join(parts)
    return id.replace("/", ".")


def _is_over_seeds(id: str) -> bool:
    return id.split("/")[3] == OVER_SEEDS


def _without_seed(id: str) -> str:
    """What a number over seeds has in common with those of its seeds: not the seed, not the layer."""
    scale, dataset, run, _, on, protocol, _, metric = id.split("/")
    return f"{scale}/{dataset}/{run}/{on}/{protocol}/{metric}"


def id_over_seeds(members: list[str]) -> str:
    """members: ids of the seeds' own numbers. The layer's name stands in it if all chose the same."""
    scale, dataset, run, _, on, protocol, layer, metric = members[0].split("/")
    layers = {id.split("/")[6] for id in members}
    return "/".join(
        [scale, dataset, run, OVER_SEEDS, on, protocol, layer if len(layers) == 1 else CHOSEN_LAYERS, metric]
    )
