"""The form of one action: what all kinds share, what each needs to be told, and the questions of a quiz."""

from __future__ import annotations

import secrets
from typing import Any

from flask import request
from wtforms import BooleanField, Field, FieldList, FormField, HiddenField, StringField

from leadgen.campaigns import action_settings
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Action, ActionKind, Campaign, Repeat
from leadgen.core import i18n
from leadgen.core.errors import Invalid
from leadgen.web.admin.forms import (
    MomentField,
    StudioForm,
    WholeField,
    aware,
    between,
    line,
    on_the_wall,
    one_of,
    whole,
)

OPTION_ROWS = 4
_MOMENTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
_SECONDS = {ActionKind.VISIT: 10, ActionKind.VIDEO: 30}


class TickedField(Field):
    """Boxes of one name; the room knows which values there are."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was ticked."""
        self.data = [value for value in valuelist if value]


class ActionTextsForm(StudioForm):
    """An action's words in one language."""

    title = line(longest=90)
    help = line(longest=300)
    button = line(longest=40)
    rights = line(longest=500)


class QuizOptionForm(StudioForm):
    """One answer of a quiz's question."""

    id: Any = HiddenField()
    en = line(longest=120)
    fr = line(longest=120)
    is_right: Any = BooleanField()


class QuizQuestionForm(StudioForm):
    """One question of a quiz, with its solution."""

    id: Any = HiddenField()
    en = line(longest=200)
    fr = line(longest=200)
    why_en = line(longest=500)
    why_fr = line(longest=500)
    options: Any = FieldList(FormField(QuizOptionForm))


class ActionForm(StudioForm):
    """One action of any kind; the page shows the fields of its own."""

    en: Any = FormField(ActionTextsForm)
    fr: Any = FormField(ActionTextsForm)
    key = line(longest=40)
    points = whole(0, 1000)
    chances = whole(0, 1000)
    repeat = one_of(*(repeat.value for repeat in Repeat))
    most_times: Any = WholeField(validators=[between(1, 1000)])
    needs_others = whole(0, 29)
    is_mandatory: Any = BooleanField()
    starts_at: Any = MomentField(format=_MOMENTS)
    ends_at: Any = MomentField(format=_MOMENTS)
    networks: Any = TickedField()
    network: Any = StringField()
    url = line(longest=500)
    seconds: Any = WholeField(validators=[between(1, 3600)])
    callback: Any = BooleanField()
    poster: Any = StringField()
    captions = line(longest=500)
    approval: Any = BooleanField()
    asks: Any = BooleanField()
    what: Any = StringField()
    most_per_person: Any = WholeField(validators=[between(1, 10)])
    tries: Any = WholeField(validators=[between(1, 10)])
    pass_mark: Any = WholeField(validators=[between(0, 30)])
    each: Any = BooleanField()
    questions: Any = FieldList(FormField(QuizQuestionForm))

    def chosen(self, campaign: Campaign, kind: ActionKind) -> campaigns.ActionInput:
        """What the marketer describes."""
        zone = campaign.timezone
        return campaigns.ActionInput(
            kind=kind,
            texts={code: self.part(code).data for code in i18n.LOCALES},
            settings=self._settings(),
            key=self.key.data or "",
            points=self.points.data,
            chances=self.chances.data,
            repeat=Repeat(self.repeat.data),
            most_times=self.most_times.data,
            needs_others=self.needs_others.data,
            is_mandatory=self.is_mandatory.data,
            starts_at=self.starts_at.data and aware(self.starts_at.data, zone),
            ends_at=self.ends_at.data and aware(self.ends_at.data, zone),
        )

    def _settings(self) -> dict[str, Any]:
        names = ("networks", "network", "url", "seconds", "callback", "poster", "captions", "approval", "asks", "what")
        settings = {name: self._fields[name].data for name in (*names, "most_per_person", "tries", "each")}
        rights = {code: self.part(code).rights.data for code in i18n.LOCALES}
        questions = [_question(row.form) for row in self.questions if _is_written(row.form)]
        return settings | {"pass": self.pass_mark.data, "rights": rights, "questions": questions}

    def blame_settings(self, error: Invalid, locale: str) -> None:
        """Show a refusal beside the field it names."""
        if error.field == "questions":
            self.form_errors.append(str(error))
        elif error.field in {"title", "help", "button", "rights"}:
            self.part(locale).blame(error)
        else:
            self.blame(Invalid(str(error), "pass_mark" if error.field == "pass" else error.field))

    def arrange(self, deed: str) -> None:
        """Show the questions as asked: one taken out (“drop-1”), or one more; each with room for answers."""
        rows = [row.data for row in self.questions if _is_written(row.form)]
        word, _dash, place = deed.partition("-")
        if word == "drop" and place.isdecimal():
            del rows[int(place) : int(place) + 1]
        if deed == "more" or not rows:
            rows.append({})
        while self.questions.entries:
            self.questions.pop_entry()
        for row in rows:
            options = [option for option in row.get("options", []) if option.get("en") or option.get("fr")]
            spare = max(OPTION_ROWS, min(len(options) + 1, action_settings.OPTIONS_LIMIT)) - len(options)
            self.questions.append_entry(row | {"options": options + [{}] * spare})


def fresh(kind: ActionKind, words: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What the form of a new action holds, with the title in each language."""
    points = action_settings.POINTS[kind]
    return {
        **words,
        "points": points,
        "chances": points,
        "repeat": action_settings.REPEATS[kind][0].value,
        "needs_others": 0,
        "networks": list(action_settings.SHARE_NETWORKS[:4]),
        "network": action_settings.FOLLOW_NETWORKS[0],
        "seconds": _SECONDS.get(kind),
        "what": action_settings.WORKS[0],
        "most_per_person": 1,
        "tries": 1,
        "pass_mark": 1,
    }


def of(action: Action, zone: str) -> dict[str, Any]:
    """What the form of an action holds."""
    settings = action.settings
    same = ("key", "points", "chances", "most_times", "needs_others", "is_mandatory")
    rights = settings.get("rights") or {}
    return {
        **{name: getattr(action, name) for name in same},
        **{name: value for name, value in settings.items() if name not in {"pass", "questions", "rights"}},
        **{code: words | {"rights": rights.get(code, "")} for code, words in action.texts.items()},
        "repeat": action.repeat.value,
        "starts_at": action.starts_at and on_the_wall(action.starts_at, zone),
        "ends_at": action.ends_at and on_the_wall(action.ends_at, zone),
        "pass_mark": settings.get("pass"),
        "questions": [_row(question) for question in settings.get("questions", ())],
    }


def _row(question: dict[str, Any]) -> dict[str, Any]:
    texts = question["texts"]
    row: dict[str, Any] = {"id": question["id"]}
    row |= {code: texts.get(code, {}).get("label", "") for code in i18n.LOCALES}
    row |= {f"why_{code}": texts.get(code, {}).get("why", "") for code in i18n.LOCALES}
    row["options"] = [
        {"id": option["id"], **option["texts"], "is_right": option["id"] in question["right"]}
        for option in question["options"]
    ]
    return row


def _is_written(row: Any) -> bool:
    return any(row[code].data for code in i18n.LOCALES) or any(
        option.form[code].data for option in row.options for code in i18n.LOCALES
    )


def _question(row: Any) -> dict[str, Any]:
    """A question as its action keeps it; ids stay, new answers get the next letter."""
    letters = [letter for letter in "abcdefgh" if letter not in {option.form.id.data for option in row.options}]
    options, right = [], []
    for option in row.options:
        identity = option.form.id.data or (letters.pop(0) if letters else "")
        options.append({"id": identity, "texts": {code: option.form[code].data or "" for code in i18n.LOCALES}})
        if option.form.is_right.data:
            right.append(identity)
    texts = {code: {"label": row[code].data or "", "why": row[f"why_{code}"].data or ""} for code in i18n.LOCALES}
    return {"id": row.id.data or f"q{secrets.token_hex(3)}", "texts": texts, "options": options, "right": right}


def deed() -> str:
    """What the pressed button asks for."""
    return request.form.get("do", "save")
