"""A brand's colour in letters: mail clients know neither our tokens nor OKLCH, so they are told four plain colours."""

from __future__ import annotations

from dataclasses import dataclass

from leadgen.core.colour import palette


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of one brand's letters: the button and the words on it, links on white and on the dark ground."""

    button: str
    on_button: str
    link: str
    link_dark: str


def look(accent: str) -> Look:
    """The accent as pages show it, readable on every ground. Raises ValueError when it is not a colour."""
    colours = palette(accent)
    return Look(colours.light.ground, colours.light.ink, colours.light.text, colours.dark.text)
