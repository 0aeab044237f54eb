"""Settings: a wrong one stops the start with a sentence that names it."""

from __future__ import annotations

import pytest

import config

PRODUCTION = {
    "LEADGEN_ENV": "production",
    "DATABASE_URL": "postgresql://leadgen@db.example/leadgen",
    "REDIS_URL": "redis://redis.example/0",
    "SECRET_KEY": "k" * 32,
    "BASE_URL": "https://contest.example",
    "MAIL_PROVIDER": "sendgrid",
    "SENDGRID_API_KEY": "SG.key",
}


def test_a_good_production_loads() -> None:
    loaded = config.load(PRODUCTION | {"SECRET_KEY": f"{'n' * 32},{'o' * 32}", "TRUSTED_PROXIES": "1"})

    assert loaded.database_url == "postgresql+psycopg://leadgen@db.example/leadgen"
    assert loaded.secret_keys == ("n" * 32, "o" * 32)
    assert loaded.trusted_proxies == 1
    assert loaded.is_production
    assert loaded.is_https


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEADGEN_ENV", "staging"),
        ("DATABASE_URL", "mysql://db.example/leadgen"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", ""),
        ("REDIS_URL", "http://redis.example"),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "change-me"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", f"{'n' * 32},short"),
        ("BASE_URL", ""),
        ("BASE_URL", "contest.example"),
        ("BASE_URL", "https://contest.example/path"),
        ("TRUSTED_PROXIES", "all"),
        ("TRUSTED_PROXIES", "-1"),
        ("MAIL_PROVIDER", "pigeon"),
        ("MAIL_PROVIDER", ""),
        ("SENDGRID_API_KEY", ""),
        ("SENDGRID_API_BASE", "ftp://api.example"),
        ("SENDGRID_WEBHOOK_PUBLIC_KEY", "MFkw, no key"),
        ("CLOCK_FILE", "/somewhere/clock"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SystemExit, match=rf"^{name}: ") as stopped:
        config.load(PRODUCTION | {name: value})

    assert str(stopped.value).endswith(".")
    assert "\n" not in str(stopped.value)


def test_smtp_needs_its_address() -> None:
    with pytest.raises(SystemExit, match=r"^SMTP_URL: "):
        config.load(PRODUCTION | {"MAIL_PROVIDER": "smtp"})


def test_no_secret_is_repeated_in_the_sentence() -> None:
    with pytest.raises(SystemExit) as stopped:
        config.load(PRODUCTION | {"SECRET_KEY": "hunter2"})

    assert "hunter2" not in str(stopped.value)
