"""Keyword arguments of a class that a registry names, read from its source: checking them imports no torch."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import UserError, did_you_mean

# The names that annotations of plain values are made of; others (tensors, encoders) are left to the class itself.
PLAIN_NAMES: dict[str, Any] = {"Literal": Literal, "Sequence": Sequence}


@dataclass(frozen=True)
class Argument:
    """One argument of a constructor, as its source has it."""

    required: bool
    annotation: str | None


def module_file(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise UserError(f"module {module}: named in a registry, but there is no such file")
    return Path(spec.origin)


def _class(entry: str) -> ast.ClassDef:
    module, name = entry.split(":")
    path = module_file(module)
    for node in _tree(path, path.stat().st_mtime_ns).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    raise UserError(f"{module}: has no class {name}, though a registry names it")


@cache
def _tree(path: Path, changed: int) -> ast.Module:
    """Parsed once, though it is asked for every run and scale of params.yaml, and not to be changed. changed: when, in
    ns."""
    return ast.parse(path.read_text(encoding="utf-8"))


def keyword_arguments(entry: str) -> dict[str, Argument]:
    """entry: `module:Class` -> the keyword-only arguments of its constructor, by name (a dataclass: its fields)."""
    found = _class(entry)
    for statement in found.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            given = statement.args
            return {
                argument.arg: Argument(
                    default is None, ast.unparse(argument.annotation) if argument.annotation else None
                )
                for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
            }
    if any("dataclass" in ast.unparse(decorator) for decorator in found.decorator_list):
        return {
            statement.target.id: Argument(statement.value is None, ast.unparse(statement.annotation))
            for statement in found.body
            if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and "ClassVar" not in ast.unparse(statement.annotation)
        }
    return {}


def class_literal(entry: str, name: str, default: Any) -> Any:
    """entry: `module:Class` -> the value of a class attribute that is a literal, `default` where there is none."""
    for statement in _class(entry).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        if value is not None and any(ast.unparse(target) == name for target in targets):
            return ast.literal_eval(value)
    return default


def has_own(entry: str, method: str) -> bool:
    """entry: `module:Class`. Whether a class defines a method itself."""
    return any(isinstance(one, ast.FunctionDef) and one.name == method for one in _class(entry).body)


def _plain_type(annotation: str | None) -> Any:
    """The type that an annotation of a plain value means; None for any other. Evaluates text of this project only."""
    try:
        return eval(annotation or "None", {**PLAIN_NAMES})
    except NameError:
        return None


def entry_of(registry: Mapping[str, str], name: str, key: str) -> str:
    """The registry's line for a name that stands at `key`. Raises UserError for an unknown name."""
    if name not in registry:
        raise UserError(f"{key}: unknown {name!r}{did_you_mean(name, registry)}")
    return registry[name]


def check_arguments(entry: str, given: Mapping[str, Any], key: str) -> None:
    """Hold the keys, plain types and ranges of `given` (which stands at `key`) against a class. Raises UserError.

    A class states ranges as a literal, `ranges`: least and greatest value of a numeric argument, or of each number of a
    list. Encoders are given from elsewhere."""
    expected = {name: one for name, one in keyword_arguments(entry).items() if one.annotation != "Encoder"}
    for name, value in given.items():
        if name not in expected:
            hint = did_you_mean(name, expected) if expected else "; it takes no arguments"
            raise UserError(f"{key}.{name}: unknown key{hint}")
        plain = _plain_type(expected[name].annotation)
        if plain is not None:
            try:
                TypeAdapter(plain).validate_python(value, strict=not isinstance(value, int | list | dict))
            except ValidationError:
                raise UserError(f"{key}.{name}: expected {expected[name].annotation}, found {value!r}") from None
        if value == []:
            raise UserError(f"{key}.{name}: expected at least one value, found none")
    for name, argument in expected.items():
        if argument.required and name not in given:
            raise UserError(f"{key}.{name}: missing; it has no default: add it")
    for name, (least, greatest) in class_literal(entry, "ranges", {}).items():
        value = given[name]
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]:
            if not least <= one <= greatest:
                raise UserError(f"{key}.{name}: expected {least} to {greatest}, found {one}")
