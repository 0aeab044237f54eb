"""The studio's words for states, kinds and figures, in the reader's language."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from babel.numbers import format_decimal

from leadgen.analytics import service as analytics
from leadgen.broadcasts.models import BroadcastStatus
from leadgen.campaigns.models import CampaignStatus, QuestionKind
from leadgen.contacts.models import SuppressionReason
from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.entries.models import EntryStatus, LedgerKind
from leadgen.letters import kinds
from leadgen.mail import reasons
from leadgen.mail.models import MessageStatus


def campaign_status(status: str) -> str:
    """What a campaign's state is called."""
    return {
        CampaignStatus.DRAFT: _("Draft"),
        CampaignStatus.SCHEDULED: _("Scheduled"),
        CampaignStatus.LIVE: _("Live"),
        CampaignStatus.PAUSED: _("Paused"),
        CampaignStatus.CLOSING: _("Closing"),
        CampaignStatus.CLOSED: _("Closed"),
        CampaignStatus.DRAWING: _("Drawing"),
        CampaignStatus.AWARDED: _("Awarded"),
        CampaignStatus.ARCHIVED: _("Archived"),
    }[CampaignStatus(status)]


def campaign_tone(status: str) -> str:
    """The colour of a campaign's state; the word beside it says the same."""
    tones = {
        CampaignStatus.LIVE: "success",
        CampaignStatus.SCHEDULED: "accent",
        CampaignStatus.PAUSED: "warning",
        CampaignStatus.CLOSING: "warning",
    }
    return tones.get(CampaignStatus(status), "")


def entry_status(status: str) -> str:
    """What an entry's state is called."""
    return {
        EntryStatus.PENDING: _("Not confirmed yet"),
        EntryStatus.CONFIRMED: _("Confirmed"),
        EntryStatus.EXPIRED: _("Expired"),
        EntryStatus.BOUNCED: _("Bounced"),
        EntryStatus.REFUSED: _("Refused"),
        EntryStatus.ERASED: _("Erased"),
    }[EntryStatus(status)]


def entry_tone(status: str) -> str:
    """The colour of an entry's state."""
    tones = {EntryStatus.CONFIRMED: "success", EntryStatus.PENDING: "warning", EntryStatus.BOUNCED: "danger"}
    return tones.get(EntryStatus(status), "")


def message_status(status: str) -> str:
    """What a mail's state is called."""
    return {
        MessageStatus.SCHEDULED: _("Waiting"),
        MessageStatus.SENDING: _("Being sent"),
        MessageStatus.ACCEPTED: _("Sent"),
        MessageStatus.DELIVERED: _("Delivered"),
        MessageStatus.UNCERTAIN: _("Not known"),
        MessageStatus.BOUNCED: _("Bounced"),
        MessageStatus.SUPPRESSED: _("Not sent: the address is blocked"),
        MessageStatus.SKIPPED: _("Skipped"),
        MessageStatus.EXPIRED: _("Too late, not sent"),
        MessageStatus.CANCELLED: _("Cancelled"),
        MessageStatus.FAILED: _("Failed"),
    }[MessageStatus(status)]


def message_tone(status: str) -> str:
    """The colour of a mail's state."""
    if status in {MessageStatus.ACCEPTED, MessageStatus.DELIVERED}:
        return "success"
    if status in {MessageStatus.BOUNCED, MessageStatus.FAILED}:
        return "danger"
    return "warning" if status in {MessageStatus.UNCERTAIN, MessageStatus.EXPIRED} else ""


def broadcast_status(status: str) -> str:
    """What a broadcast's state is called."""
    return {
        BroadcastStatus.DRAFT: _("Draft"),
        BroadcastStatus.SCHEDULED: _("Scheduled"),
        BroadcastStatus.EXPANDING: _("Being sent"),
        BroadcastStatus.SENDING: _("Being sent"),
        BroadcastStatus.SENT: _("Sent"),
        BroadcastStatus.CANCELLED: _("Cancelled"),
    }[BroadcastStatus(status)]


def broadcast_tone(status: str) -> str:
    """The colour of a broadcast's state."""
    tones = {BroadcastStatus.SCHEDULED: "accent", BroadcastStatus.SENT: "success"}
    return tones.get(BroadcastStatus(status), "warning" if status in {"expanding", "sending"} else "")


def mailboxes(group: str) -> str:
    """What a group of recipients' mailboxes is called."""
    known = {
        "gmail": "Gmail", "microsoft": "Outlook, Hotmail", "yahoo": "Yahoo, AOL", "apple": "iCloud", "orange": "Orange",
        "free": "Free", "sfr": "SFR", "laposte": "La Poste",
    }  # fmt: skip
    return known.get(group, _("Other mailboxes"))


def about(seconds: float) -> str:
    """How long something takes, roughly: people plan with minutes, hours and days."""
    if seconds < 50:
        return _("less than a minute")
    minutes = ceil(seconds / 60)
    if minutes < 90:
        return ngettext("about %(number)d minute", "about %(number)d minutes", minutes) % {"number": minutes}
    hours = ceil(seconds / 3600)
    if hours < 36:
        return ngettext("about %(number)d hour", "about %(number)d hours", hours) % {"number": hours}
    days = ceil(seconds / 86400)
    return ngettext("about %(number)d day", "about %(number)d days", days) % {"number": days}


def message_reason(code: str) -> str:
    """Why a mail stands where it stands."""
    return reasons.reason_in_words(code)


def question_kind(kind: str) -> str:
    """What a kind of question is called."""
    return {
        QuestionKind.TEXT: _("Text"),
        QuestionKind.CHOICE: _("One choice"),
        QuestionKind.MANY: _("Several choices"),
        QuestionKind.NUMBER: _("Number"),
        QuestionKind.DATE: _("Date"),
        QuestionKind.YES_NO: _("Yes or no"),
    }[QuestionKind(kind)]


def channel(name: str) -> str:
    """What a share channel is called; an unknown one keeps its name."""
    known = {
        "wa": "WhatsApp", "fb": "Facebook", "x": "X", "li": "LinkedIn", "tg": "Telegram", "sms": "SMS",
        "em": _("E-mail"), "qr": _("QR code"), "copy": _("Copied link"), "native": _("Phone’s share menu"),
        "kiosk": _("Kiosk"), "embed": _("Embedded form"), "": _("Unnamed link"),
    }  # fmt: skip
    return known.get(name, name)


def source(name: str) -> str:
    """From where somebody came who came without a friend."""
    if name in {"kiosk", "embed"}:
        return channel(name)
    return {"": _("Directly"), analytics.REST: _("Other sources")}.get(name, name)


def language(code: str) -> str:
    """A language's name in the reader's language."""
    return {"en": _("English"), "fr": _("French")}.get(code, code)


def language_title(code: str) -> str:
    """The same as a heading: with a capital in every language."""
    word = language(code)
    return word[:1].upper() + word[1:]


def fact(name: str) -> str:
    """What a fact of the journal says to a marketer; an unknown one keeps its name."""
    return {
        "entry.created": _("Sent the entry form"),
        "entry.repeated": _("Sent the entry form again"),
        "entry.asked": _("Asked for the mail again"),
        "entry.confirmed": _("Confirmed the address"),
        "entry.corrected": _("Corrected the address"),
        "entry.refused": _("Said that the entry was not theirs"),
        "entry.expired": _("Did not confirm in time"),
        "entry.reattributed": _("Is credited to somebody else"),
        "entry.reviewed": _("Was checked"),
        "referral.held": _("A friend is being checked, or waits"),
        "referral.refused": _("A friend does not count"),
        "referral.reversed": _("A friend counts no more"),
        "referral.surged": _("Got very many friends in a day"),
        "referral.unknown": _("Typed a code that nobody has"),
        "points.taken": _("Points were taken back"),
        "points.returned": _("Points were given back"),
        "referral.counted": _("Brought a friend who confirmed"),
        "question.answered": _("Answered a question"),
        "question.withdrawn": _("Took answers back"),
        "form.finished": _("Finished the form"),
        "letter.clicked": _("Clicked a link in a letter"),
        "consent.given": _("Agreed to marketing mails"),
        "consent.withdrawn": _("Withdrew the consent to marketing mails"),
        "contact.suppressed": _("The address was blocked"),
        "contact.released": _("The address was unblocked"),
        "sale.recorded": _("Bought something"),
        "contact.corrected": _("Corrected their data"),
        "contact.erased": _("Everything personal was erased"),
        "work.submitted": _("Handed in a work"),
        "work.published": _("A work was accepted"),
        "work.refused": _("A work was refused"),
        "work.withdrawn": _("Withdrew a work"),
        "sequence.entered": _("Entered the sequence"),
        "sequence.exited": _("Left the sequence"),
        "sequence.finished": _("Finished the sequence"),
    }.get(name) or _won_and_judged(name)


def _won_and_judged(name: str) -> str:
    return {
        "action.credited": _("Did an action that earns points"),
        "action.refused": _("An action was not accepted"),
        "appeal.answered": _("Got an answer about a decision"),
        "appeal.received": _("Wrote about a decision"),
        "review.decided": _("The review decided"),
        "review.returned": _("A decision of the review was taken back"),
        "score.crossed": _("Moved into another band of the score"),
        "reward.earned": _("Earned a reward"),
        "reward.given": _("Got a reward"),
        "reward.taken": _("A reward was taken back"),
    }.get(name, name)


def letter(name: str) -> str:
    """What a letter is called; of a sequence, that it is one."""
    return kinds.title(name) if name in kinds.ALL else name


def suppression(reason: str) -> str:
    """Why an address is not written to."""
    return {
        SuppressionReason.UNSUBSCRIBE: _("Unsubscribed: gets no marketing mails."),
        SuppressionReason.HARD_BOUNCE: _("The address does not exist: gets no mails."),
        SuppressionReason.COMPLAINT: _("Reported a mail as spam: gets no mails."),
        SuppressionReason.REFUSED: _("Said that the entry was not theirs: gets no mails."),
        SuppressionReason.MANUAL: _("Blocked by hand: gets no mails."),
    }[SuppressionReason(reason)]


def ledger_kind(kind: str) -> str:
    """What points were given for."""
    return {
        LedgerKind.ENTRY: _("Entering"),
        LedgerKind.REFERRAL: _("A friend confirmed"),
        LedgerKind.ANSWER: _("An answer"),
        LedgerKind.INDIRECT: _("A friend of a friend confirmed"),
        LedgerKind.QUALITY: _("A friend with a full profile, or who stayed"),
        LedgerKind.VISIT: _("A visit of the link"),
        LedgerKind.ACTION: _("An action"),
        LedgerKind.MANUAL: _("By hand"),
        LedgerKind.REVERSAL: _("Taken back"),
    }[LedgerKind(kind)]


def percent(part: float | None) -> str:
    """A share in whole percent, with one decimal below ten; a dash when there is nothing to divide by."""
    if part is None:
        return "–"
    hundredths = part * 100
    shown = i18n.format_number(round(hundredths, 1) if 0 < hundredths < 10 else round(hundredths))
    return _("%(number)s%%") % {"number": shown}


def ratio(value: float | None) -> str:
    """K with two decimals; a dash when there is nothing to divide by."""
    if value is None:
        return "–"
    return str(format_decimal(value, "0.00", locale=i18n.locale()))


def days_left(starts_at: datetime, ends_at: datetime, now: datetime) -> str:
    """How far a campaign is from its start or end, in days or hours."""
    if now < starts_at:
        return _("starts in %(time)s") % {"time": _span((starts_at - now).total_seconds())}
    if now < ends_at:
        return _("%(time)s left") % {"time": _span((ends_at - now).total_seconds())}
    return _("ended")


def _span(seconds: float) -> str:
    hours = ceil(seconds / 3600)
    if hours < 48:
        return ngettext("%(number)d hour", "%(number)d hours", hours) % {"number": hours}
    days = hours // 24
    return ngettext("%(number)d day", "%(number)d days", days) % {"number": days}
