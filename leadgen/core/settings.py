"""The settings as the rooms see them; read from the environment by the top-level config.py, handed in by app.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Environment(StrEnum):
    """Where the product runs; anything that is not production may show development pages."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the environment decides. `secret_keys` is newest first."""

    environment: Environment
    database_url: str
    redis_url: str
    secret_keys: tuple[str, ...]
    base_url: str
    trusted_proxies: int
    mail_provider: str
    sendgrid_api_key: str
    sendgrid_api_base: str
    sendgrid_webhook_public_key: str
    smtp_url: str
    mail_dir: str
    clock_file: str | None

    @property
    def is_production(self) -> bool:
        """True where development pages, the moved clock and the simulator must not exist."""
        return self.environment is Environment.PRODUCTION

    @property
    def is_https(self) -> bool:
        """True when the public address is https: cookies are then Secure and carry the __Host- prefix."""
        return self.base_url.startswith("https://")


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of this process."""
    global _current  # noqa: PLW0603 - one process, one set of settings
    _current = settings


def get() -> Settings:
    """The settings of this process. Raises RuntimeError when app.py has not handed them in yet."""
    if _current is None:
        raise RuntimeError("settings are not loaded: build the application first")
    return _current
