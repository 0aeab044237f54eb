"""What each finding about a sender means and what to do about it, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from babel.dates import format_timedelta

from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.mail.pauses import Notice
from leadgen.mail.sender_dns import Finding, Light
from leadgen.web.admin import words


def light(value: Light) -> str:
    """What a light says without its colour."""
    return {
        Light.GREEN: _("Good"),
        Light.AMBER: _("Could be better"),
        Light.RED: _("To repair"),
        Light.UNKNOWN: _("Not known"),
    }[value]


def tone(value: Light) -> str:
    """The colour of a light."""
    return {Light.GREEN: "success", Light.AMBER: "warning", Light.RED: "danger"}.get(value, "")


def title(key: str) -> str:
    """What was looked at."""
    return {
        "settings": _("Access to the mail provider"),
        "spf": _("SPF: who may send for the domain"),
        "dkim": _("DKIM: the signature of every mail"),
        "return_path": _("Return path: where refused mails go"),
        "dmarc": _("DMARC: what happens to forged mails"),
        "mx": _("A place for answers"),
        "one_click": _("Unsubscribing with one click"),
        "complaints": _("Complaints"),
        "bounces": _("Addresses that do not exist"),
    }[key]


def sentence(finding: Finding) -> str:
    """What was found."""
    say = (_SETTINGS | _RECORDS | _MAILS)[finding.code]
    return say() % (finding.values | _shares(finding))


def advice(finding: Finding) -> str:
    """What to do about it; empty when there is nothing to do."""
    if finding.code in _ADVICE:
        return _ADVICE[finding.code]() % finding.values
    return _("Publish this record where the domain’s DNS is kept, then check again.") if finding.records else ""


def age(checked_at: datetime, now: datetime) -> str:
    """How long ago the check was."""
    spoken = format_timedelta(checked_at - now, add_direction=True, locale=i18n.locale(), threshold=1.2)
    return _("Checked %(ago)s") % {"ago": spoken}


def notice(found: Notice) -> str:
    """Why no mail leaves, for the banner on every page."""
    return {
        "sender_refused": _("The mail provider refuses our access. Look at the key or password in the settings."),
        "not_encrypted": _("The mail server offers no encryption, so the password is not sent. Use port 465 or 587."),
        "not_trusted": _("The mail server’s certificate is not to be trusted. Look at its name and its date."),
    }.get(found.code, _("The mail provider refuses our access. Look at the key or password in the settings."))


def _shares(finding: Finding) -> dict[str, str]:
    if "share" not in finding.values:
        return {}
    return {
        "share": words.percent(float(finding.values["share"])),
        "mails": i18n.format_number(int(finding.values["mails"])),
    }


_Say = Callable[[], str]
_SETTINGS: dict[str, _Say] = {
    "sendgrid_works": lambda: _("The key may send, and SendGrid took a mail in test mode."),
    "smtp_works": lambda: _("The mail server answers and lets us in."),
    "folder_writable": lambda: _("Mails are written to files here; nothing leaves this machine."),
    "folder_not_writable": lambda: _("The folder for mails cannot be written to: %(answer)s"),
    "key_may_not_send": lambda: _("The key is valid, but may not send mails."),
    "key_refused": lambda: _("SendGrid refuses the key: %(answer)s"),
    "refused": lambda: _("The provider refused the test: %(answer)s"),
    "no_connection": lambda: _("The provider could not be reached: %(answer)s"),
    "sender_refused": lambda: _("The mail server refuses the name or the password: %(answer)s"),
    "not_encrypted": lambda: _("The mail server offers no encryption, so the password was not sent."),
    "not_trusted": lambda: _("The mail server’s certificate is not to be trusted: %(answer)s"),
}
_RECORDS: dict[str, _Say] = {
    "dns_unknown": lambda: _("The DNS did not answer. That says nothing about the domain."),
    "spf_missing": lambda: _("There is no SPF record."),
    "spf_many": lambda: _("There are %(number)s SPF records. With more than one, none counts."),
    "spf_open": lambda: _("The record lets everybody send: %(record)s"),
    "spf_lookups": lambda: _("Receivers would have to ask %(number)s questions; they stop after ten, and SPF fails."),
    "spf_without_provider": lambda: _("The record does not name your mail provider: %(record)s"),
    "spf_no_end": lambda: _("The record does not say what to think of others: %(record)s"),
    "spf_good": lambda: _("One record, %(number)s questions of ten: %(record)s"),
    "dkim_good": lambda: _("The keys are where receivers look for them."),
    "dkim_missing": lambda: _("Receivers do not find the keys."),
    "dkim_smtp": lambda: _("Your mail server signs, or does not: that cannot be seen from here."),
    "dkim_file": lambda: _("Mails that are written to files are not signed."),
    "not_authenticated": lambda: _("SendGrid does not know %(domain)s as an authenticated domain."),
    "return_path_good": lambda: _("Refused mails come back to your domain."),
    "return_path_own": lambda: _("Refused mails come back to %(domain)s."),
    "return_path_missing": lambda: _("Refused mails do not come back to your domain, so SPF does not count for it."),
    "return_path_unknown": lambda: _("SendGrid did not say which return path it uses."),
    "return_path_file": lambda: _("Mails that are written to files do not come back."),
    "dmarc_missing": lambda: _("There is no DMARC record. Gmail and Outlook refuse large senders without one."),
    "dmarc_many": lambda: _("There are %(number)s DMARC records. With more than one, none counts."),
    "dmarc_broken": lambda: _("The record has no policy that receivers know: %(record)s"),
    "dmarc_no_reports": lambda: _("Nobody gets the reports: %(record)s"),
    "dmarc_watches": lambda: _("The record watches and does not protect yet: %(record)s"),
    "dmarc_good": lambda: _("Forged mails are kept away, and you get the reports: %(record)s"),
    "mx_good": lambda: _("%(domain)s takes mail, so answers arrive."),
    "mx_missing": lambda: _("%(domain)s takes no mail. Some receivers refuse senders who cannot be answered."),
}
_MAILS: dict[str, _Say] = {
    "one_click": lambda: _("Every marketing mail carries both headers, and the address begins with https."),
    "one_click_http": lambda: _("The public address %(address)s does not begin with https."),
    "one_click_broken": lambda: _("A marketing mail lacks one of the two headers."),
    "one_click_untried": lambda: _("There is no campaign yet whose mail could be looked at."),
    "too_few": lambda: _("Only %(mails)s mails in the last 30 days: too few to judge."),
    "complaints_green": lambda: _("%(share)s of the last %(mails)s mails were called spam."),
    "complaints_amber": lambda: _("%(share)s of the last %(mails)s mails were called spam; Gmail wants under 0.1 %%."),
    "complaints_red": lambda: _("%(share)s of the last %(mails)s mails were called spam; from 0.3 %% on Gmail blocks."),
    "bounces_green": lambda: _("%(share)s of the last %(mails)s mails went to addresses that do not exist."),
    "bounces_amber": lambda: _("%(share)s of the last %(mails)s mails went to addresses that do not exist: over 2 %%."),
    "bounces_red": lambda: _("%(share)s of the last %(mails)s mails went to addresses that do not exist: over 5 %%."),
}
_ADVICE: dict[str, _Say] = {
    "key_may_not_send": lambda: _("In SendGrid, under Settings → API Keys, give the key the right “Mail Send”."),
    "key_refused": lambda: _("Make a new key in SendGrid and set SENDGRID_API_KEY. Mail goes on by itself then."),
    "no_connection": lambda: _("Look at the address in the settings, and at the firewall between here and there."),
    "sender_refused": lambda: _("Correct the name and password in SMTP_URL. Mail goes on by itself then."),
    "not_encrypted": lambda: _("Use port 465 (smtps://) or 587 with STARTTLS, or a relay that needs no password."),
    "not_trusted": lambda: _("The name in SMTP_URL must be the one in the server’s certificate."),
    "folder_not_writable": lambda: _("Give the product the right to write to MAIL_DIR."),
    "spf_many": lambda: _("Put them into one record that begins with v=spf1."),
    "spf_open": lambda: _("End the record with ~all in place of +all."),
    "spf_lookups": lambda: _("Take out services that no longer send for you, or name their networks with ip4:."),
    "spf_no_end": lambda: _("End the record with ~all."),
    "dkim_missing": lambda: _("In SendGrid, under Settings → Sender Authentication, copy the records to your DNS."),
    "dkim_smtp": lambda: _("Send a test letter to an address at Gmail and choose “Show original”: DKIM must say PASS."),
    "not_authenticated": lambda: _("In SendGrid, open Settings → Sender Authentication and authenticate the domain."),
    "return_path_unknown": lambda: _("Give the key the right to read “Sender Authentication” to see it here."),
    "dmarc_many": lambda: _("Keep one and delete the others."),
    "dmarc_no_reports": lambda: _("Add rua=mailto: and an address that you read."),
    "dmarc_watches": lambda: _("Once the reports show only your own mails, change p=none to p=quarantine."),
    "mx_missing": lambda: _("Publish an MX record, or send from a domain that has one."),
    "one_click_http": lambda: _("Set BASE_URL to an https address. Mailbox providers show no button without it."),
    "one_click_broken": lambda: _("This is a fault of the product: please report it."),
    "complaints_amber": lambda: _("Write less often, to people who clicked lately, and say in the first line why."),
    "complaints_red": lambda: _("Stop broadcasts until you know which letter people report."),
    "bounces_amber": lambda: _("Look at where these addresses came from."),
    "bounces_red": lambda: _("Stop broadcasts and leave out the source of these addresses."),
}
