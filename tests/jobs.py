"""What Snakemake says it would run, read from its listing, and the stages of DVC that a job belongs to."""

from dataclasses import dataclass, field

AGGREGATES = ("data", "pretrain_all", "evaluate_all", "table")
"""Rules that make nothing."""


@dataclass
class Job:
    """One that would run."""

    rule: str
    read: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)

    @property
    def protocols(self) -> list[str]:
        """Of an evaluation, from runs/evaluations/SCALE/ON/PROTOCOL/..."""
        found = [path.split("/")[4] for path in self.written if path.startswith("runs/evaluations/")]
        return sorted(set(found))

    @property
    def names(self) -> list[str]:
        """`pretrain rotation`, `index train`, `publish`; of an evaluation, `evaluate rotation linear` and so on."""
        run = self.values.get("run", "")
        if self.protocols:
            return [f"evaluate {run} {protocol}" for protocol in self.protocols]
        told = (self.values[key] for key in ("run", "split", "shard") if key in self.values)
        return [" ".join([self.rule, *told])]

    @property
    def stages(self) -> set[str]:
        """Of DVC."""
        if self.protocols:
            return {f"evaluate@{protocol}" for protocol in self.protocols}
        if self.rule in ("decode", "index", "mine"):
            return {f"decode@{self.values['dataset']}"}
        return {{"publish": "report", "pretrain": f"pretrain@{self.values.get('run')}"}.get(self.rule, self.rule)}


def listed(text: str) -> list[Job]:
    """text: of `snakemake -n`."""
    found: list[Job] = []
    for line in text.splitlines():
        name, _, said = line.strip().partition(": ")
        if line.startswith(("rule ", "localrule ")):
            found.append(Job(line.split()[1].rstrip(":")))
        elif name in ("input", "output"):
            (found[-1].read if name == "input" else found[-1].written).update(said.split(", "))
        elif name == "wildcards":
            found[-1].values = dict(part.split("=") for part in said.split(", "))
    return [job for job in found if job.rule not in AGGREGATES]
