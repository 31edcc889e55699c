from __future__ import annotations

import re

import pytest

from langchain_unified import errors

CLASSES = {
    name: cls
    for name, cls in vars(errors).items()
    if isinstance(cls, type) and issubclass(cls, errors.UnifiedError) and cls.__module__ == errors.__name__
}


def tree() -> dict[str, str | None]:
    """Class and parent, as the module's docstring draws them."""
    path: list[str] = []
    parents: dict[str, str | None] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│├└─ ]*)(\w+Error)  ", line)
        if found:
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            parents[found[2]] = path[depth - 1] if depth else None
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    expected = {
        name: next((base.__name__ for base in cls.__bases__ if base.__name__ in CLASSES), None)
        for name, cls in CLASSES.items()
    }
    assert tree() == expected


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_has_a_docstring_of_its_own_in_sentences(name: str) -> None:
    text = CLASSES[name].__dict__.get("__doc__") or ""
    assert text.strip().endswith(".")
    assert len(re.findall(r"\.(?:\s|$)", text)) >= 2, "when it is raised, and what to do"


@pytest.mark.parametrize("name", CLASSES)
def test_the_tree_names_what_is_retryable(name: str) -> None:
    line = next(line for line in (errors.__doc__ or "").splitlines() if re.search(rf"[ ─]?\b{name}  ", line))
    if "not retryable" in line:
        assert not CLASSES[name].is_retryable
    elif "retryable" in line:
        assert CLASSES[name].is_retryable
