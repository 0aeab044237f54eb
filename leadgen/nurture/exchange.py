"""A sequence as YAML for people: out, in, and back without a difference."""

from __future__ import annotations

from leadgen.nurture.definition import Definition


def to_yaml(definition: Definition) -> str:
    """The whole definition as text: waits as “3 d”, conditions as data, texts as blocks."""
    raise NotImplementedError


def from_yaml(text: str) -> Definition:
    """The definition that such a text describes; what is left out is as by default.

    Raises Invalid, its sentence names the line and the field, in the current language; `field` is the path, such as
    steps.2.wait.
    """
    raise NotImplementedError
