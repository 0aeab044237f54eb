"""Where a contest may be shown inside other people's pages: a list of their origins."""

from __future__ import annotations

from collections.abc import Iterable

from leadgen.campaigns.editing import edited
from leadgen.campaigns.models import Campaign
from leadgen.core import settings, text
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _

ORIGINS_LIMIT = 30
_LOOPBACK = frozenset({"localhost", "127.0.0.1"})


def edit_embed(campaign: Campaign, origins: Iterable[str]) -> None:
    """Replace the list of pages that may show this contest. Raises Invalid(field="origins")."""
    found = list(dict.fromkeys(origin(typed) for typed in origins if typed.strip()))
    if len(found) > ORIGINS_LIMIT:
        raise Invalid(_("Keep to %(limit)d addresses at most.") % {"limit": ORIGINS_LIMIT}, "origins")
    with edited(campaign):
        campaign.embed_origins = found


def origin(typed: str) -> str:
    """`https://shop.example` of anything that begins so: what a browser calls the origin of a page.

    Addresses without encryption are refused, but for this machine's own outside production. Raises
    Invalid(field="origins").
    """
    tidy = typed.strip()
    parts = text.address_parts(tidy if "://" in tidy else f"https://{tidy}")
    host = (parts.hostname or "").rstrip(".")
    is_own_machine = host in _LOOPBACK and not settings.get().is_production
    if not host or not _is_host(host) or parts.scheme not in {"https", *(("http",) if is_own_machine else ())}:
        sentence = _("“%(typed)s” is no address of a site. Write it like https://www.example.com.")
        raise Invalid(sentence % {"typed": tidy[:100]}, "origins")
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host.encode('idna').decode()}{port}"


def _is_host(host: str) -> bool:
    try:
        known = host.encode("idna").decode()
    except UnicodeError:
        return False
    is_plain = all(character.isalnum() or character in ".-" for character in known)
    return is_plain and ("." in known or known in _LOOPBACK)
