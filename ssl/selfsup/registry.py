"""Literal dicts of `"name": "module:Class"`, imported only when a name is asked for."""

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any


def load(registry: Mapping[str, str], name: str) -> Any:
    """The class that stands under a name. Raises KeyError, with the nearest name, for one that is not there."""
    if name not in registry:
        near = difflib.get_close_matches(name, registry, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(registry)}"
        raise KeyError(f"unknown name {name!r}{hint}")
    module, attribute = registry[name].split(":")
    return getattr(import_module(module), attribute)
