"""metrics.json: the measured numbers for DVC and other programs."""

from collections.abc import Sequence
from typing import Any

from pipeline.tables.aliases import short_alias
from pipeline.tables.numbers import Measured

DIGITS = 6
"""Decimal places of a fraction: beyond any interval's width, short of the last bits that machines may differ in."""


def metrics(measured: Sequence[Measured], ids: Sequence[str]) -> dict[str, Any]:
    """`measured`: the parts of each number's alias (run, protocol, metric; more where that is ambiguous) nested, down
    to value, low, high, the list of what each seed has and, where there are any, chance, ceiling, trivial, at_edge
    and the difference to the reference run; all fractions, but for errors, which are in a unit of their own.

    `ids`: every number that the audit knows, as a list, because DVC shows what is nested and passes lists over."""
    tree: dict[str, Any] = {}
    for number in measured:
        place = tree
        for part in short_alias(number.id, ids).split("."):
            place = place.setdefault(part, {})
        place |= {name: round(getattr(number, name), DIGITS) for name in ("value", "low", "high")}
        for name in ("chance", "ceiling", "trivial"):
            if (baseline := getattr(number, name)) is not None:
                place[name] = round(baseline, DIGITS)
        place["seeds"] = [round(one, DIGITS) for one in number.per_seed]
        if number.at_edge:
            place["at_edge"] = True
        if number.difference is not None:
            gap = number.difference
            place["difference"] = {
                "value": round(gap.value, DIGITS),
                "low": round(gap.low, DIGITS),
                "high": round(gap.high, DIGITS),
            }
    return {"ids": sorted(ids), "measured": tree}
