"""The provider that the settings name, one for each process."""

from __future__ import annotations

import json
import os
from datetime import datetime
from functools import lru_cache

from leadgen.core import clock, hot, settings
from leadgen.core.settings import Settings
from leadgen.mail import receipts
from leadgen.mail.providers.file import Events, FileProvider
from leadgen.mail.providers.interface import Provider
from leadgen.mail.providers.sendgrid import SendGridProvider
from leadgen.mail.providers.smtp import SmtpProvider

# What the file provider plays for later lies there as if it had come, and is due only then.
_STORE_FOR_LATER = """
INSERT INTO provider_event (event_id, opaque_id, kind, payload, received_at, due_at)
VALUES (%(id)s, %(opaque)s::uuid, %(kind)s, %(payload)s::jsonb, %(due_at)s, %(due_at)s) RETURNING id
"""


def provider() -> Provider:
    """The provider of this process; a fork makes its own, because a connection cannot be shared."""
    return _made(settings.get(), os.getpid())


@lru_cache(maxsize=2)
def _made(current: Settings, _process: int) -> Provider:
    match current.mail_provider:
        case "sendgrid":
            return SendGridProvider(current.sendgrid_api_key, current.sendgrid_api_base)
        case "smtp":
            return SmtpProvider(current.smtp_url)
        case _:
            return FileProvider(current.mail_dir, _tell)


def _tell(events: Events, at: datetime) -> None:
    if at <= clock.now():
        receipts.store(events)
        return
    for event in events:
        values = {"id": event["sg_event_id"], "opaque": event["m"], "kind": event["event"], "due_at": at}
        hot.many(_STORE_FOR_LATER, values | {"payload": json.dumps(event)})
