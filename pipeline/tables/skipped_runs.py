"""What was not run of params.yaml, and why: runs, then protocols, a line a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.tables.markdown import code, item, paragraph


@dataclass(frozen=True)
class SkippedRuns:
    """Why, by run; by protocol; by run and protocol, of evaluations that the data did not allow."""

    runs: Mapping[str, str] = field(default_factory=dict)
    protocols: Mapping[str, str] = field(default_factory=dict)
    evaluations: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def __or__(self, other: "SkippedRuns") -> "SkippedRuns":
        """Both; of what both have, the other's reason."""
        return SkippedRuns(
            {**self.runs, **other.runs},
            {**self.protocols, **other.protocols},
            {**self.evaluations, **other.evaluations},
        )


def skipped_runs_section(skipped_runs: SkippedRuns) -> list[str]:
    """Nothing where everything was run."""
    runs = _by_reason({code(run): reason for run, reason in skipped_runs.runs.items()})
    protocols = _by_reason({code(protocol): reason for protocol, reason in skipped_runs.protocols.items()})
    protocols += _by_reason(_of_runs(skipped_runs.evaluations))
    parts = []
    if runs:
        parts += [paragraph("Runs, which are what is pretrained:"), "\n".join(runs)]
    if protocols:
        parts += [paragraph("Protocols, which are how a run is evaluated:"), "\n".join(protocols)]
    return ["## Not run", *parts] if parts else []


def _of_runs(evaluations: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """The reason by ``protocol` of `run`, `run``."""
    runs: dict[tuple[str, str], list[str]] = {}
    for (run, protocol), reason in evaluations.items():
        runs.setdefault((protocol, reason), []).append(code(run))
    return {f"{code(protocol)} of {', '.join(of)}": reason for (protocol, reason), of in runs.items()}


def _by_reason(reasons: Mapping[str, str]) -> list[str]:
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name)
    return [item(f"{', '.join(of)}: {reason}") for reason, of in names.items()]
