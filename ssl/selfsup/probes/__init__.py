"""Evaluation protocols by name."""

PROTOCOLS = {
    "linear": "selfsup.probes.linear:Linear",
}
