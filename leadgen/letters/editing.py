"""A campaign's letters as the marketer words them: read, changed by one at a time, put back, and taken back."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.editing import lock
from leadgen.campaigns.models import Campaign
from leadgen.core import i18n, notes
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.letters import checking, kinds, words
from leadgen.letters.checking import Finding
from leadgen.letters.kinds import Letter
from leadgen.letters.models import LetterText
from leadgen.letters.rendering import OwnWords

LONGEST = {"subject": 150, "heading": 150, "body": 5_000, "button": 60}
UNDO_SECONDS = 3600
Texts = Mapping[str, Mapping[str, str]]  # language → field → words


def all_words(campaign_id: int) -> dict[str, dict[str, OwnWords]]:
    """The marketer's own words of a campaign, by letter and language; what is missing keeps the standard ones."""
    found: dict[str, dict[str, OwnWords]] = {name: {} for name in kinds.ALL}
    for row in db.session.scalars(select(LetterText).where(LetterText.campaign_id == campaign_id)):
        own = OwnWords(**{field: getattr(row, field) for field in LONGEST})
        if own != OwnWords() and row.letter in found:
            found[row.letter][row.locale] = own
    return found


def own_words(campaign_id: int, letter: str) -> dict[str, OwnWords]:
    """The marketer's own words of one letter, by language. Raises NotFound for an unknown letter."""
    return all_words(campaign_id)[_editable(letter).name]


def fingerprint(own: Mapping[str, OwnWords]) -> str:
    """Changes when the words do: what a form shows when it is opened, and gives back when it is sent."""
    told = {locale: asdict(texts) for locale, texts in sorted(own.items()) if texts != OwnWords()}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def errors_before_launch(card: CampaignCard) -> list[Finding]:
    """What in the campaign's own letters keeps it from being launched, in the current language."""
    own = all_words(card.id)
    letters = [name for name, letter in kinds.ALL.items() if letter.editable]
    return [error for name in letters for error in checking.errors(checking.warnings(card, name, own[name]))]


def save(campaign: Campaign, letter: str, texts: Texts, *, seen: str = "") -> None:
    """Replace the words of a letter; an empty text brings the standard one back, a language left out stays as it is.

    They hold for mails that are sent from now on. `seen` is the fingerprint of the words that the writer saw: Conflict
    when somebody changed them since. Raises NotFound for an unknown letter; Invalid, field “en-subject”, for words that
    are too long or name a placeholder that this letter does not know.
    """
    known = _editable(letter)
    chosen = {locale: _checked(known, locale, texts[locale]) for locale in i18n.LOCALES if locale in texts}
    lock(campaign)
    if seen and seen != fingerprint(own_words(campaign.id, letter)):
        raise Conflict(_("Somebody else saved this letter while you were writing. Look at theirs, then save again."))
    for locale, values in chosen.items():
        row = {"campaign_id": campaign.id, "letter": letter, "locale": locale, **values}
        statement = insert(LetterText).values(row)
        keys = ["campaign_id", "letter", "locale"]
        db.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


def reset(campaign: Campaign, letter: str) -> str:
    """Bring all standard words back; answers what `restore` takes them back with, for an hour."""
    before = {locale: asdict(own) for locale, own in own_words(campaign.id, letter).items()}
    lock(campaign)
    db.session.execute(delete(LetterText).where(LetterText.campaign_id == campaign.id, LetterText.letter == letter))
    key = secrets.token_hex(8)
    notes.leave(_note(campaign.id, letter, key), json.dumps(before), UNDO_SECONDS)
    return key


def restore(campaign: Campaign, letter: str, key: str) -> None:
    """Take a reset back. Raises Conflict when that is no longer possible, NotFound for an unknown letter."""
    note = notes.read(_note(campaign.id, _editable(letter).name, key))
    if note is None:
        raise Conflict(_("This cannot be taken back any more."))
    save(campaign, letter, json.loads(note.text))


def check(letter: Letter, field: str, text: str) -> None:
    """Refuse words that are too long or name a placeholder that this letter does not know, with Invalid."""
    if len(text) > LONGEST[field]:
        raise Invalid(_("This is too long: at most %(number)d characters.") % {"number": LONGEST[field]}, field)
    if unknown := words.unknown(text, letter.placeholders):
        names = ", ".join(f"{{{name}}}" for name in unknown)
        raise Invalid(_("This letter does not know %(names)s.") % {"names": names}, field)


def _checked(letter: Letter, locale: str, given: Mapping[str, str]) -> dict[str, str]:
    chosen = {field: str(given.get(field, "")).replace("\r\n", "\n").strip() for field in letter.editable}
    for field, text in chosen.items():
        try:
            check(letter, field, text)
        except Invalid as error:
            raise Invalid(str(error), f"{locale}-{field}") from None
    return chosen


def _editable(name: str) -> Letter:
    if name not in kinds.ALL or not kinds.ALL[name].editable:
        raise NotFound(name)
    return kinds.ALL[name]


def _note(campaign_id: int, letter: str, key: str) -> str:
    return f"letter-before:{campaign_id}:{letter}:{key}"
