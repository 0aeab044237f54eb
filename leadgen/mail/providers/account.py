"""What SendGrid's account says of itself: may the key send, whom does it not write to, which records does it want."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from python_http_client.exceptions import HTTPError

from leadgen.core.errors import ProviderTemporary
from leadgen.mail.providers.calls import Silence, within
from leadgen.mail.providers.interface import Checked

PAGE = 500
# Name in `provider_pull` → the list's address in the API.
LISTS = ("bounces", "invalid_emails", "spam_reports", "unsubscribes")


@dataclass(frozen=True, slots=True)
class Listed:
    """An address that SendGrid will not write to any more, and since when (seconds since 1970)."""

    email: str
    created: int
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """A DNS record that SendGrid wants to see: `use` is return_path or dkim."""

    use: str
    kind: str
    name: str
    value: str


def check(client: Any, sender: str) -> Checked:
    """The key may send, and a mail in sandbox mode would have been taken. Nobody gets anything."""
    try:
        scopes = _read(within(client.scopes.get))
        if "mail.send" not in (scopes.get("scopes") or () if isinstance(scopes, dict) else ()):
            return Checked(is_ok=False, code="key_may_not_send")
        within(lambda: client.mail.send.post(request_body=_sandbox(sender)))
    except HTTPError as error:
        refused = error.status_code in {401, 403}
        return Checked(is_ok=False, code="key_refused" if refused else "refused", detail=_said(error))
    except (OSError, HTTPException, Silence, ValueError) as error:
        return Checked(is_ok=False, code="no_connection", detail=str(error)[:200])
    return Checked(is_ok=True, code="sendgrid_works")


def listed(client: Any, name: str, since: int, until: int, offset: int) -> list[Listed]:
    """A page of at most PAGE addresses of one of LISTS. Raises ProviderTemporary for anything but a good answer."""
    asked = {"start_time": since, "end_time": until, "limit": PAGE, "offset": offset}
    try:
        rows = _read(within(lambda: client.suppression._(name).get(query_params=asked)))
        return [
            Listed(str(row["email"]), int(row.get("created") or 0), str(row.get("reason") or "")[:200]) for row in rows
        ]
    except (HTTPError, OSError, HTTPException, Silence, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProviderTemporary(f"{name}: {error}"[:200]) from error


def records(client: Any, domain: str) -> list[Record] | None:
    """The records that authenticate `domain`, or a domain above it; empty when there are none, None when unknown."""
    try:
        rows = _read(within(lambda: client.whitelabel.domains.get(query_params={"limit": 50})))
        own = [row for row in rows if _covers(str(row["domain"]), domain)]
        own.sort(key=lambda row: len(str(row["domain"])), reverse=True)
        return [_record(use, dns) for row in own[:1] for use, dns in sorted(row["dns"].items())]
    except (HTTPError, OSError, HTTPException, Silence, ValueError, TypeError, KeyError, AttributeError):
        return None


def _record(use: str, dns: dict[str, Any]) -> Record:
    is_dkim = use.startswith("dkim")
    name, value = str(dns["host"]).rstrip("."), str(dns["data"]).rstrip(".")
    return Record("dkim" if is_dkim else "return_path", str(dns.get("type") or "cname").upper(), name, value)


def _covers(authenticated: str, domain: str) -> bool:
    return f".{domain}".endswith(f".{authenticated.lower().rstrip('.')}")


def _sandbox(sender: str) -> dict[str, Any]:
    return {
        "personalizations": [{"to": [{"email": sender}]}],
        "from": {"email": sender},
        "subject": "Settings",
        "content": [{"type": "text/plain", "value": "Settings"}],
        "mail_settings": {"sandbox_mode": {"enable": True}},
    }


def _read(response: Any) -> Any:
    return json.loads(response.body)


def _said(error: HTTPError) -> str:
    try:
        return str(json.loads(error.body)["errors"][0]["message"])[:200]
    except (ValueError, TypeError, KeyError, IndexError):
        return f"{error.status_code} {error.reason}"[:200]
