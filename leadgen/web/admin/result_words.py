"""What the results of a sequence say, in the reader's language: one sentence for each finding."""

from __future__ import annotations

from fractions import Fraction

from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.experiments.intervals import NOTICED, Interval
from leadgen.experiments.verdicts import Finding, Verdict
from leadgen.outcomes.models import HarmKind, VariantStop
from leadgen.outcomes.results import LetterResult, Lift, Which
from leadgen.outcomes.returns import Return


def hundredths(difference: float) -> str:
    """A difference of rates as people of a hundred, with one decimal (below a tenth with two), without a sign."""
    people = abs(difference) * 100
    return i18n.format_number(round(people, 1 if people >= 0.1 else 2))


def among(segment: str, sentence: str) -> str:
    """What holds inside a segment."""
    return _("%(segment)s: %(sentence)s") % {"segment": segment, "sentence": sentence}


def wording(key: str) -> str:
    """What a wording is called."""
    return key.upper() if len(key) == 1 else key


def finding(result: LetterResult) -> str:
    """The one thing that a test says."""
    verdict = result.verdict
    if verdict is None:
        return ""
    if result.stops:
        return stop(result.stops[0])
    if verdict.finding is Finding.UNTRUSTED:
        return _(
            "Do not trust this test: the wordings did not get the shares of people that they should have. "
            "Something is broken on the way."
        )
    if verdict.finding is Finding.SAME:
        return _same(result)
    if verdict.finding is Finding.GO_ON:
        return _go_on(result, verdict)
    names = [wording(one.variant) for one in result.counts]
    return _harmful(verdict, names) if verdict.finding is Finding.HARMFUL else _leads(result, verdict, names)


def _harmful(verdict: Verdict, names: list[str]) -> str:
    told = {"wording": ", ".join(names[place] for place in verdict.harmful)}
    return _("%(wording)s drives more people away than the others; within minutes it is taken out by itself.") % told


def _same(result: LetterResult) -> str:
    told = {"number": hundredths(NOTICED)}
    if result.by_goal:
        return _("The wordings differ by less than %(number)s goals per hundred people; keep the one you like.") % told
    return _("The wordings differ by less than %(number)s clicks per hundred people; keep the one you like.") % told


def _leads(result: LetterResult, verdict: Verdict, names: list[str]) -> str:
    low, high = hundredths(verdict.interval.low), hundredths(verdict.interval.high)
    told = {"first": names[verdict.first], "next": names[verdict.next], "low": low, "high": high}
    if len(names) > 2:
        if result.by_goal:
            return (
                _(
                    "%(first)s brings %(low)s to %(high)s more goals per hundred people than %(next)s, "
                    "and the others are behind; you may stop."
                )
                % told
            )
        return (
            _(
                "%(first)s brings %(low)s to %(high)s more clicks per hundred people than %(next)s, "
                "and the others are behind; you may stop."
            )
            % told
        )
    if result.by_goal:
        return _("%(first)s brings %(low)s to %(high)s more goals per hundred people; you may stop.") % told
    return _("%(first)s brings %(low)s to %(high)s more clicks per hundred people; you may stop.") % told


def _go_on(result: LetterResult, verdict: Verdict) -> str:
    trial = result.trial
    if trial is not None and trial.until is not None:
        return _("This test ended before anything was sure.")
    if verdict.more is None:
        return _("Nothing is sure, and at these rates hardly any number of people would change that.")
    more = ngettext(
        "about %(number)s person more is needed", "about %(number)s people more are needed", verdict.more
    ) % {"number": i18n.format_number(_rounded(verdict.more))}
    return _("Nothing is sure yet, go on: %(more)s.") % {"more": more}


def _rounded(number: int) -> int:
    """Two digits are enough for what is an estimate."""
    power = max(0, len(str(number)) - 2)
    return int(round(number, -power))


def tone(result: LetterResult) -> str:
    """The colour of the finding; the sentence says the same."""
    if result.stops:
        return "warning"
    verdict = result.verdict
    if verdict is None:
        return ""
    tones = {Finding.UNTRUSTED: "danger", Finding.HARMFUL: "danger", Finding.LEADS: "success", Finding.SAME: "success"}
    return tones.get(verdict.finding, "")


def stop(one: VariantStop) -> str:
    """That a guard rail took out a wording, and why."""
    mine = one.figures.get(one.variant, {"people": 0, "harms": 0})
    others = [figures for key, figures in one.figures.items() if key != one.variant]
    told = {
        "wording": wording(one.variant),
        "harms": i18n.format_number(mine["harms"]),
        "people": i18n.format_number(mine["people"]),
        "other_harms": i18n.format_number(sum(figures["harms"] for figures in others)),
        "other_people": i18n.format_number(sum(figures["people"] for figures in others)),
    }
    if one.kind is HarmKind.COMPLAINTS:
        return (
            _(
                "%(wording)s was taken out by itself: %(harms)s complaints from %(people)s people, "
                "against %(other_harms)s from %(other_people)s. Its share goes to the other wordings."
            )
            % told
        )
    return (
        _(
            "%(wording)s was taken out by itself: %(harms)s of %(people)s people unsubscribed, "
            "against %(other_harms)s of %(other_people)s. Its share goes to the other wordings."
        )
        % told
    )


def lift(found: Lift, *, days: int = 0) -> str:
    """What having the sequence brings more than not having it; `days` is the goal's window, where that is told."""
    if not found.treated.people or not found.held.people:
        return _("It is too early: nobody’s %(days)s days for the goal are over on both sides.") % {"days": days}
    if found.is_off:
        return _(
            "Do not trust this comparison: more or fewer people were held out than should have been. "
            "Something is broken on the way."
        )
    return difference(found.interval)


def difference(interval: Interval) -> str:
    """What letters bring more than none."""
    told = {"low": hundredths(interval.low), "high": hundredths(interval.high)}
    if interval.is_more:
        return _("The letters bring %(low)s to %(high)s more goals per hundred people than none.") % told
    if interval.is_less:
        fewer = {"low": told["high"], "high": told["low"]}
        return _("The letters cost goals: %(low)s to %(high)s fewer per hundred people than without any.") % fewer
    return (
        _(
            "It cannot be told yet whether the letters bring anything: between %(low)s goals fewer and %(high)s more "
            "per hundred people."
        )
        % told
    )


def lift_tone(found: Lift) -> str:
    """The colour of the comparison."""
    if not found.treated.people or not found.held.people:
        return ""
    if found.is_off or found.written_to:
        return "danger"
    return "success" if found.interval.is_more else "warning" if found.interval.is_less else ""


def paid(found: Return, currency: str) -> str:
    """Whether it pays, in one sentence."""
    low, high = (i18n.format_money(round(amount, -2), currency) for amount in found.gain_interval)
    told = {"low": low, "high": high, "cost": i18n.format_money(found.cost, currency)}
    if found.is_sure:
        return _("It pays: between %(low)s and %(high)s more, for %(cost)s.") % told
    if found.gain_interval[1] <= found.cost:
        return _("It does not pay: between %(low)s and %(high)s more, for %(cost)s.") % told
    return _("It is not sure yet that it pays: between %(low)s and %(high)s more, for %(cost)s.") % told


def ratio(found: Fraction | None) -> str:
    """The return on investment, in percent; a dash where nothing was spent."""
    if found is None:
        return "–"
    number = i18n.format_number(round(abs(found) * 100))
    return _("%(number)s%%") % {"number": f"−{number}" if found < 0 else number}


def goals(number: Fraction | float) -> str:
    """How many goals more, signed."""
    rounded = round(float(number), 1)
    shown = i18n.format_number(abs(rounded))
    return f"−{shown}" if rounded < 0 else f"+{shown}" if rounded else shown


def behind(which: str) -> str:
    """The heading of a list of people."""
    return {
        Which.PEOPLE.value: _("Planned for"),
        Which.LEFT.value: _("Sent"),
        Which.DELIVERED.value: _("Delivered"),
        Which.CLICKED.value: _("Clicked"),
        Which.REACHED.value: _("Reached the goal"),
        Which.UNSUBSCRIBED.value: _("Unsubscribed"),
        Which.COMPLAINED.value: _("Complained"),
        "treated": _("Had the sequence"),
        "treated_reached": _("Had the sequence and reached the goal"),
        "held": _("Held out"),
        "held_reached": _("Held out and reached the goal"),
    }[which]
