"""The brand's colour in letters, which know neither our design tokens nor OKLCH."""

from __future__ import annotations

from dataclasses import dataclass

from leadgen.core.colour import palette

_STANDARD = "#0b6e6e"


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of one brand's letters: the button, the words on it and links, on white and on the dark ground."""

    button: str
    on_button: str
    link: str
    button_dark: str
    on_button_dark: str
    link_dark: str


def look(accent: str) -> Look:
    """The accent as pages show it, readable on every ground; what is no colour must not keep a letter from going."""
    try:
        colours = palette(accent)
    except ValueError:
        colours = palette(_STANDARD)
    light, dark = colours.light, colours.dark
    return Look(light.ground, light.ink, light.text, dark.ground, dark.ink, dark.text)
