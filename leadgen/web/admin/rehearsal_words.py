"""What a rehearsal says: each line as a sentence, each question on the way, and why somebody gets nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.mail.reasons import reason_in_words
from leadgen.nurture import wording
from leadgen.nurture.definition import Branch, Definition, Letter
from leadgen.nurture.service import exit_reason
from leadgen.nurture.wording import Names
from leadgen.rehearsals.plots import Kind, Line, Met
from leadgen.segments import sentences
from leadgen.segments.catalogue import Catalogue

_ICONS = {
    Kind.BEGAN: "play", Kind.NOT_BEGUN: "pause", Kind.HELD_OUT: "pause", Kind.WENT_ON: "check", Kind.TIMED_OUT: "clock",
    Kind.BRANCHED: "branch", Kind.PLANNED: "clock", Kind.MOVED: "clock", Kind.SENT: "mail", Kind.GOAL: "goal",
    Kind.EXITED: "out", Kind.FINISHED: "flag",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Speaking:
    """What is needed to speak of a definition's lines; times within sentences are those of `zone`."""

    definition: Definition
    names: Names
    catalogue: Catalogue
    zone: str

    def step(self, key: str) -> str:
        """A step by its words."""
        step = self.definition.step(key)
        return wording.step_name(step, self.catalogue) if step else key

    def sentence(self, line: Line) -> str:
        """A line of a rehearsal."""
        said = {
            "step": self.step(line.step_key),
            "reason": reason_in_words(line.reason),
            "time": _time(line.until, self.zone),
            "what": self._event(line.step_key),
            "share": self.definition.holdout,
        }
        return (self._of_letter(line) or self._of_way(line)) % said

    def _of_letter(self, line: Line) -> str:
        if line.kind is Kind.SENT and line.until:
            return _("“%(step)s” leaves, by %(time)s at the latest")
        return {
            Kind.PLANNED: _("“%(step)s” is due"),
            Kind.MOVED: _("“%(step)s” waits until %(time)s: %(reason)s"),
            Kind.SENT: _("“%(step)s” leaves"),
            Kind.SKIPPED: _("“%(step)s” is not sent: %(reason)s"),
            Kind.EXPIRED: _("“%(step)s” is not sent: %(reason)s"),
            Kind.CANCELLED: _("“%(step)s” is not sent: %(reason)s"),
        }.get(line.kind, "")

    def _of_way(self, line: Line) -> str:
        if line.kind is Kind.BRANCHED:
            if line.is_unsound:
                return _("“%(step)s” cannot be told: way “no”")
            return _("Way “yes”, being one of: %(step)s") if line.way else _("Way “no”, not being one of: %(step)s")
        if line.kind is Kind.NOT_BEGUN:
            return _("It does not begin: %(why)s").replace("%(why)s", bar(line.reason).replace("%", "%%"))
        if line.kind is Kind.EXITED:
            return _("The sequence ends early: %(why)s").replace("%(why)s", exit_reason(line.reason).replace("%", "%%"))
        return {
            Kind.BEGAN: _("The sequence begins"),
            Kind.HELD_OUT: _("Gets nothing: one of the %(share)d %% who are held out, to be compared with the others"),
            Kind.WENT_ON: _("It happens what was waited for: %(what)s"),
            Kind.TIMED_OUT: _("It does not happen in time what was waited for: %(what)s"),
            Kind.RETIMED: _("“%(step)s” waits for longer, as the contest does not end yet"),
            Kind.GOAL: _("The goal is reached"),
            Kind.FINISHED: _("The last step is behind them"),
        }.get(line.kind, "%(step)s")

    def _event(self, key: str) -> str:
        step = self.definition.step(key)
        return wording.happening(step.wait.event, self.names) if step and step.wait.event else ""

    def reason(self, code: str) -> str:
        """Why a letter waits or does not leave."""
        return reason_in_words(code)

    def wait(self, line: Line) -> str:
        """Why at this moment: the wait of the step."""
        step = self.definition.step(line.step_key)
        return wording.wait(step.wait, self.names) if step else ""

    def variant(self, line: Line) -> str:
        """Which wording of several this person gets, and which share does."""
        letter = self.definition.step(line.step_key)
        if not line.variant or not isinstance(letter, Letter):
            return ""
        weights: Mapping[str, int] = {one.key: one.weight for one in letter.variants}
        share = round(100 * weights.get(line.variant, 0) / max(1, sum(weights.values())))
        return _("wording %(name)s, as %(share)d %% of the people") % {"name": line.variant.upper(), "share": share}

    def question(self, met: Met) -> str:
        """Something that may go one way or the other."""
        fixed = {"may": _("They may be written to"), "holdout": _("They are held out, and get nothing")}
        if met.key in fixed:
            return fixed[met.key]
        if met.happening is not None:
            what = wording.happening(met.happening, self.names)
            return {"goal": _("Goal: %(what)s"), "exit": _("Exit: %(what)s")}.get(
                met.key.partition(":")[0], _("Event: %(what)s")
            ) % {"what": what}
        return self._asked(met) % {
            "who": sentences.sentence(self.catalogue, met.condition or {"all": []}),
            "step": self.step(met.step_key),
        }

    def _asked(self, met: Met) -> str:
        if met.key.startswith("when:"):
            is_fork = isinstance(self.definition.step(met.step_key), Branch)
            return _("Fork: %(who)s") if is_fork else _("“%(step)s” is for them: %(who)s")
        if met.key.startswith("exit:"):
            return _("Exit: %(who)s") if met.condition else _("Exit: they are one of those whom it ends for")
        return _("It is for them: %(who)s") if met.key == "who" else _("It still is for them: %(who)s")


def icon(line: Line) -> str:
    """The mark of a line; the sentence says the same."""
    return _ICONS.get(line.kind, "out")


def bar(reason: str) -> str:
    """Why a sequence does not begin for somebody."""
    return {
        "erased": _("their data are erased"),
        "not_entered": _("they did not enter this contest"),
        "not_confirmed": _("their entry is not confirmed"),
        "no_consent": _("they did not agree to marketing mails"),
        "who": _("they are not among those whom it is for"),
        "no_steps": _("the sequence has no step yet"),
    }.get(reason, reason)


def ending(reason: str) -> str:
    """How somebody's way ended: on its last step, or before it."""
    return _("went through to the end") if reason == "finished" else exit_reason(reason)


def _time(moment: datetime | None, zone: str) -> str:
    return i18n.format_datetime(moment, zone, "medium") if moment else ""
