"""How many chances of a person count in the draw: deeds that only they can vouch for never outweigh the rest (F6)."""

from __future__ import annotations


def draw_chances(chances: int, declared_chances: int, cap: int) -> int:
    """The chances that the draw counts: all verified ones, and declared ones up to `cap` per cent of what is counted.

    Whole numbers only, so that anybody can recompute it: with V = chances − declared, counted = V + min(declared,
    ⌊cap × V ÷ (100 − cap)⌋). A cap of 100 counts everything, a cap of 0 nothing that was only declared.
    """
    declared = max(0, declared_chances)
    verified = max(0, chances - declared)
    return verified + (declared if cap >= 100 else min(declared, cap * verified // (100 - cap)))


def draw_chances_in_sql(chances: str, declared: str, cap: str) -> str:
    """The same in SQL, of three expressions written in our own modules; a test compares both."""
    said = f"greatest(0, {declared})"
    verified = f"greatest(0, {chances} - {said})"
    return (
        f"({verified} + CASE WHEN {cap} >= 100 THEN {said} ELSE least({said}, {cap} * {verified} / (100 - {cap})) END)"
    )
