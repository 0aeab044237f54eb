"""The provider that the settings name, one for each process."""

from __future__ import annotations

import os
from functools import lru_cache

from leadgen.core import settings
from leadgen.core.settings import Settings
from leadgen.mail import receipts
from leadgen.mail.providers.file import FileProvider
from leadgen.mail.providers.interface import Provider
from leadgen.mail.providers.sendgrid import SendGridProvider
from leadgen.mail.providers.smtp import SmtpProvider


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
            return FileProvider(current.mail_dir, receipts.store)
