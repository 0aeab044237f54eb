"""Taking a file of contacts in: nobody twice, no consent invented, nobody written to, and on after a kill."""

from __future__ import annotations

import csv
import hashlib
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen import intake, reactions
from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.contacts import address, evidence, file_rows, importing
from leadgen.contacts import service as contacts
from leadgen.contacts.importing import Report
from leadgen.contacts.models import ConsentAction, SuppressionReason
from leadgen.core import hot
from leadgen.core.clock import now
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.entries import confirming, entering, person, upkeep
from tests.conftest import Clock
from tests.entries.conftest import filled
from tests.factories import make_brand, make_campaign, make_consent, make_contact, make_entry, make_suppression

PROOF = {
    "consent_at": "2025-03-01T10:00:00+01:00",
    "consent_wording": "I would like your news.",
    "consent_source": "newsletter form of the old site",
}


@pytest.fixture
def brand(context: None) -> Brand:
    return make_brand(slug="capsud", locale="fr")


@pytest.fixture
def take(brand: Brand, tmp_path: Path) -> Any:
    """Write rows into a file and take it in."""

    def taken(*rows: dict[str, str], name: str = "list.csv") -> Report:
        _write(tmp_path / name, rows)
        return importing.take(brand, tmp_path / name, tmp_path / "errors.csv", by="Ada")

    return taken


def _write(path: Path, rows: tuple[dict[str, str], ...]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, sorted({name for row in rows for name in row}))
        writer.writeheader()
        writer.writerows(rows)


def _errors(tmp_path: Path) -> list[list[str]]:
    with (tmp_path / "errors.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def _of(email: str) -> dict[str, Any]:
    row = hot.one("SELECT * FROM contact WHERE email = %(email)s", {"email": email})
    assert row is not None
    return row


def test_a_line_becomes_a_contact_without_consent_and_without_a_mail(take: Any, brand: Brand) -> None:
    """I30."""
    known = {"first_name": "Zoé", "locale": "fr-FR", "timezone": "Europe/Paris"}
    report = take({"email": " Zoe.Martin@Gmail.com ", **known})
    assert (report.lines, report.added, report.agreed, report.refused) == (1, 1, 0, 0)
    zoe = _of("Zoe.Martin@gmail.com")
    assert zoe["mailbox_key"] == "zoemartin@gmail.com"
    assert zoe["address_hash"] == address.address_hash("zoemartin@gmail.com")
    assert (zoe["first_name"], zoe["locale"], zoe["timezone"]) == ("Zoé", "fr", "Europe/Paris")
    assert (zoe["marketing_at"], zoe["email_verified_at"], zoe["import_id"]) == (None, None, report.import_id)
    assert hot.many("SELECT 1 FROM consent UNION ALL SELECT 1 FROM message UNION ALL SELECT 1 FROM entry", {}) == []
    while reactions.drain():
        pass
    assert hot.many("SELECT 1 FROM message UNION ALL SELECT 1 FROM enrolment", {}) == []


def test_consent_comes_with_its_proof_and_is_sealed_like_any_act(take: Any, brand: Brand) -> None:
    take({"email": "zoe@mail.example", "confirmed_at": "2025-03-01T10:05:00+01:00", **PROOF})
    zoe = _of("zoe@mail.example")
    assert zoe["marketing_at"].isoformat() == "2025-03-01T09:00:00+00:00"
    assert zoe["email_verified_at"] is not None
    [act] = contacts.consents_of(zoe["id"])
    assert (act.action, act.channel) == (ConsentAction.GIVEN, "import")
    assert act.evidence["wording"] == "I would like your news."
    assert act.evidence["source"] == "newsletter form of the old site"
    assert act.evidence["wording_sha256"] == hashlib.sha256(b"I would like your news.").hexdigest()
    evidence.seal()
    db.session.commit()
    assert evidence.verify(brand.id).is_whole


@pytest.mark.parametrize("lacking", sorted(PROOF))
def test_consent_without_all_of_its_proof_is_refused(take: Any, tmp_path: Path, lacking: str) -> None:
    report = take({"email": "zoe@mail.example", **PROOF, lacking: ""})
    assert (report.added, report.refused) == (0, 1)
    assert lacking in _errors(tmp_path)[0][2]


def test_a_confirmed_address_alone_proves_nothing(take: Any) -> None:
    take({"email": "zoe@mail.example", "confirmed_at": "2025-03-01T10:05:00+01:00", "marketing_at": "2025-03-01"})
    assert (_of("zoe@mail.example")["email_verified_at"], _of("zoe@mail.example")["marketing_at"]) == (None, None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"email": "zoe@"}, "should look like"),
        ({"email": "", "first_name": "Zoé"}, "Enter your e-mail address."),
        ({"email": "zoe@mail.example", "first_name": "https://x.example"}, "as a friend would write it"),
        ({"email": "zoe@mail.example", "blocked": "whatever"}, "no reason to block"),
        ({"email": "zoe@mail.example", **PROOF, "consent_wording": "x" * 2001}, "consent_wording has more than 2000"),
        ({"email": "zoe@mail.example", **PROOF, "consent_source": "x" * 301}, "consent_source has more than 300"),
        ({"email": "zoe@mail.example", **PROOF, "consent_at": "yesterday"}, "Write moments like"),
        ({"email": "zoe@mail.example", **PROOF, "consent_at": "2099-01-01T00:00:00Z"}, "in the future"),
    ],
)
def test_a_line_that_cannot_be_taken_is_told_with_its_reason(
    take: Any, tmp_path: Path, row: dict[str, str], reason: str
) -> None:
    report = take({"email": "ben@mail.example"}, row)
    assert (report.added, report.refused) == (1, 1)
    [[line, email, said]] = _errors(tmp_path)
    assert (line, email) == ("3", row["email"])
    assert reason in said


def test_a_file_taken_twice_changes_nothing(take: Any) -> None:
    rows = ({"email": "zoe@mail.example", "first_name": "Zoé", **PROOF}, {"email": "ben@mail.example"})
    take(*rows)
    before = hot.many("SELECT * FROM contact ORDER BY id", {})
    report = take(*rows, name="again.csv")
    assert (report.added, report.agreed) == (0, 0)
    assert hot.many("SELECT * FROM contact ORDER BY id", {}) == before
    assert len(hot.many("SELECT 1 FROM consent", {})) == 1


def test_one_mailbox_is_one_contact(take: Any) -> None:
    report = take(
        {"email": "zoe.martin@gmail.com", "first_name": "First"},
        {"email": "zoemartin+news@googlemail.com", "first_name": "Second"},
    )
    assert (report.lines, report.added) == (2, 1)
    assert _of("zoe.martin@gmail.com")["first_name"] == "First"


def test_what_is_known_of_a_contact_stays(take: Any, brand: Brand) -> None:
    make_contact(brand, "zoe@mail.example", first_name="Zoé", timezone="")
    make_contact(brand, "ben@mail.example", first_name="")
    take(
        {"email": "zoe@mail.example", "first_name": "Other", "timezone": "Europe/Rome", "locale": "en"},
        {"email": "ben@mail.example", "first_name": "Ben", "timezone": "Europe/Rome", "locale": "en"},
    )
    zoe, ben = _of("zoe@mail.example"), _of("ben@mail.example")
    assert (zoe["first_name"], zoe["timezone"], zoe["locale"], zoe["import_id"]) == ("Zoé", "Europe/Rome", "fr", None)
    assert (ben["first_name"], ben["timezone"]) == ("Ben", "Europe/Paris")


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_whoever_is_blocked_gets_no_consent_from_a_file(take: Any, brand: Brand, reason: SuppressionReason) -> None:
    zoe = make_contact(brand, "zoe@mail.example")
    make_suppression(zoe, reason=reason)
    take({"email": "zoe@mail.example", **PROOF})
    is_agreed = _of("zoe@mail.example")["marketing_at"] is not None
    assert is_agreed is (reason is SuppressionReason.HARD_BOUNCE), "a bounce says nothing of what somebody wants"


def test_whoever_left_once_is_not_brought_back_by_a_file(take: Any, brand: Brand) -> None:
    zoe = make_contact(brand, "zoe@mail.example")
    make_consent(zoe, action=ConsentAction.WITHDRAWN)
    report = take({"email": "zoe@mail.example", **PROOF})
    assert report.agreed == 0
    assert _of("zoe@mail.example")["marketing_at"] is None


def test_whoever_was_erased_and_asked_for_no_mail_stays_out(take: Any, brand: Brand, tmp_path: Path) -> None:
    entry = make_entry(make_campaign(brand, questions=0), confirmed=True, email="zoe@mail.example", marketing=True)
    contacts.unsubscribe(entry.contact_id, "test")
    person.erase(entry.id)
    db.session.commit()
    report = take({"email": "zoe@mail.example", **PROOF}, {"email": "ben@mail.example"})
    assert (report.added, report.refused) == (1, 1)
    assert "stays out" in _errors(tmp_path)[0][2]
    assert hot.many("SELECT 1 FROM contact WHERE email = 'zoe@mail.example'", {}) == []


def test_no_file_brings_back_the_consent_of_who_was_erased(take: Any, brand: Brand) -> None:
    """Neither with the old proof nor with another; in another brand they agree as ever."""
    take({"email": "zoe@mail.example", **PROOF})
    contacts.erase(_of("zoe@mail.example")["id"])
    db.session.commit()
    take({"email": "zoe@mail.example", **PROOF}, name="again.csv")
    report = take({"email": "Zoe@mail.example", **PROOF, "consent_at": "2025-04-01T10:00:00Z"}, name="other.csv")
    assert report.agreed == 0
    [zoe] = hot.many("SELECT marketing_at, email_verified_at FROM contact WHERE email IS NOT NULL", {})
    assert zoe == {"marketing_at": None, "email_verified_at": None}


def test_whoever_was_erased_agrees_anew_by_entering(take: Any, brand: Brand) -> None:
    take({"email": "anna@mail.example", **PROOF})
    contacts.erase(_of("anna@mail.example")["id"])
    db.session.commit()
    card = cards.by_id(make_campaign(brand, questions=0).id)
    entered = entering.enter(card, filled("anna@mail.example", wants_marketing=True))
    confirming.confirm(entered.entry_id, 1, "button_post")
    assert _of("anna@mail.example")["marketing_at"] is not None


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_purge_is_remembered_when_the_address_was_theirs(
    take: Any, brand: Brand, clock: Clock, is_confirmed: bool
) -> None:
    """After three silent years a file brings no consent back; what a stranger typed in a form stands in no way."""
    entry = make_entry(make_campaign(brand, questions=0), confirmed=is_confirmed, email="zoe@mail.example")
    contacts.heard_from({entry.contact_id: now()} if is_confirmed else {})
    db.session.commit()
    clock.forward(days=3 * 365 + 1)
    upkeep.purge()
    assert hot.many("SELECT 1 FROM contact WHERE email IS NOT NULL", {}) == []
    report = take({"email": "zoe@mail.example", **PROOF})
    assert (report.added, report.agreed) == (1, 0 if is_confirmed else 1)


def test_another_brands_contact_or_block_is_not_ours(take: Any) -> None:
    other = make_contact(make_brand(), "zoe@mail.example", first_name="Other")
    make_suppression(other)
    report = take({"email": "zoe@mail.example", **PROOF})
    assert (report.added, report.agreed) == (1, 1)


def test_what_the_file_says_is_blocked_is_blocked_from_now_on(take: Any, brand: Brand) -> None:
    """Whoever moves house takes the unsubscribed along, also those who agree here."""
    ben = make_contact(brand, "ben@mail.example", marketing=True)
    report = take(
        {"email": "zoe@mail.example", "blocked": "unsubscribe hard_bounce", **PROOF},
        {"email": "ben@mail.example", "blocked": "complaint"},
    )
    assert (report.blocked, report.agreed) == (3, 0)
    db.session.expire_all()
    assert [one.reason for one in contacts.suppressions_of(ben)] == [SuppressionReason.COMPLAINT]
    assert contacts.get(ben.id).marketing_at is None
    assert contacts.consents_of(ben.id)[-1].action is ConsentAction.WITHDRAWN
    facts = hot.many("SELECT name, data FROM fact WHERE contact_id = %(id)s ORDER BY name", {"id": ben.id})
    assert [fact["name"] for fact in facts] == ["consent.withdrawn", "contact.suppressed"]
    assert facts[1]["data"]["reason"] == "complaint", "contests and sequences ask for it"
    assert _of("zoe@mail.example")["marketing_at"] is None


@pytest.mark.parametrize("piece", [1, 2], ids=["two pieces", "one piece"])
@pytest.mark.parametrize("is_block_first", [True, False])
def test_a_block_on_any_line_of_a_mailbox_counts(
    take: Any, brand: Brand, monkeypatch: pytest.MonkeyPatch, piece: int, is_block_first: bool
) -> None:
    monkeypatch.setattr(importing, "PIECE", piece)
    rows = [{"email": "zoe.martin@gmail.com", "blocked": "unsubscribe"}, {"email": "zoemartin@gmail.com", **PROOF}]
    take(*(rows if is_block_first else reversed(rows)))
    zoe = hot.one("SELECT marketing_at FROM contact", {})
    assert zoe == {"marketing_at": None}
    assert hot.many("SELECT reason FROM suppression", {}) == [{"reason": "unsubscribe"}]
    acts = [row["action"] for row in hot.many("SELECT action FROM consent ORDER BY id", {})]
    assert acts[-1:] != ["given"]


def test_whoever_leaves_while_a_piece_is_taken_has_left(app: Flask, take: Any, brand: Brand) -> None:
    """Their press came first and is committed late: what the piece decides, it decides after that."""
    anna_id = make_contact(brand, "anna@mail.example").id
    db.session.commit()
    pressed = threading.Event()

    def press() -> None:
        with app.app_context():
            contacts.unsubscribe(anna_id, "one-click")
            db.session.flush()
            pressed.set()
            for _ in range(200):
                if db.session.scalar(db.text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                    break
                time.sleep(0.05)
            db.session.commit()

    leaving = threading.Thread(target=press)
    leaving.start()
    assert pressed.wait(20)
    report = take({"email": "anna@mail.example", "first_name": "Anna", **PROOF})
    leaving.join(20)
    assert report.agreed == 0
    assert _of("anna@mail.example")["marketing_at"] is None
    assert [act.action for act in contacts.consents_of(anna_id)] == [ConsentAction.WITHDRAWN]


def test_of_two_commands_that_start_together_one_takes_the_file(
    brand: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes at the worst instant: the first has looked for an unfinished import and noted none yet."""
    path = tmp_path / "list.csv"
    _write(path, tuple({"email": f"p{number}@mail.example", **PROOF} for number in range(5)))
    second: list[str] = []

    class Watched(psycopg.Connection[Any]):
        def execute(self, query: Any, *values: Any, **options: Any) -> Any:
            if query == importing._BEGIN and not second:
                second.append("started")
                with pytest.raises(Conflict):
                    importing.take(brand, path, tmp_path / "other.csv", by="Ada")
            return super().execute(query, *values, **options)

    monkeypatch.setattr(importing.psycopg, "connect", Watched.connect)
    assert importing.take(brand, path, tmp_path / "errors.csv", by="Ada").agreed == 5
    assert second == ["started"]
    assert hot.many("SELECT count(*) AS acts FROM consent", {}) == [{"acts": 5}]


def test_f32_a_kill_at_any_piece_leaves_nothing_double_and_nothing_out(
    brand: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the commit of each piece and after it; the same command goes on from there."""
    monkeypatch.setattr(importing, "PIECE", 3)
    rows = tuple(
        {"email": "broken@" if number % 4 == 3 else f"p{number}@mail.example", **(PROOF if number % 2 else {})}
        for number in range(12)
    )
    path = tmp_path / "list.csv"
    _write(path, rows)
    expected = [f"p{number}@mail.example" for number in range(12) if number % 4 != 3]
    tell = importing._tell

    for instant in range(4):
        for is_before in (True, False):
            calls = iter(range(99))

            def stop(*_values: object, calls: Any = calls, instant: int = instant) -> None:
                if next(calls) == instant:
                    raise KeyboardInterrupt

            if is_before:
                monkeypatch.setattr(importing, "_tell", lambda out, refused, stop=stop: (tell(out, refused), stop()))
            progress = (lambda _bytes: None) if is_before else stop
            with pytest.raises(KeyboardInterrupt):
                importing.take(brand, path, tmp_path / "errors.csv", by="Ada", progress=progress)
            monkeypatch.setattr(importing, "_tell", tell)
            report = importing.take(brand, path, tmp_path / "errors.csv", by="Ada")
            assert (report.is_resumed, report.lines, report.added, report.agreed, report.refused) == (True, 12, 9, 3, 3)
            found = hot.many("SELECT email FROM contact ORDER BY id", {})
            assert sorted(row["email"] for row in found) == sorted(expected)
            assert len(hot.many("SELECT 1 FROM consent", {})) == 3
            assert [cells[0] for cells in _errors(tmp_path)] == ["5", "9", "13"]
            _empty()


def _empty() -> None:
    db.session.execute(db.text("SET session_replication_role = replica"))
    for table in ("consent", "contact", "contact_import"):
        db.session.execute(db.text(f"DELETE FROM {table}"))
    db.session.execute(db.text("SET session_replication_role = origin"))
    db.session.commit()


def test_whoever_came_by_a_file_is_not_taken_for_a_typing_error(take: Any, clock: Clock) -> None:
    """Addresses that were corrected are forgotten after 30 days; imported ones after three silent years."""
    take({"email": "zoe@mail.example"})
    clock.forward(days=60)
    upkeep.purge()
    assert _of("zoe@mail.example")["erased_at"] is None
    clock.forward(days=3 * 365)
    upkeep.purge()
    assert hot.many("SELECT 1 FROM contact WHERE email IS NOT NULL", {}) == []


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_file_is_no_sign_of_life(take: Any, clock: Clock, is_confirmed: bool) -> None:
    """The three years run from what the person did, which is the later of agreeing and confirming."""
    begun = now()
    agreed = {"consent_at": (begun - timedelta(days=3 * 365 - 10)).isoformat()}
    confirmed = (begun - timedelta(days=30)).isoformat() if is_confirmed else ""
    take({"email": "zoe@mail.example", **PROOF, **agreed, "confirmed_at": confirmed})
    clock.forward(days=11)
    upkeep.purge()
    assert bool(hot.many("SELECT 1 FROM contact WHERE email IS NOT NULL", {})) is is_confirmed


@pytest.mark.parametrize("content", ["name,town\nZoé,Nîmes\n", "", "email\n\xff".encode("latin-1")])
def test_what_is_no_such_file_is_refused(brand: Brand, tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Invalid):
        importing.take(brand, path, tmp_path / "errors.csv", by="Ada")


def test_the_file_is_not_overwritten_by_its_own_errors(brand: Brand, tmp_path: Path) -> None:
    path, other_name = tmp_path / "list.csv", tmp_path / "link.csv"
    path.write_text("email\nzoe@mail.example\n", encoding="utf-8")
    other_name.symlink_to(path)
    for errors in (path, other_name):
        with pytest.raises(Invalid, match="file of their own"):
            importing.take(brand, path, errors, by="Ada")
    assert path.read_text(encoding="utf-8") == "email\nzoe@mail.example\n"


def test_semicolons_a_mark_at_the_beginning_and_guarded_cells_are_understood(brand: Brand, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("\ufeffEmail;First_name\n'+zoe@mail.example;'-Zoé\n", encoding="utf-8")
    assert importing.take(brand, path, tmp_path / "errors.csv", by="Ada").added == 1
    assert _of("+zoe@mail.example")["first_name"] == "-Zoé"


_LETTERS = st.sampled_from("aZ0.+-_é'")
_DOMAINS = st.sampled_from(
    ["gmail.com", "GoogleMail.com", "Outlook.fr", "élan.example", "x", "-a.example", "a..example"]
)


@settings(max_examples=300)
@given(local=st.text(_LETTERS, max_size=70), domain=_DOMAINS)
def test_the_quick_way_says_what_the_careful_one_says(context: None, local: str, domain: str) -> None:
    typed = f"{local}@{domain}"
    try:
        expected: Any = (address.parse(typed).email, address.parse(typed).mailbox_key)
    except Invalid as error:
        expected = str(error)
    try:
        found: Any = file_rows._address(typed)
    except Invalid as error:
        found = str(error)
    assert found == expected


def test_the_command_tells_what_became_of_the_file(app: Flask, brand: Brand, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email,town\nzoe@mail.example,Nîmes\nbroken,Nîmes\n", encoding="utf-8")
    slug = brand.slug
    done = app.test_cli_runner().invoke(intake.import_contacts, [str(path), "--brand", slug, "--by", "Ada"])
    assert done.exit_code == 0, done.output
    assert "The column “town” says nothing to us" in done.output
    assert "2 lines: 1 new contact, 0 consents, 0 blocks" in done.output
    assert (tmp_path / "list.csv.errors.csv").exists()
    [fact] = hot.many("SELECT data FROM fact WHERE name = 'contacts.imported'", {})
    assert fact["data"]["by"] == "Ada"
    nameless = app.test_cli_runner().invoke(intake.import_contacts, [str(path), "--brand", slug])
    assert (nameless.exit_code, "--by" in nameless.output) == (2, True)
    lost = app.test_cli_runner().invoke(intake.import_contacts, [str(path), "--brand", "nobody", "--by", "Ada"])
    assert lost.exit_code == 1
    assert "there is no brand" in lost.output
