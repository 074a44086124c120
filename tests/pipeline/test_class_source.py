"""What a class's source says of it without being imported: constructors, base classes, literals."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import class_source
from pipeline.class_source import check_arguments, class_literal, encoders_of, entry_of, has_own, keyword_arguments
from pipeline.errors import UserError

BASE = """
from dataclasses import dataclass
from typing import ClassVar, Literal
from selfsup.methods.method import Method
from selfsup.networks.encoder import Encoder

@dataclass(frozen=True)
class Noise:
    sigma: float
    kind: Literal["normal", "uniform"]
    often: int = 1
    ranges: ClassVar = {"sigma": (0, 2)}

class Base(Method):
    streams = ("frames",)
    ranges: ClassVar = {"depth": (1, 9)}
    def __init__(self, *, encoder: Encoder, depth: int, noise: Noise, rate: float | None) -> None: ...
    def fit(self, source, generator): ...
"""
CHILD = """
from selfsup.elsewhere.image.base import Base as Named

class Child(Named):
    table = "clips"

class GrandChild(Child):
    streams = ("frames", "flow")
"""
PACKAGE = "selfsup.elsewhere"
CHILD_ENTRY = f"{PACKAGE}.image.child:Child"


@pytest.fixture(autouse=True)
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The two modules, in a package of that name."""
    found = {PACKAGE: tmp_path / "__init__.py", f"{PACKAGE}.image": tmp_path / "image/__init__.py"}
    found |= {f"{PACKAGE}.image.{name}": tmp_path / f"image/{name}.py" for name in ("base", "child")}
    for module, path in found.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text({"base": BASE, "child": CHILD}.get(module.rpartition(".")[2], ""))
    real = class_source.module_file
    with monkeypatch.context() as patch:
        patch.setattr(class_source, "module_file", lambda module: found.get(module) or real(module))
        yield
    real.cache_clear()


def test_constructor_and_literals_are_those_of_the_nearest_class_that_has_them() -> None:
    assert list(keyword_arguments(CHILD_ENTRY)) == ["encoder", "depth", "noise", "rate"]
    assert encoders_of(CHILD_ENTRY) == {"encoder"}
    assert class_literal(CHILD_ENTRY, "streams", ()) == ("frames",)
    assert class_literal(CHILD_ENTRY, "table", "") == "clips"
    assert class_literal(CHILD_ENTRY, "answers", None) == ()  # the contract's
    assert class_literal(CHILD_ENTRY, "nothing", None) is None
    assert class_literal(f"{PACKAGE}.image.child:GrandChild", "streams", ()) == ("frames", "flow")
    assert has_own(f"{PACKAGE}.image.child:GrandChild", "fit")
    assert not has_own(CHILD_ENTRY, "groups")  # the contract's own do not count


GIVEN = {"depth": 2, "noise": {"sigma": 0.5, "kind": "normal"}, "rate": None}


def test_what_fits_is_taken() -> None:
    check_arguments(CHILD_ENTRY, GIVEN, "runs.x")
    check_arguments(CHILD_ENTRY, {**GIVEN, "rate": 1, "noise": {**GIVEN["noise"], "often": 3}}, "runs.x")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"depth": 10}, "runs.x.depth: expected 1 to 9, found 10"),
        ({"depth": "2"}, "runs.x.depth: expected int, found '2'"),
        ({"rate": "fast"}, "runs.x.rate: expected float | None, found 'fast'"),
        ({"dpeth": 2}, "runs.x.dpeth: unknown key; did you mean 'depth'?"),
        ({"encoder": 2}, "runs.x.encoder: unknown key"),
        ({"noise": "normal"}, "runs.x.noise: expected a mapping (Noise), found 'normal'"),
        ({"noise": {"sigma": 3.0, "kind": "normal"}}, "runs.x.noise.sigma: expected 0 to 2, found 3.0"),
        ({"noise": {"sigma": 1.0, "kind": "norml"}}, "runs.x.noise.kind: expected Literal['normal', 'uniform'], found"),
        ({"noise": {"sigma": 1.0}}, "runs.x.noise.kind: missing"),
        ({"noise": {"sigma": 1.0, "kind": "normal", "ranges": 1}}, "runs.x.noise.ranges: unknown key"),
    ],
)
def test_what_does_not_fit_is_named(changed: dict, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        check_arguments(CHILD_ENTRY, {**GIVEN, **changed}, "runs.x")
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "image.chidl:Child",
            "key: no class 'image.chidl:Child' in selfsup.elsewhere; did you mean 'image.child:Child'?",
        ),
        ("image.child", "key: no class 'image.child' in selfsup.elsewhere"),
        ("image.child:Chidl", "child.py has no class 'Chidl'; did you mean 'Child'?"),
    ],
)
def test_a_class_that_is_not_there_is_answered_with_the_nearest(path: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        entry_of(PACKAGE, path, "key")
    assert expected in str(caught.value)


def test_a_file_that_is_no_python_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "image/child.py").write_text("class Child:\n    def (:\n")
    with pytest.raises(UserError, match=r"child\.py:2: not valid Python"):
        entry_of(PACKAGE, "image.child:Child", "key")
