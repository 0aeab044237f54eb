"""The builder of conditions within a page of a sequence: the rows of segments, and conditions that no rows can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request

from leadgen.core.errors import Invalid
from leadgen.core.logic import Condition, Op
from leadgen.segments import checking, sentences
from leadgen.segments.catalogue import Catalogue, Group
from leadgen.web.admin import segment_edit, segment_rows
from leadgen.web.admin.segment_edit import Said
from leadgen.web.admin.segment_rows import Draft


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands in the builder; `kept` is a condition that no rows say, and that stays until one builds another."""

    draft: Draft
    kept: Condition | None = None

    def condition(self, catalogue: Catalogue) -> Condition | None:
        """What is meant, checked; None for nothing. Raises Invalid with the field at fault."""
        if self.kept is not None:
            return self.kept
        definition = self.draft.definition(catalogue)
        return checking.checked(catalogue, definition) if definition[self.draft.match] else None


def of_page(condition: Condition | None, catalogue: Catalogue) -> Asked:
    """What was sent when the page has the builder, with its button pressed; else what is kept."""
    if request.method == "POST" and "match" in request.form:
        draft = segment_rows.sent(request.form, catalogue)
        draft.act(deed())
        return Asked(draft)
    if is_empty(condition):
        return Asked(Draft())
    found = _rows(condition or {}, catalogue)
    if found is None and request.values.get("condition") != "anew":
        return Asked(Draft(), condition)
    return Asked(found or Draft())


def deed() -> str:
    """The button of the builder that was pressed; `save` is none of them."""
    return request.form.get("do", "save")


def is_empty(condition: Condition | None) -> bool:
    """Whether nothing is asked."""
    return not condition or condition in ({"all": []}, {"any": []})


def shown(asked: Asked, catalogue: Catalogue, empty: str, error: Invalid | None = None) -> dict[str, Any]:
    """What the builder's template needs; `empty` says what it means that nothing is asked."""
    groups = [(group, [one for one in catalogue.specs.values() if one.group is group]) for group in Group]
    return {
        "catalogue": catalogue,
        "draft": asked.draft,
        "kept_condition": sentences.sentence(catalogue, asked.kept) if asked.kept is not None else "",
        "said": _said(asked.draft, catalogue, empty),
        "at": getattr(error, "field", ""),
        "groups": groups,
        "rows": segment_rows,
        "ops": Op,
    }


def _said(draft: Draft, catalogue: Catalogue, empty: str) -> Said:
    if not draft.definition(catalogue)[draft.match]:
        return Said(told=empty, at="condition")
    return segment_edit.said(catalogue, draft)


def _rows(condition: Condition, catalogue: Catalogue) -> Draft | None:
    """The rows that say it, also of one that was written more shortly than the builder does."""
    return segment_rows.of(condition, catalogue) or segment_rows.of({"all": [condition]}, catalogue)
