"""Whether a brand's mail is welcome: what the big mailbox providers ask of a sender, checked in a job and kept.

Sources of the limits: Google's rules for senders (complaints under 0.1 %, never 0.3 %), RFC 8058 (https, both headers),
and the breakers' own limits for bounces. No page waits for the DNS: it shows what the last check found, and how old
that is.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.core import clock, notes, queue, settings
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.core.queue import QueueName
from leadgen.letters import rendering, samples
from leadgen.letters.rendering import OwnWords
from leadgen.mail import delivery, sender_dns
from leadgen.mail.models import SenderCheck
from leadgen.mail.providers.chosen import provider
from leadgen.mail.providers.interface import Batch
from leadgen.mail.providers.sendgrid import SendGridProvider
from leadgen.mail.sender_dns import Finding, Light, Sender

JOB = "leadgen.mail.jobs.check_sender"
_RUNNING_SECONDS = 150.0
JUDGED_MAILS, JUDGED_DAYS = 1_000, 30
_FEWEST = 100  # one complaint among fewer says nothing
# Share of mails at which a light changes: amber, red.
COMPLAINTS, BOUNCES = (0.001, 0.003), (0.02, 0.05)

_RATES = text("""
SELECT count(*) AS mails,
       count(*) FILTER (WHERE bounced) AS bounces,
       count(*) FILTER (WHERE complained) AS complaints
FROM (
    SELECT (m.status = 'bounced' AND m.reason = 'hard') OR (m.status = 'failed' AND m.reason = 'address') AS bounced,
           m.reason = 'complaint' AS complained
    FROM message m
    WHERE m.brand_id = ANY(:brands) AND m.status IN ('accepted', 'delivered', 'bounced', 'failed')
      AND coalesce(m.sent_at, m.due_at) > :since
    ORDER BY m.id DESC LIMIT :most
) AS newest
""")


@dataclass(frozen=True, slots=True)
class Report:
    """What the last check of a sending domain found, and when."""

    domain: str
    checked_at: datetime
    provider: str
    findings: list[Finding]

    @property
    def light(self) -> Light:
        """The worst of all lights; what is unknown does not count."""
        lights = {finding.light for finding in self.findings}
        return next((light for light in (Light.RED, Light.AMBER, Light.GREEN) if light in lights), Light.UNKNOWN)

    def number(self, light: Light) -> int:
        """How many findings have this light."""
        return sum(1 for finding in self.findings if finding.light == light)


def last(brand: Brand) -> Report | None:
    """The report on the brand's sending domain; None before the first check."""
    row = db.session.get(SenderCheck, domain_of(brand))
    if row is None or "findings" not in row.results:
        return None
    findings = [Finding(**found | {"light": Light(found["light"])}) for found in row.results["findings"]]
    return Report(row.domain, row.checked_at, str(row.results["provider"]), findings)


def request(brand: Brand) -> bool:
    """Let a worker check the brand's sending domain; the result is there within a minute. False while Redis is away."""
    is_asked = queue.offer(JOB, brand.id, name=QueueName.EVENTS)
    if is_asked:
        notes.leave(_running(brand.id), "running", _RUNNING_SECONDS)
    return is_asked


def is_running(brand: Brand) -> bool:
    """Whether a check was asked for that has not ended yet."""
    return notes.read(_running(brand.id)) is not None


def check(brand_id: int) -> Report:
    """Check everything and keep the result. The caller commits. Raises NotFound."""
    brand = db.session.get(Brand, brand_id)
    if brand is None:
        raise NotFound
    try:
        sender, brands, campaign = _sender(brand), _brands_of_domain(domain_of(brand)), _a_campaign(brand)
        address, base = brand.sender_email, settings.get().base_url
        headers = _headers(campaign)
        rates = _rates(brands)
        db.session.commit()  # reading is over: no transaction stays open while strangers answer
        findings = [_settings(address), *sender_dns.look(_with_records(sender)), _one_click(headers, base), *rates]
        report = Report(sender.domain, clock.now(), sender.provider, findings)
        _keep(report)
    finally:
        notes.drop(_running(brand_id))
    return report


def all_brand_ids() -> Sequence[int]:
    """Every brand, for the nightly check: one for each sending domain."""
    rows = db.session.scalars(select(Brand).order_by(Brand.id)).all()
    return list({domain_of(brand): brand.id for brand in reversed(rows)}.values())


def domain_of(brand: Brand) -> str:
    """The domain that the brand's letters are sent from."""
    return brand.sender_email.rpartition("@")[2].lower()


def _sender(brand: Brand) -> Sender:
    current = settings.get()
    host = urlsplit(current.smtp_url).hostname or "" if current.mail_provider == "smtp" else ""
    return Sender(domain_of(brand), brand.contact_email, current.mail_provider, host)


def _with_records(sender: Sender) -> Sender:
    chosen = provider()
    if not isinstance(chosen, SendGridProvider):
        return sender
    return Sender(sender.domain, sender.contact_email, sender.provider, wanted=chosen.records(sender.domain))


def _settings(address: str) -> Finding:
    checked = provider().check(address)
    return Finding(
        "settings", Light.GREEN if checked.is_ok else Light.RED, checked.code, {"answer": checked.detail or "–"}
    )


def _headers(campaign: Campaign | None) -> dict[str, str] | None:
    """What a real marketing mail of the brand is handed over with; None without a campaign."""
    if campaign is None:
        return None
    card = cards.by_id(campaign.id)
    words = OwnWords(subject="Probe", heading="Probe", body="Probe", button="Probe")
    letter = rendering.compiled(card, "sequence", card.default_locale, words)
    person = replace(samples.person(card, "sequence", card.default_locale), opaque_id=str(uuid.UUID(int=0)))
    probe = delivery.parcel(person, letter, card)
    return dict(provider().headers_of(Batch(letter, [probe])))


def _one_click(headers: dict[str, str] | None, base: str) -> Finding:
    """Both headers of RFC 8058, with an https address."""
    if not base.startswith("https://"):
        return Finding("one_click", Light.RED, "one_click_http", {"address": base})
    if headers is None:
        return Finding("one_click", Light.UNKNOWN, "one_click_untried")
    link = headers.get("List-Unsubscribe", "")
    is_whole = link.startswith("<https://") and headers.get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    return Finding("one_click", Light.GREEN if is_whole else Light.RED, "one_click" if is_whole else "one_click_broken")


def _rates(brand_ids: Sequence[int]) -> list[Finding]:
    since = clock.now() - timedelta(days=JUDGED_DAYS)
    row = db.session.execute(_RATES, {"brands": list(brand_ids), "since": since, "most": JUDGED_MAILS}).one()
    return [
        _rate("complaints", row.complaints, row.mails, COMPLAINTS),
        _rate("bounces", row.bounces, row.mails, BOUNCES),
    ]


def _rate(key: str, number: int, mails: int, limits: tuple[float, float]) -> Finding:
    values = {"number": str(number), "mails": str(mails), "share": f"{number / mails if mails else 0.0:.6f}"}
    if mails < _FEWEST:
        return Finding(key, Light.UNKNOWN, "too_few", values)
    amber, red = limits
    share = number / mails
    light = Light.RED if share >= red else Light.AMBER if share >= amber else Light.GREEN
    return Finding(key, light, f"{key}_{light.value}", values)


def _brands_of_domain(domain: str) -> list[int]:
    """All brands that share the reputation of this domain."""
    rows = db.session.execute(select(Brand.id, Brand.sender_email))
    return [row.id for row in rows if row.sender_email.rpartition("@")[2].lower() == domain]


def _a_campaign(brand: Brand) -> Campaign | None:
    newest = select(Campaign).where(Campaign.brand_id == brand.id).order_by(Campaign.id.desc())
    return db.session.scalar(newest.limit(1))


def _keep(report: Report) -> None:
    results: dict[str, Any] = {
        "provider": report.provider,
        "findings": [asdict(finding) for finding in report.findings],
    }
    values = {"checked_at": report.checked_at, "results": results}
    statement = insert(SenderCheck).values(domain=report.domain, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=["domain"], set_=values))


def _running(brand_id: int) -> str:
    return f"sender-check:{brand_id}"
