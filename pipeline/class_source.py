"""Classes that params.yaml names by their path, read from their source: checking arguments imports no torch.

An entry is `module:Class`. What a class does not state itself is sought in its base classes, as Python does.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Union

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import UserError, did_you_mean

PACKAGES = ("pipeline", "selfsup")
PLAIN: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str}
GENERIC: dict[str, Any] = {"list": list, "tuple": tuple, "dict": dict, "Mapping": dict, "Sequence": list}
CONTRACT = "selfsup.methods.method:Method"
"""Whose own methods are defaults: a subclass that keeps them has none of its own."""


ENCODER = "selfsup.networks.encoder:Encoder"


@dataclass(frozen=True)
class Argument:
    """One argument of a constructor, as its source has it. module: in which the annotation's names are to be sought."""

    required: bool
    annotation: ast.expr | None
    module: str

    @property
    def shown(self) -> str:
        return ast.unparse(self.annotation) if self.annotation else "a value"


def entry_of(package: str, path: str, key: str) -> str:
    """path: `module:Class` within a package, standing at `key` of params.yaml -> the entry, with the package's name.
    Raises UserError, with the nearest name, for a module or class that is not there."""
    module, _, name = path.partition(":")
    file = module_file(f"{package}.{module}") if module and name else None
    if file is None:
        known = {f"{found.module}:{found.name}": None for found in _classes_of(package)}
        raise UserError(f"{key}: no class {path!r} in {package}{did_you_mean(path, known)}")
    defined = [node.name for node in _tree(file, file.stat().st_mtime_ns).body if isinstance(node, ast.ClassDef)]
    if name not in defined:
        raise UserError(f"{key}: {file} has no class {name!r}{did_you_mean(name, defined)}")
    return f"{package}.{module}:{name}"


@dataclass(frozen=True)
class _Found:
    module: str
    name: str


def _classes_of(package: str) -> Iterator[_Found]:
    """Every class of a package's modules, for a hint."""
    above = module_file(package)
    assert above is not None, package
    for file in sorted(above.parent.rglob("*.py")):
        module = ".".join(file.relative_to(above.parent).with_suffix("").parts)
        for node in _tree(file, file.stat().st_mtime_ns).body:
            if isinstance(node, ast.ClassDef):
                yield _Found(module, node.name)


@cache
def module_file(module: str) -> Path | None:
    """The file of a module; None where there is none. Packages above it are looked up, not imported."""
    above, _, name = module.rpartition(".")
    if not above:
        spec = find_spec(module)
        return Path(spec.origin) if spec and spec.origin else None
    package = module_file(above)
    if package is None or package.name != "__init__.py":
        return None
    candidates = (package.parent / name / "__init__.py", package.parent / f"{name}.py")
    return next((path for path in candidates if path.exists()), None)


def _class(entry: str) -> ast.ClassDef:
    module, name = entry.split(":")
    path = module_file(module)
    if path is None:
        raise UserError(f"module {module}: there is no such file")
    for node in _tree(path, path.stat().st_mtime_ns).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    raise UserError(f"{module}: has no class {name}")


@cache
def _tree(path: Path, changed: int) -> ast.Module:
    """Parsed once, though it is asked for every run and scale of params.yaml, and not to be changed. changed: when, in
    ns."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UserError(f"{path}:{error.lineno}: not valid Python: {error.msg}") from None


def _lineage(entry: str) -> Iterator[tuple[str, ast.ClassDef]]:
    """The class and its base classes of this project, nearest first, each with its entry."""
    waiting, seen = [entry], set()
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        node = _class(one)
        yield one, node
        waiting += [base for base in (_resolved(one, name) for name in node.bases) if base]


def _resolved(entry: str, name: ast.expr) -> str | None:
    """The entry of the class that a name means in the module of `entry`; None for one of another package."""
    module = entry.split(":")[0]
    path = module_file(module)
    if not isinstance(name, ast.Name) or path is None:
        return None
    for node in _tree(path, path.stat().st_mtime_ns).body:
        if isinstance(node, ast.ClassDef) and node.name == name.id:
            return f"{module}:{name.id}"
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            for alias in node.names:
                if (alias.asname or alias.name) == name.id:
                    return f"{node.module}:{alias.name}"
    return None


def keyword_arguments(entry: str) -> dict[str, Argument]:
    """The keyword-only arguments of a class's constructor, by name (a dataclass: its fields)."""
    for one, node in _lineage(entry):
        module = one.split(":")[0]
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
                given = statement.args
                return {
                    argument.arg: Argument(default is None, argument.annotation, module)
                    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
                }
        if _is_dataclass(node):
            return {
                statement.target.id: Argument(statement.value is None, statement.annotation, module)
                for statement in node.body
                if isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and "ClassVar" not in ast.unparse(statement.annotation)
            }
    return {}


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def encoders_of(entry: str) -> set[str]:
    """The arguments that are encoders: a run's networks go by these names."""
    return {name for name, argument in keyword_arguments(entry).items() if _is_encoder(argument)}


def _is_encoder(argument: Argument) -> bool:
    """Whether its annotation is the class of encoders, or some of them."""
    names = argument.annotation
    while isinstance(names, ast.BinOp):
        names = names.left
    found = _resolved(f"{argument.module}:", names) if names is not None else None
    return found is not None and any(one == ENCODER for one, _ in _lineage(found))


def class_literal(entry: str, name: str, default: Any) -> Any:
    """The value of a class attribute that is a literal, `default` where there is none."""
    for _, node in _lineage(entry):
        for statement in node.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
            value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
            if value is not None and any(isinstance(one, ast.Name) and one.id == name for one in targets):
                try:
                    return ast.literal_eval(value)
                except ValueError:
                    raise UserError(f"{entry}: {name}: expected a literal, found {ast.unparse(value)}") from None
    return default


def has_own(entry: str, method: str) -> bool:
    """Whether a class, or a base class below the contract, defines a method."""
    return any(
        isinstance(statement, ast.FunctionDef) and statement.name == method
        for one, node in _lineage(entry)
        if one != CONTRACT
        for statement in node.body
    )


def _plain_type(annotation: ast.expr | None) -> Any:
    """The type that an annotation of plain values means; None for any other."""
    match annotation:
        case ast.Name(id=name) if name in PLAIN:
            return PLAIN[name]
        case ast.Constant(value=None):
            return type(None)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            values = ast.literal_eval(inner)
            return Literal[values if isinstance(values, tuple) else (values,)]
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in GENERIC:
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            types = [... if _is_ellipsis(part) else _plain_type(part) for part in parts]
            return None if None in types else GENERIC[name][tuple(types) if len(types) > 1 else types[0]]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            sides = (_plain_type(left), _plain_type(right))
            return None if None in sides else Union[sides]  # noqa: UP007
    return None


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def check_arguments(entry: str, given: Mapping[str, Any], key: str) -> None:
    """Hold the keys, plain types and ranges of `given` (which stands at `key`) against a class. Raises UserError.

    A class states ranges as a literal, `ranges`: least and greatest value of a numeric argument, or of each number of a
    list. An argument that is a dataclass of this project (`RandomCrop`) is a mapping, held against that. Encoders are
    given from elsewhere."""
    expected = {name: argument for name, argument in keyword_arguments(entry).items() if not _is_encoder(argument)}
    for name, value in given.items():
        if name not in expected:
            hint = did_you_mean(name, expected) if expected else "; it takes no arguments"
            raise UserError(f"{key}.{name}: unknown key{hint}")
        argument = expected[name]
        nested = _resolved(f"{argument.module}:", argument.annotation) if argument.annotation else None
        if nested and _is_dataclass(_class(nested)):
            if not isinstance(value, Mapping):
                raise UserError(f"{key}.{name}: expected a mapping ({argument.shown}), found {value!r}")
            check_arguments(nested, value, f"{key}.{name}")
            continue
        plain = _plain_type(argument.annotation)
        if plain is not None:
            try:
                TypeAdapter(plain).validate_python(value, strict=not isinstance(value, int | list | dict))
            except ValidationError:
                raise UserError(f"{key}.{name}: expected {argument.shown}, found {value!r}") from None
        if value == []:
            raise UserError(f"{key}.{name}: expected at least one value, found none")
    for name, argument in expected.items():
        if argument.required and name not in given:
            raise UserError(f"{key}.{name}: missing; it has no default: add it")
    for name, (least, greatest) in class_literal(entry, "ranges", {}).items():
        value = given.get(name, least)
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, int | float) and not least <= one <= greatest:
                raise UserError(f"{key}.{name}: expected {least} to {greatest}, found {one}")
