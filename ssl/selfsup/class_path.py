"""Classes by their path, `module:Class`, imported only when asked for."""

from importlib import import_module
from typing import Any

METHODS, NETWORKS, PROBES = "selfsup.methods", "selfsup.networks", "selfsup.probes"
"""Packages below which params.yaml names its classes."""


def load(entry: str) -> Any:
    """entry: `package.module:Class` -> the class. Raises ValueError for a module or a class that is not there."""
    module, _, name = entry.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ModuleNotFoundError, AttributeError) as error:
        raise ValueError(f"no class {entry!r} ({error})") from None
