"""One plain function for each kind of row, with defaults that make a believable one; each commits what it made.

They need the application's context. Commits, because the hot paths read through a connection of their own. A row that
was changed by such a path afterwards is read anew with `fresh(row)`. Whatever is counted twice in the tables (ledger,
totals, histogram of points) is written together here, so that a world made by factories passes the product's audits.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeVar

from flask import current_app
from flask_security.utils import hash_password
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from leadgen.accounts.models import Brand, MemberRole, Membership, Role, User
from leadgen.broadcasts.models import Broadcast
from leadgen.campaigns.models import Campaign, CampaignStatus, Prize, Proof, Question, QuestionKind, RulesVersion
from leadgen.contacts import address
from leadgen.contacts.models import (
    Answer,
    Consent,
    ConsentAction,
    ConsentPurpose,
    ConsentSeal,
    Contact,
    ContactImport,
    ErasedAddress,
    ForgottenAddress,
    Suppression,
    SuppressionReason,
)
from leadgen.core import clock, ids
from leadgen.core.db import db
from leadgen.entries.models import (
    Entry,
    EntryStatus,
    LedgerKind,
    LedgerLine,
    LedgerPending,
    PointsBucket,
    ReferralState,
)
from leadgen.forms.models import Form, FormVersion, QuestionSkip, Submission
from leadgen.journal.models import Counter, Fact
from leadgen.journal.vocabulary import CounterName, FactName
from leadgen.letters.models import Lane, LetterText, MailPurpose
from leadgen.mail.models import (
    Click,
    ClickKind,
    LaneStop,
    MailLink,
    Message,
    MessageMove,
    MessageStatus,
    Pace,
    ProviderEvent,
    ProviderPull,
    SenderCheck,
    SendingDay,
    Stream,
    WarmUp,
)
from leadgen.nurture import versions
from leadgen.nurture.definition import from_data as definition_from
from leadgen.nurture.definition import to_data as definition_data
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, MoveReason, Sequence, Step
from leadgen.outcomes.models import HarmKind, ProgrammeCost, VariantStop
from leadgen.segments.models import Segment, SegmentSize
from tests import texts

Row = TypeVar("Row")
PASSWORD = "correct horse battery staple"
_number = itertools.count(1)


def make_brand(*, name: str = "Cap Sud", **values: Any) -> Brand:
    number = next(_number)
    return keep(
        Brand,
        values,
        slug=f"brand-{number}",
        name=name,
        legal_name=f"{name} SAS",
        legal_address="12 quai des Brumes, 13002 Marseille, France",
        contact_email=f"bonjour@brand-{number}.example",
        sender_name=name,
        sender_email=f"jeu@brand-{number}.example",
        website=f"https://brand-{number}.example",
    )


def make_user(email: str = "", *, password: str = PASSWORD, **values: Any) -> User:
    number = next(_number)
    return keep(
        User,
        values,
        email=email or f"user{number}@staff.example",
        password=_hashed(password),
        fs_uniquifier=f"uniquifier-{number}",
    )


def make_role(user: User, name: str = "unused") -> Role:
    """A global role, which Flask-Security's tables allow and the product never asks for."""
    role = keep(Role, {}, name=name)
    user.roles.append(role)
    db.session.commit()
    return role


def make_membership(user: User, brand: Brand, role: MemberRole = MemberRole.OWNER) -> Membership:
    return keep(Membership, {}, user_id=user.id, brand_id=brand.id, role=role)


def make_campaign(
    brand: Brand | None = None,
    *,
    prizes: int = 1,
    questions: int = 2,
    status: CampaignStatus = CampaignStatus.LIVE,
    **values: Any,
) -> Campaign:
    """Live since yesterday and for two more weeks, in both languages."""
    number = next(_number)
    now = clock.now()
    with in_one_go():
        campaign = keep(
            Campaign,
            values,
            brand_id=(brand or make_brand()).id,
            slug=f"campaign-{number}",
            name=f"Summer contest {number}",
            template="prize-draw",
            status=status,
            timezone="Europe/Paris",
            default_locale="fr",
            texts=texts.campaign(),
            starts_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=14),
            rules_version=0 if status is CampaignStatus.DRAFT else 1,
            created_at=now - timedelta(days=2),
            published_at=None if status is CampaignStatus.DRAFT else now - timedelta(days=1),
        )
        for position in range(prizes):
            make_prize(campaign, position=position + 1)
        for position in range(questions):
            make_question(
                campaign, position=position + 1, kind=[QuestionKind.CHOICE, QuestionKind.YES_NO][position % 2]
            )
    return fresh(campaign)


def make_prize(campaign: Campaign, *, position: int = 1, **values: Any) -> Prize:
    """One of them, worth 1,500 euros."""
    worded = texts.prize(position)
    return keep(Prize, values, campaign_id=campaign.id, position=position, texts=worded, quantity=1, value=150_000)


def make_question(
    campaign: Campaign, *, kind: QuestionKind = QuestionKind.CHOICE, position: int = 1, **values: Any
) -> Question:
    """`options` of a choice are `sea` and `city`."""
    return keep(
        Question,
        values,
        campaign_id=campaign.id,
        position=position,
        key=f"question_{position}",
        kind=kind,
        texts=texts.question(position),
        options=texts.OPTIONS if kind in {QuestionKind.CHOICE, QuestionKind.MANY} else [],
    )


def make_rules_version(campaign: Campaign, *, number: int = 1, **values: Any) -> RulesVersion:
    return keep(
        RulesVersion,
        values,
        campaign_id=campaign.id,
        number=number,
        sha256="0" * 64,
        snapshot={"texts": campaign.texts},
        created_at=clock.now(),
    )


def make_contact(
    brand: Brand | None = None, email: str = "", *, first_name: str = "Anna", marketing: bool = False, **values: Any
) -> Contact:
    """`marketing` gives consent to marketing, with its evidence."""
    email = email or f"person{next(_number)}@mail.example"
    key = email.lower()
    now = clock.now()
    contact = keep(
        Contact,
        values,
        brand_id=(brand or make_brand()).id,
        mailbox_key=key,
        email=email,
        address_hash=address.address_hash(key),
        first_name=first_name,
        locale="fr",
        timezone="Europe/Paris",
        marketing_at=now if marketing else None,
        email_verified_at=now if marketing else None,
        created_at=now,
    )
    if marketing:
        make_consent(contact)
    return contact


def make_consent(
    contact: Contact,
    *,
    purpose: ConsentPurpose = ConsentPurpose.MARKETING,
    action: ConsentAction = ConsentAction.GIVEN,
    **values: Any,
) -> Consent:
    return keep(
        Consent,
        values,
        brand_id=contact.brand_id,
        contact_id=contact.id,
        purpose=purpose,
        action=action,
        at=clock.now(),
        channel="form",
    )


def make_contact_import(brand: Brand, **values: Any) -> ContactImport:
    return keep(ContactImport, values, brand_id=brand.id, file="list.csv", digest=b"sha256", started_at=clock.now())


def make_suppression(
    contact: Contact, *, reason: SuppressionReason = SuppressionReason.UNSUBSCRIBE, **values: Any
) -> Suppression:
    return keep(
        Suppression,
        values,
        brand_id=contact.brand_id,
        address_hash=contact.address_hash,
        reason=reason,
        at=clock.now(),
    )


def make_entry(
    campaign: Campaign | None = None,
    contact: Contact | None = None,
    *,
    confirmed: bool = False,
    referrer: Entry | None = None,
    email: str = "",
    first_name: str = "Anna",
    marketing: bool = False,
    **values: Any,
) -> Entry:
    """An entry that waits for its confirmation; `confirmed` has its points, and its referrer theirs.

    `marketing` means the box was ticked: it is consent from the moment of confirmation on.
    """
    campaign = campaign or make_campaign()
    with in_one_go():
        if contact is None:
            brand = db.session.get_one(Brand, campaign.brand_id)
            contact = make_contact(brand, email, first_name=first_name, marketing=marketing and confirmed)
        entry = _enter(
            campaign, contact, confirmed, referrer, _lineage(referrer, is_counted=confirmed) | values, marketing
        )
    return fresh(entry)


def _enter(
    campaign: Campaign,
    contact: Contact,
    confirmed: bool,
    referrer: Entry | None,
    values: dict[str, Any],
    marketing: bool,
) -> Entry:
    now = clock.now()
    if confirmed and contact.email_verified_at is None:
        contact.email_verified_at = now
    entry = keep(
        Entry,
        values,
        public_id=ids.public_id(),
        code=ids.referral_code(),
        brand_id=campaign.brand_id,
        campaign_id=campaign.id,
        contact_id=contact.id,
        status=EntryStatus.CONFIRMED if confirmed else EntryStatus.PENDING,
        locale=contact.locale,
        rules_version=campaign.rules_version,
        is_marketing_wanted=marketing,
        code_expires_at=now + timedelta(minutes=15),
        last_mail_at=now,
        expires_at=now + timedelta(days=7),
        confirmed_at=now if confirmed else None,
        confirm_method="button_post" if confirmed else None,
        created_at=now,
    )
    if confirmed:
        give_points(entry, LedgerKind.ENTRY, campaign.entry_points)
        if referrer is not None:
            key = f"referral:{campaign.id}:{(contact.address_hash or b'').hex()}"
            give_points(referrer, LedgerKind.REFERRAL, campaign.referral_points, source_entry_id=entry.id, key=key)
    return entry


def _lineage(referrer: Entry | None, *, is_counted: bool) -> dict[str, Any]:
    if referrer is None:
        return {}
    return {
        "referrer_id": referrer.id,
        "ref2_id": referrer.referrer_id,
        "ref3_id": referrer.ref2_id,
        "root_id": referrer.root_id or referrer.id,
        "depth": referrer.depth + 1,
        "referral_state": ReferralState.COUNTED if is_counted else ReferralState.AWAITING,
        "channel": "wa",
    }


def give_points(
    entry: Entry,
    kind: LedgerKind,
    points: int,
    *,
    source_entry_id: int | None = None,
    question_id: int | None = None,
    key: str = "",
) -> LedgerLine:
    """A ledger line that is folded already: the entry's totals and the histogram of points know it."""
    now = clock.now()
    if kind is not LedgerKind.ENTRY:
        _count_in_bucket(entry, -1)
    entry.points += points
    entry.chances += points
    entry.rank_points += points
    entry.friends_counted += kind is LedgerKind.REFERRAL
    entry.reached_at = now
    _count_in_bucket(entry, 1)
    return keep(
        LedgerLine,
        {},
        campaign_id=entry.campaign_id,
        entry_id=entry.id,
        kind=kind,
        points=points,
        chances=points,
        source_entry_id=source_entry_id,
        question_id=question_id,
        rules_version=entry.rules_version,
        at=now,
        idempotency_key=key or f"{kind.value}:{entry.id}:{source_entry_id or question_id or ''}",
    )


def make_pending_points(entry: Entry, points: int = 5, *, proof: Proof = Proof.VERIFIED) -> LedgerPending:
    """Points whose ledger line is written and that the next fold adds to the entry's totals."""
    line: dict[str, Any] = {"campaign_id": entry.campaign_id, "entry_id": entry.id, "points": points, "chances": points}
    line |= {"at": clock.now(), "proof": proof}
    key = f"test:{entry.id}:{next(_number)}"
    keep(LedgerLine, line, kind=LedgerKind.REFERRAL, rules_version=entry.rules_version, idempotency_key=key)
    return keep(LedgerPending, line, kind=LedgerKind.REFERRAL, friends=1)


def _count_in_bucket(entry: Entry, entrants: int) -> None:
    hour = int((entry.reached_at or clock.now()).timestamp() // 3600)
    key = {"campaign_id": entry.campaign_id, "points": entry.rank_points, "hour": hour}
    bucket = insert(PointsBucket).values(**key, entrants=entrants)
    db.session.execute(
        bucket.on_conflict_do_update(
            index_elements=["campaign_id", "points", "hour"], set_={"entrants": PointsBucket.entrants + entrants}
        )
    )
    db.session.execute(delete(PointsBucket).where(PointsBucket.entrants == 0))


def make_answer(entry: Entry, question: Question, value: Any = "sea", **values: Any) -> Answer:
    """An answer with its points; it also stands in the contact's answers."""
    contact = db.session.get_one(Contact, entry.contact_id)
    contact.answers = {**contact.answers, question.key: value}
    give_points(entry, LedgerKind.ANSWER, question.points, question_id=question.id)
    return keep(
        Answer,
        values,
        contact_id=entry.contact_id,
        entry_id=entry.id,
        question_id=question.id,
        key=question.key,
        value=value,
        at=clock.now(),
    )


def make_message(
    entry: Entry,
    *,
    letter: str = "welcome",
    lane: Lane = Lane.SERVICE,
    purpose: MailPurpose = MailPurpose.SERVICE,
    status: MessageStatus = MessageStatus.SCHEDULED,
    **values: Any,
) -> Message:
    """A mail to the entrant, due now, that carries what the links of `letter` are made from."""
    now = clock.now()
    waiting = {"entry": entry.id, "generation": entry.generation, "code_number": entry.code_number}
    confirmed = {"entry": entry.id, "access_version": entry.access_version, "code": entry.code}
    if lane in {Lane.NURTURE, Lane.BULK} and "stream_id" not in values:
        values |= {"stream_id": _stream_of(entry, lane, values.get("step_id")), "domain_group": "other"}
    return keep(
        Message,
        values,
        intent=f"test:{entry.id}:{next(_number)}",
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
        lane=lane,
        purpose=purpose,
        letter=letter,
        locale=entry.locale,
        context=waiting if letter in {"confirm", "reminder"} else confirmed,
        status=status,
        due_at=now,
        expires_at=now + timedelta(days=1),
        created_at=now,
    )


def make_letter_text(campaign: Campaign, *, letter: str = "welcome", locale: str = "fr", **values: Any) -> LetterText:
    return keep(LetterText, values, campaign_id=campaign.id, letter=letter, locale=locale)


def make_provider_event(message: Message | None = None, *, kind: str = "delivered", **values: Any) -> ProviderEvent:
    number = next(_number)
    opaque_id = message.opaque_id if message else None
    payload = {"event": kind, "sg_event_id": f"event-{number}", "message_id": str(opaque_id or "")}
    return keep(
        ProviderEvent,
        values,
        event_id=f"event-{number}",
        opaque_id=opaque_id,
        kind=kind,
        payload=payload,
        received_at=clock.now(),
        due_at=clock.now(),
    )


def make_sequence(
    campaign: Campaign, *, steps: int = 3, key: str = "welcome", definition: dict[str, Any] | None = None, **values: Any
) -> Sequence:
    """`steps` letters, two days apart, the first one hour after confirmation; or as `definition` has it. Published."""
    values.setdefault("stream_id", make_stream(campaign).id)
    sequence = keep(Sequence, values, campaign_id=campaign.id, key=key, name="After the entry")
    letters = [letter_data(n, seconds=172_800 if n > 1 else 3_600) for n in range(1, steps + 1)]
    publish(sequence, {"trigger": {"on": "confirmed"}, "steps": letters} | (definition or {}))
    return fresh(sequence)


def letter_data(number: int, *, seconds: int = 0, **values: Any) -> dict[str, Any]:
    """A letter of a sequence as its definition has it."""
    variants = [{"key": "a", "texts": texts.step(number)}]
    return {"kind": "letter", "key": f"step_{number}", "wait": {"seconds": seconds}, "variants": variants} | values


def publish(sequence: Sequence, definition: dict[str, Any]) -> None:
    """Publish the next version."""
    read = definition_from(definition)
    sequence.draft = definition_data(read)
    versions.store(sequence, read)
    _keep_it()


def make_enrolment(sequence: Sequence, entry: Entry, **values: Any) -> Enrolment:
    """Active, its first step due now."""
    now = clock.now()
    return keep(
        Enrolment,
        values,
        sequence_id=sequence.id,
        campaign_id=entry.campaign_id,
        brand_id=entry.brand_id,
        entry_id=entry.id,
        contact_id=entry.contact_id,
        status=EnrolmentStatus.ACTIVE,
        version=sequence.version,
        step_key=sequence.draft["steps"][0]["key"],
        anchor_at=now,
        next_run_at=now,
        enrolled_at=now,
    )


def make_programme_cost(brand: Brand, **values: Any) -> ProgrammeCost:
    """What holds for the whole brand: a thousand letters cost 1.50 euros."""
    return keep(ProgrammeCost, values, brand_id=brand.id, per_thousand=150, changed_at=clock.now())


def make_variant_stop(sequence: Sequence, **values: Any) -> VariantStop:
    """Wording b was complained about."""
    figures = {"a": {"people": 400, "harms": 0}, "b": {"people": 400, "harms": 12}}
    said = {"step_key": "step_1", "experiment": "e1", "variant": "b", "kind": HarmKind.COMPLAINTS, "figures": figures}
    return keep(VariantStop, values, sequence_id=sequence.id, at=clock.now(), **said)


def make_enrolment_move(enrolment: Enrolment, **values: Any) -> EnrolmentMove:
    """A line of an enrolment's story: a step was passed over."""
    return keep(
        EnrolmentMove,
        values,
        enrolment_id=enrolment.id,
        at=clock.now(),
        step_key="welcome",
        reason=MoveReason.SKIPPED,
    )


def make_fact(entry: Entry, name: FactName = FactName.ENTRY_CREATED, **values: Any) -> Fact:
    return keep(
        Fact,
        values,
        name=name.value,
        at=clock.now(),
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
    )


def make_counter(campaign: Campaign, name: CounterName = CounterName.VIEW, number: int = 1, **values: Any) -> Counter:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    return keep(Counter, values, campaign_id=campaign.id, hour=hour, name=name.value, channel="", number=number)


def make_stream(campaign: Campaign, *, lane: Lane = Lane.NURTURE, **values: Any) -> Stream:
    return keep(Stream, values, brand_id=campaign.brand_id, campaign_id=campaign.id, lane=lane, name="After the entry")


def _stream_of(entry: Entry, lane: Lane, step_id: int | None) -> int:
    """The stream of the step's sequence, else any of the campaign."""
    step = db.session.get(Step, step_id) if step_id else None
    if step is not None:
        return db.session.get_one(Sequence, step.sequence_id).stream_id
    found = db.session.scalar(select(Stream.id).where(Stream.campaign_id == entry.campaign_id, Stream.lane == lane))
    return found or make_stream(db.session.get_one(Campaign, entry.campaign_id), lane=lane).id


def make_broadcast(campaign: Campaign, **values: Any) -> Broadcast:
    """A draft to everybody who agreed to marketing."""
    values.setdefault("stream_id", make_stream(campaign, lane=Lane.BULK, name="Last days").id)
    return keep(
        Broadcast,
        values,
        brand_id=campaign.brand_id,
        campaign_id=campaign.id,
        name="Last days",
        texts=texts.step(1),
        created_at=clock.now(),
    )


def make_segment(brand: Brand, definition: dict[str, Any] | None = None, **values: Any) -> Segment:
    """Everybody who agreed to marketing, unless `definition` says otherwise; counted once."""
    now = clock.now()
    asked = definition or {"all": [{"all": [{"field": "marketing", "op": "eq", "value": True}]}]}
    segment = keep(Segment, values, brand_id=brand.id, name="Willing", definition=asked, created_at=now, changed_at=now)
    keep(SegmentSize, {}, segment_id=segment.id, day=now.date(), people=1)
    return segment


def make_move(message: Message, reason: str = "quiet_hours") -> MessageMove:
    now = clock.now()
    return keep(MessageMove, {}, message_id=message.id, at=now, reason=reason, until=now + timedelta(hours=8))


def make_click(message: Message, *, kind: ClickKind = ClickKind.HUMAN, **values: Any) -> Click:
    """A click on an address of the campaign that nobody else's letter leads to."""
    link = keep(MailLink, {}, campaign_id=message.campaign_id, url=f"https://brand.example/offer-{next(_number)}")
    return keep(Click, values, message_id=message.id, link_id=link.id, at=clock.now(), kind=kind)


def make_seal(consent: Consent, *, position: int = 1) -> ConsentSeal:
    """A link of the chain with made-up hashes: for tests that do not recompute it."""
    return keep(
        ConsentSeal,
        {},
        consent_id=consent.id,
        brand_id=consent.brand_id,
        position=position,
        personal_digest=b"digest",
        previous_hash=b"before",
        row_hash=b"after",
    )


def make_forgotten_address(mails: int = 1) -> ForgottenAddress:
    now = clock.now()
    hashed = address.address_hash(f"gone-{next(_number)}@example.com")
    return keep(ForgottenAddress, {}, address_hash=hashed, mails=mails, last_mail_at=now, forgotten_at=now)


def make_erased_address(brand: Brand) -> ErasedAddress:
    hashed = address.address_hash(f"gone-{next(_number)}@example.com")
    return keep(ErasedAddress, {}, brand_id=brand.id, address_hash=hashed, at=clock.now())


def make_sending_settings(domain: str = "brand.example") -> None:
    """One of everything that steers the sending: a stop, a pace, a plan and a day of it, a check, a pull."""
    now = clock.now()
    today = now.date()
    keep(LaneStop, {}, lane=Lane.BULK, at=now, by="Ada")
    keep(Pace, {}, bucket="provider", per_second=100, changed_at=now)
    keep(WarmUp, {}, domain=domain, started_on=today, first_day=1_000, growth=50, ceiling=100_000)
    keep(SendingDay, {}, domain=domain, day=today, mails=10)
    keep(SenderCheck, {}, domain=domain, checked_at=now, results={})
    keep(ProviderPull, {}, name="bounces", pulled_at=now)


def fresh(row: Row) -> Row:
    """The same row as the database has it now, whoever changed it."""
    _keep_it()  # ends the session's view of the past
    db.session.refresh(row)
    return row


def keep(model: type[Row], values: dict[str, Any], **defaults: Any) -> Row:
    row = model(**defaults | values)
    db.session.add(row)
    _keep_it()
    return row


@contextlib.contextmanager
def in_one_go() -> Iterator[None]:
    """Commit once, at the end: many rows are made in half the time. The hot paths see nothing of them before.

    A commit for each row makes the session read everything anew that it is asked about afterwards.
    """
    before = _is_in_one_go.set(True)
    try:
        yield
    finally:
        _is_in_one_go.reset(before)
    _keep_it()


_is_in_one_go = contextvars.ContextVar("_is_in_one_go", default=False)


def _keep_it() -> None:
    if _is_in_one_go.get():
        db.session.flush()
    else:
        db.session.commit()


def _hashed(password: str) -> str:
    return _hash_of(password) if "security" in current_app.extensions else f"unusable:{password}"


@functools.cache
def _hash_of(password: str) -> str:
    """By production's profile, which takes its time: once for each password, not for each member of staff."""
    return str(hash_password(password))


def make_form(campaign: Campaign, definition: dict[str, Any], *, number: int = 1) -> FormVersion:
    """A form that is edited and published as this version; the campaign's questions are what they were."""
    now = clock.now()
    if db.session.get(Form, campaign.id) is None:
        keep(Form, {}, campaign_id=campaign.id, draft=definition, saved_at=now)
    return keep(FormVersion, {}, campaign_id=campaign.id, number=number, definition=definition, published_at=now)


def make_submission(entry: Entry, **values: Any) -> Submission:
    now = clock.now()
    ids = {"campaign_id": entry.campaign_id, "entry_id": entry.id}
    return keep(Submission, values, **ids, number=1, begun_at=now, saved_at=now)


def make_question_skip(contact_id: int, key: str) -> QuestionSkip:
    return keep(QuestionSkip, {}, contact_id=contact_id, key=key, at=clock.now())
