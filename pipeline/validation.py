"""YAML files into frozen pydantic models; whatever is wrong becomes one line that names the key."""

from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import UserError, did_you_mean

# libyaml's reads params.yaml seven times as fast.
_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BOOLEAN = "tag:yaml.org,2002:bool"


class Loader(_FastLoader):  # type: ignore[misc]
    """YAML as DVC reads it: `on`, `yes` and the like are words (YAML 1.2), and a key that stands twice is an error."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != BOOLEAN or first in "tTfF"]
        for first, resolvers in _FastLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Raises ConstructorError, with its line, for the second of two equal keys; a merged one (`<<`) may be given
        anew."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                problem = f"the key {key.value!r} stands twice; remove one"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class Strict(BaseModel):
    """A key that the model does not name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def load(model: type[Model], path: Path) -> Model:
    """Read and validate a YAML file. Raises UserError for a file that is missing, is not YAML or does not fit."""
    try:
        return parse(model, path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        raise UserError(f"{path}: not found in {Path.cwd()}; run from the repository's root, or create it") from None


def parse(model: type[Model], text: str, path: Path) -> Model:
    """`load` for the text of a file that was read."""
    try:
        data = yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        where = (
            f":{error.problem_mark.line + 1}" if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark else ""
        )
        problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
        raise UserError(f"{path}{where}: not valid YAML: {problem}") from None
    return validate(model, data, str(path))


def validate(model: type[Model], data: Any, name: str) -> Model:
    """`name` says in the error's line where the data came from."""
    if not isinstance(data, dict):
        raise UserError(f"{name}: expected a mapping of keys to values, found {type(data).__name__}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise UserError("; ".join(_line(model, name, problem) for problem in error.errors())) from None


def _line(model: type[BaseModel], name: str, problem: Any) -> str:
    # Of a key that does not fit, Pydantic says so behind it.
    place = [part for part in problem["loc"] if part != "[key]"]
    *parents, last = place or ("",)
    key = ".".join(str(part) for part in place)
    if problem["type"] == "extra_forbidden":
        known = _keys_at(model, parents)
        return f"{name}: {key}: unknown key{did_you_mean(str(last), known) if known else ''}"
    if problem["type"] == "missing":
        return f"{name}: {key}: missing; it has no default: add it"
    message = problem["msg"].removeprefix("Value error, ")
    found = "" if isinstance(problem["input"], dict) else f", found {problem['input']!r}"
    return f"{name}: {key}: {message[0].lower()}{message[1:]}{found}" if key else f"{name}: {message}"


def _keys_at(model: Any, path: list[Any]) -> list[str]:
    """The keys that a model takes at a place inside it, by following field annotations."""
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(str(part))
            model = field.annotation if field else None
        else:
            model = (get_args(model) or (None,))[-1]
        candidates = [one for one in get_args(model) if isinstance(one, type) and issubclass(one, BaseModel)]
        if type(None) in get_args(model) and candidates:
            model = candidates[0]
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
