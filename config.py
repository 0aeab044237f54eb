"""Settings from the environment, read once. A wrong value stops the start with one sentence that names it."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from leadgen.core.settings import Environment, Settings

MAIL_PROVIDERS = ("sendgrid", "smtp", "file")
_RUN_ENV = Path(__file__).parent / "var" / "run.env"
_DEVELOPMENT_KEY = "development-only-key-that-production-refuses"
_WELL_KNOWN_KEYS = {_DEVELOPMENT_KEY, "change-me", "changeme", "secret", "dev"}
_MINIMUM_KEY_LENGTH = 32


class SettingError(SystemExit):
    """A setting is unknown or malformed; as SystemExit it ends the start with its sentence and no traceback."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(f"{name}: {sentence}")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings. Raises SettingError at the first wrong one."""
    env = _with_running_servers(dict(os.environ if environ is None else environ))
    environment = _environment(env)
    settings = Settings(
        environment=environment,
        database_url=_database_url(env),
        redis_url=_url(env, "REDIS_URL", schemes=("redis", "rediss", "unix")),
        secret_keys=_secret_keys(env, environment),
        base_url=_base_url(env, environment),
        trusted_proxies=_whole_number(env, "TRUSTED_PROXIES", default=0),
        mail_provider=_mail_provider(env, environment),
        sendgrid_api_key=env.get("SENDGRID_API_KEY", ""),
        sendgrid_api_base=_url(env, "SENDGRID_API_BASE", schemes=("https", "http"), default="https://api.sendgrid.com"),
        sendgrid_webhook_public_key=_public_keys(env),
        smtp_url=env.get("SMTP_URL", ""),
        mail_dir=env.get("MAIL_DIR", "") or str(_RUN_ENV.parent / "mail"),
        clock_file=_clock_file(env, environment),
    )
    _check_provider(settings)
    return settings


def _with_running_servers(env: dict[str, str]) -> dict[str, str]:
    """Fill in the addresses of the servers that `make run` started, for commands typed in a second terminal."""
    if "DATABASE_URL" not in env and _RUN_ENV.is_file():
        lines = (line.split("=", 1) for line in _RUN_ENV.read_text().splitlines() if "=" in line)
        for name, value in lines:
            env.setdefault(name, value)
    return env


def _environment(env: Mapping[str, str]) -> Environment:
    word = env.get("LEADGEN_ENV", "production")
    try:
        return Environment(word)
    except ValueError:
        choices = ", ".join(Environment)
        raise SettingError("LEADGEN_ENV", f"“{word}” is not one of {choices}.") from None


def _url(env: Mapping[str, str], name: str, *, schemes: tuple[str, ...], default: str = "") -> str:
    value = env.get(name, "") or default
    if not value:
        raise SettingError(name, f"is not set; give an address that starts with {schemes[0]}://.")
    parts = urlsplit(value)
    if parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/")):
        raise SettingError(name, f"is not an address that starts with {' or '.join(s + '://' for s in schemes)}.")
    return value


def _database_url(env: Mapping[str, str]) -> str:
    schemes = ("postgresql", "postgresql+psycopg", "postgres")
    value = _url(env, "DATABASE_URL", schemes=schemes)
    return "postgresql+psycopg://" + value.split("://", 1)[1]


def _secret_keys(env: Mapping[str, str], environment: Environment) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in env.get("SECRET_KEY", "").split(",") if key.strip())
    if environment is not Environment.PRODUCTION:
        return keys or (_DEVELOPMENT_KEY,)
    if not keys:
        raise SettingError("SECRET_KEY", "is not set; production needs at least 32 random characters.")
    if any(key.lower() in _WELL_KNOWN_KEYS or len(key) < _MINIMUM_KEY_LENGTH for key in keys):
        raise SettingError("SECRET_KEY", "has a key that is well known or shorter than 32 characters.")
    return keys


def _base_url(env: Mapping[str, str], environment: Environment) -> str:
    default = "" if environment is Environment.PRODUCTION else f"http://127.0.0.1:{env.get('PORT', '8000')}"
    value = _url(env, "BASE_URL", schemes=("https", "http"), default=default).rstrip("/")
    if urlsplit(value).path or urlsplit(value).query:
        raise SettingError("BASE_URL", "must be a bare address like https://contest.example, without a path.")
    return value


def _whole_number(env: Mapping[str, str], name: str, *, default: int) -> int:
    value = env.get(name, "").strip() or str(default)
    if not value.isdecimal():
        raise SettingError(name, f"“{value}” is not a whole number.")
    return int(value)


def _mail_provider(env: Mapping[str, str], environment: Environment) -> str:
    default = "" if environment is Environment.PRODUCTION else "file"
    word = env.get("MAIL_PROVIDER", "") or default
    if word not in MAIL_PROVIDERS:
        raise SettingError("MAIL_PROVIDER", f"“{word}” is not one of {', '.join(MAIL_PROVIDERS)}.")
    return word


def _clock_file(env: Mapping[str, str], environment: Environment) -> str | None:
    path = env.get("CLOCK_FILE") or None
    if path and environment is Environment.PRODUCTION:
        raise SettingError("CLOCK_FILE", "moves the clock and is refused in production.")
    return path


def _public_keys(env: Mapping[str, str]) -> str:
    """One key, or several with commas between them while one is exchanged for another."""
    keys = env.get("SENDGRID_WEBHOOK_PUBLIC_KEY", "")
    for key in filter(None, (key.strip() for key in keys.split(","))):
        try:
            base64.b64decode(key, validate=True)
        except ValueError:
            raise SettingError(
                "SENDGRID_WEBHOOK_PUBLIC_KEY", "is not a key as SendGrid shows it: letters, digits, + and / only."
            ) from None
    return keys


def _check_provider(settings: Settings) -> None:
    if settings.mail_provider == "sendgrid" and not settings.sendgrid_api_key:
        raise SettingError("SENDGRID_API_KEY", "is not set, but MAIL_PROVIDER is sendgrid.")
    if settings.mail_provider == "smtp" and urlsplit(settings.smtp_url).scheme not in {"smtp", "smtps"}:
        raise SettingError(
            "SMTP_URL", "must be an address like smtp://user:password@host:587 when MAIL_PROVIDER is smtp."
        )
