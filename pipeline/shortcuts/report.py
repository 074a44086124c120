"""The shortcut report as Markdown and as plain values."""

from dataclasses import asdict, dataclass
from typing import Any

from pipeline.parameters.models import ShortcutSettings
from pipeline.shortcuts.cheap import DIRECTION, LEVEL, ORDER, Finding
from pipeline.shortcuts.trials import BLIND, ORDERED, SOUND, Comparison
from pipeline.shortcuts.values import CUES
from selfsup.probes.ceilings import CONTRAST
from selfsup.statistics.intervals import Interval


@dataclass(frozen=True)
class Ceiling:
    """A trained network (first) and its untrained twin (second); `fair` is the comparison that counts: the same, or
    that with few labels."""

    task: str
    examples: int
    clips: int
    chance: float
    all_labels: Comparison
    fair: Comparison
    choice: dict[str, Any]

    def in_range(self, settings: ShortcutSettings) -> bool:
        return settings.ceiling[0] <= self.all_labels.first.value <= settings.ceiling[1]

    def learned(self) -> bool:
        """Whether the untrained network is clearly below: its whole interval."""
        return self.fair.gap.low > 0


@dataclass(frozen=True)
class ShortcutReport:
    """All that is printed. powers: by chance level. order_gap: ordered frames against averaged ones."""

    scale: str
    dataset: str
    images: str
    clips: int
    tuples: int
    findings: list[Finding]
    powers: dict[float, float]
    distances: list[Finding]
    ceilings: list[Ceiling]
    order_gap: Comparison | None
    settings: ShortcutSettings

    def to_json(self) -> dict[str, Any]:
        """Every number, and every verdict."""
        return {
            "scale": self.scale,
            "dataset": self.dataset,
            "images": self.images,
            "clips": self.clips,
            "tuples": self.tuples,
            "cues": [asdict(one) for one in self.findings],
            "power": [{"chance": chance, "power": value} for chance, value in self.powers.items()],
            "distances": [asdict(one) for one in self.distances],
            "ceilings": [
                {**asdict(one), "in_range": one.in_range(self.settings), "learned": one.learned()}
                for one in self.ceilings
            ],
            "order_gap": asdict(self.order_gap) if self.order_gap else None,
            "passes": {"cues": all(one.passes for one in self.findings), "ceilings": self.ceilings_pass()},
        }

    def ceilings_pass(self) -> bool:
        return all(one.in_range(self.settings) and one.learned() for one in self.ceilings)

    def to_markdown(self) -> str:
        """The page."""
        failed = [one for one in self.findings if not one.passes]
        within = f"to be within {100 * self.settings.margin:g} points of chance"
        pairs = f"{len(self.findings)} pairs of a cheap cue and what it might tell"
        verdict = (
            f"All {pairs} are shown {within}."
            if not failed
            else f"Of {pairs}, {len(self.findings) - len(failed)} are shown {within}; not "
            + ", ".join(f"{one.cue} for {one.target} ({_percent(one.upper)})" for one in failed)
            + "."
        )
        outside = [one.task for one in self.ceilings if not (one.in_range(self.settings) and one.learned())]
        low, high = (100 * end for end in self.settings.ceiling)
        ceilings = (
            f"All {len(self.ceilings)} supervised ceilings lie between {low:g} and {high:g} %, the same networks "
            "untrained clearly below."
            if not outside
            else f"Not as they should be: {'; '.join(outside)}."
        )
        return "\n".join(
            [
                f"# What gives {self.dataset} away",
                "",
                f"Scale `{self.scale}`, {self.clips} clips. {verdict} {ceilings}",
                "",
                "## Cheap cues",
                "",
                *self._cues(),
                "",
                "## Supervised ceilings",
                "",
                *self._ceilings(),
                "",
                "## How to read it",
                "",
                *self._notes(),
                "",
            ]
        )

    def _cues(self) -> list[str]:
        targets = list(dict.fromkeys(one.target for one in self.findings))
        by_place = {(one.cue, one.target): one for one in self.findings}
        chances = {one.target: one.chance for one in self.findings}
        lines = [
            "Accuracy of a linear classifier in per cent and, in brackets, the upper bound of its interval. "
            "**Bold**: above the bar.",
            "",
            f"| cue | {' | '.join(targets)} |",
            f"| --- |{' ---: |' * len(targets)}",
        ]
        for cue in CUES:
            cells = [_cell(by_place.get((cue, target))) for target in targets]
            lines.append(f"| {cue} | {' | '.join(cells)} |")
        for name, extra in (("chance", 0.0), ("bar for the bound", self.settings.margin)):
            cells = [_percent(chances[target] + extra) for target in targets]
            lines.append(f"| *{name}* | {' | '.join(cells)} |")
        if self.distances:
            told = ", ".join(f"{one.cue} {_percent(one.accuracy)}" for one in self.distances)
            lines += [
                "",
                f"Not linear, and not held against the bar: order from how far apart the three frames are in each cue "
                f"(a frame from outside is further from both): {told}.",
            ]
        return lines

    def _ceilings(self) -> list[str]:
        lines = [
            "Test accuracy in per cent with 95 % intervals.",
            "",
            "| task | labels | trained | untrained, linear | difference | chance | as it should be |",
            "| --- | --- | ---: | ---: | ---: | ---: | --- |",
        ]
        for one in self.ceilings:
            verdict = "yes" if one.in_range(self.settings) and one.learned() else "**no**"
            same = one.fair is one.all_labels
            lines.append(_row(one.task, "all", one.all_labels, one.chance, verdict))
            if not same:
                lines.append(_row("", f"{self.settings.few_labels} a class", one.fair, one.chance, ""))
        if self.order_gap is not None:
            gap = self.order_gap.gap
            lines += ["", f"Order is worth {_interval(gap)} points: ordered frames against averaged ones."]
        return lines

    def _notes(self) -> list[str]:
        folds, settings = self.settings.folds, self.settings
        powers = ", ".join(
            f"{100 * value:.1f} % where chance is {_percent(chance)}" for chance, value in self.powers.items()
        )
        points = f"{settings.frames} frames"
        widths = ", ".join(map(str, settings.widths))
        return [
            f"- The classifiers are multinomial logistic regressions, all classes weighted alike, so that chance is "
            f"one over the classes. They are cross-fitted: clips of all splits fall into {folds} parts by the hash of "
            f"their id; each part is scored once, by a classifier fitted to {folds - 2} others, its penalty chosen on "
            f"the remaining one. The test split alone would be too few clips to show a binary cue to be absent.",
            f"- Bounds are the upper ends of two-sided {100 * LEVEL:g} % intervals over clips, corrected by Holm for "
            f"{len(self.findings)} of them. A bound at or below the bar shows the cue to be absent; one above it does "
            f"not show it to be there. A cue that tells nothing passes at the strictest of the corrected levels with a "
            f"probability of {powers}.",
            f"- {ORDER}: three frames as Shuffle & Learn poses it, (b, c, d) against (b, a, d) or (b, e, d), from "
            f"{self.tuples} mined tuples, at most {settings.tuples} a clip. {DIRECTION}: a clip against the same "
            f"played backwards. Where a cue is the same both ways the accuracy is chance itself.",
            "- Cues are measured on decoded frames and sound, as networks get them:",
            *(f"  - {cue}: {what}." for cue, what in CUES.items()),
            f"- Ceilings say what can be learned, and are not the supervised runs of the table: networks and schedules "
            f"of their own. `selfsup.networks.convnet`, widths {widths}, trained on train, scored once on test at "
            f"its last step; steps are in params.yaml, chosen on validation. Stills are those of `{self.images}`, "
            f"{settings.side} px. {ORDERED.capitalize()} and {BLIND.removeprefix('action from ')}: {points} of "
            f"{settings.clip_side} px, beside each, as the network's second input, what differs in it from the clip's "
            f"mean picture (times {CONTRAST}), their features side by side or averaged. Untrained: the same network "
            f"before its first step, read out by the linear probe, block and penalty chosen on validation. It should "
            f"be clearly below: the paired difference's interval above 0. A ceiling is in range by its value, not by "
            f"its interval.",
            f"- {SOUND.capitalize()} is compared with {settings.few_labels} labels a class, both networks read out "
            f"linearly, mean of {settings.few_draws} draws of labels: random convolutions are strong on clean sound, "
            f"and with all labels they would hide what was learned.",
        ]


def _row(task: str, labels: str, pair: Comparison, chance: float, verdict: str) -> str:
    cells = [
        task,
        labels,
        _interval(pair.first),
        _interval(pair.second),
        _interval(pair.gap),
        _percent(chance),
        verdict,
    ]
    return f"| {' | '.join(cells)} |"


def _cell(finding: Finding | None) -> str:
    if finding is None:
        return ""
    text = f"{_percent(finding.accuracy)} ({_percent(finding.upper)})"
    return text if finding.passes else f"**{text}**"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _interval(one: Interval) -> str:
    return f"{_percent(one.value)} [{_percent(one.low)}, {_percent(one.high)}]"
