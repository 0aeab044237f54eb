"""Why a mail stands where it stands, in words: the codes that the outbox writes, and what people read."""

from __future__ import annotations

from leadgen.core.i18n import gettext as _


def reason_in_words(code: str) -> str:
    """The reason behind a status in the current language; a code that nobody named is shown as it is."""
    head, _colon, rest = code.partition(":")
    if head == "by_hand" and rest:
        return _("%(name)s did it by hand") % {"name": rest}
    if head.startswith(("smtp_4", "smtp_5")):
        return _("the mail server refused it: %(answer)s") % {"answer": head.removeprefix("smtp_")}
    if head.startswith("answer_"):
        return _("the provider answered %(answer)s") % {"answer": head.removeprefix("answer_")}
    return (_of_people() | _of_providers()).get(head, code) if code else ""


def machine_in_words(code: str) -> str:
    """Why a click was a machine's, in the current language."""
    return {
        "head": _("it looked without opening"),
        "prefetch": _("it was fetched in advance"),
        "agent": _("a known program, not a browser"),
        "too_soon": _("seconds after delivery, from another network or browser"),
        "all_links": _("all links of the mail at once"),
    }.get(code, code)


def _of_people() -> dict[str, str]:
    return {
        "erased": _("the person had their data erased"),
        "too_late": _("it was no longer worth sending"),
        "unsubscribe": _("the person unsubscribed"),
        "hard_bounce": _("the mailbox does not exist"),
        "complaint": _("the person reported a mail as spam"),
        "refused": _("the person said that it was not them"),
        "manual": _("the address was blocked by hand"),
        "address_limit": _("too many confirmation mails to this address"),
        "address_corrected": _("the address was corrected since"),
        "page_viewed": _("the confirmation page had been opened, so no reminder was due"),
        "not_pending": _("the entry was no longer waiting for its confirmation"),
        "not_confirmed": _("the entry is not confirmed"),
        "campaign_over": _("the contest is over"),
        "step_removed": _("the step was removed from its sequence"),
        "sequence_paused": _("its sequence was paused"),
        "withdrawn": _("the person withdrew the consent to marketing"),
        "broadcast_cancelled": _("the broadcast was cancelled"),
        "stream_paused": _("the stream was paused just before"),
        "not_checked": _("whether it may still leave could not be checked just before; it is tried again"),
        "not_judged": _("its sequence could not be asked whether it may leave; it is tried again in an hour"),
        "no_consent": _("the person has not agreed to marketing"),
        "unverified": _("the address is not confirmed"),
        "condition": _("the condition of the letter is not met"),
        "goal": _("the goal of the sequence was reached"),
        "exit_event": _("something happened that ends the sequence"),
        "exit_condition": _("a condition holds that ends the sequence"),
        "letter_condition": _("the condition of the letter is not met, which ends the sequence"),
        "left_audience": _("the person is no longer one of those whom the sequence is for"),
        "disqualified": _("the person is excluded from the contest"),
        "unsound": _("a condition asks for something that is there no more"),
        "priority": _("a more important mail to the same person goes first"),
        "held": _("the mailbox refused three of the last five mails"),
        "frequency_cap": _("the person had a mail in the last 48 hours"),
        "quiet_hours": _("it was night where the person lives"),
    }


def _of_providers() -> dict[str, str]:
    return {
        "process_lost": _("the sending process ended before the answer"),
        "no_answer": _("the provider’s answer was lost"),
        "timeout": _("the provider’s answer was lost"),
        "again": _("sent once more, because the first answer was lost"),
        "rate_limited": _("the provider asked for a pause"),
        "sender_refused": _("the provider refused our access"),
        "not_encrypted": _("the mail server offers no encryption, and the password is not sent without"),
        "not_trusted": _("the mail server’s certificate is not to be trusted"),
        "sender_address": _("the mail server refuses the sender’s address"),
        "tried_too_long": _("it was refused for three days"),
        "out_of_time": _("the provider was too slow; it is tried again at once"),
        "provider_away": _("the provider could not be reached"),
        "connection_lost": _("the connection to the provider broke"),
        "refused_batch": _("the provider refused the whole batch"),
        "address": _("the provider refused the address"),
        "content": _("the provider refused the letter"),
        "too_large": _("the letter is too large"),
        "cannot_render": _("the letter could not be put together"),
        "blocked": _("the mailbox refused the mail for now"),
        "dropped": _("the provider dropped the mail"),
        "hard": _("the mailbox does not exist"),
    }
