"""docs/deployment.md and its files speak of the product as it is: settings, commands, tables."""

import configparser
import os
import re
import subprocess
from pathlib import Path

import psycopg
import pytest
import yaml
from flask import Flask
from granian.cli import cli as granian

import config
from leadgen.embedded.accounts import Account
from leadgen.embedded.postgres import find_binaries
from tests import servers

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "deployment.md").read_text()
FILES = ROOT / "docs" / "deployment"


def _commands() -> dict[str, list[str]]:
    """Every command that a unit, the image or a service starts."""
    found = {}
    for path in (FILES / "systemd").glob("leadgen-[wsp]*.service"):
        unit = configparser.ConfigParser(interpolation=None, strict=False)
        unit.optionxform = str  # type: ignore[assignment]
        unit.read_string(path.read_text())
        found[path.name] = unit["Service"]["ExecStart"].replace("/srv/leadgen/.venv/bin/", "").split()
    for name, service in yaml.safe_load((FILES / "compose.yaml").read_text())["services"].items():
        if service.get("image") == "leadgen" and "command" in service:
            found[f"compose {name}"] = service["command"]
    image = re.search(r"^CMD (\[.*\])$", (FILES / "Dockerfile").read_text(), re.MULTILINE)
    assert image
    found["Dockerfile"] = yaml.safe_load(image[1])
    return found


def test_the_table_of_settings_names_what_config_reads() -> None:
    source = (ROOT / "config.py").read_text()
    read = set(re.findall(r"env(?:iron)?(?:\.get\(|, )['\"]([A-Z_]+)['\"]", source))
    assert len(read) > 10
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", GUIDE, re.MULTILINE))
    assert read == table


def test_the_example_of_the_environment_starts_once_its_blanks_are_filled() -> None:
    lines = (line.split("=", 1) for line in (FILES / "leadgen.env.example").read_text().splitlines() if "=" in line)
    example = {name: value for name, value in lines if name.isupper()}
    assert config.load(example | {"SECRET_KEY": "k" * 48, "SENDGRID_API_KEY": "key"}).is_production
    with pytest.raises(SystemExit, match="SECRET_KEY"):
        config.load(example)


def test_the_proxy_lets_through_what_pages_of_large_files_take(app: Flask) -> None:
    wide = re.search(r"location ~ (\S+) \{\s+client_max_body_size (\d+)m;", (FILES / "nginx.conf").read_text())
    assert wide
    pattern, most = re.compile(wide[1]), int(wide[2]) * 1024 * 1024
    views = {rule.rule: app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules()}
    large = {rule: view.most_bytes for rule, view in views.items() if hasattr(view, "most_bytes")}
    assert len(large) > 4
    for rule, takes in large.items():
        assert pattern.search(re.sub(r"<[^>]+>", "1", rule)), rule
        assert most > takes, rule
    assert pattern.search("/me/token/works/new/1")


@pytest.mark.parametrize(("place", "command"), _commands().items())
def test_every_command_exists(app: Flask, place: str, command: list[str]) -> None:
    if command[0] == "granian":
        options = {option for parameter in granian.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in command if word.startswith("--")} <= options
        assert command[-1] == "wsgi:app"
    elif command[0] == "flask":
        from leadgen import cli  # noqa: PLC0415 - registers on import of the commands only

        group = cli.register(app).cli.commands
        for word in command[3:]:
            assert word in group, place
            group = getattr(group[word], "commands", {})
    else:
        assert command[0] == "/bin/sh"


def test_every_file_that_the_guide_names_is_there() -> None:
    for link in re.findall(r"\]\((deployment/[^)]*)\)", GUIDE):
        assert (ROOT / "docs" / link).exists()
    for unit in re.findall(r"leadgen-\w+(?:@(?=\d))?(?:\.timer)?", GUIDE):
        assert list((FILES / "systemd").glob(f"{unit}*")), unit


_PEOPLE = """
INSERT INTO brand (name, slug, legal_name, legal_address, contact_email, sender_name, sender_email)
VALUES ('Azur', 'azur', 'Azur SAS', 'Nice', 'a@azur.test', 'Azur', 'a@azur.test');
INSERT INTO contact (brand_id, mailbox_key, email, address_hash, first_name, marketing_at, created_at)
SELECT id, person, person, person::bytea, person, now() - interval '2 days', now() - interval '2 days'
FROM brand, unnest(ARRAY['anna', 'ben', 'cleo']) AS person;
INSERT INTO consent (brand_id, contact_id, purpose, action, at, channel, evidence)
SELECT brand_id, id, 'marketing', 'confirmed', created_at, 'form', '{"ip": "192.0.2.1", "wording": "yes"}' FROM contact;
"""
_LATER = """
INSERT INTO suppression (brand_id, address_hash, reason, at) SELECT brand_id, address_hash, 'complaint', now()
FROM contact WHERE email = 'anna';
INSERT INTO consent (brand_id, contact_id, purpose, action, at, channel)
SELECT brand_id, id, 'marketing', 'withdrawn', now(), 'unsubscribe page' FROM contact WHERE email = 'ben';
UPDATE contact SET marketing_at = NULL WHERE email = 'ben';
UPDATE contact SET email = NULL, mailbox_key = NULL, address_hash = NULL, first_name = '', erased_at = now()
WHERE email = 'cleo';
"""


def _psql(script: str, url: str, folder: Path) -> None:
    binaries, _ = find_binaries(Account())
    subprocess.run(
        [binaries / "psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f", FILES / script, url],
        cwd=folder, check=True, capture_output=True, env=os.environ,
    )  # fmt: skip


def test_a_backup_of_yesterday_keeps_the_promises_of_today(worker_name: str, tmp_path: Path) -> None:
    today = servers.fresh_database(f"today_{worker_name}")
    with psycopg.connect(today) as connection:
        connection.execute(_PEOPLE)
        connection.execute(_LATER)
    _psql("promises-save.sql", today, tmp_path)

    restored = servers.fresh_database(f"restored_{worker_name}")
    with psycopg.connect(restored) as connection:
        connection.execute(_PEOPLE)
    for _ in range(2):  # running it twice changes nothing more
        _psql("promises-keep.sql", restored, tmp_path)
    with psycopg.connect(restored) as connection:
        people = connection.execute("SELECT email, marketing_at IS NULL, erased_at IS NULL FROM contact ORDER BY id")
        assert people.fetchall() == [("anna", False, True), ("ben", True, True), (None, True, False)]
        assert connection.execute("SELECT address_hash, reason FROM suppression").fetchall() == [(b"anna", "complaint")]
        taken_back = connection.execute("SELECT contact_id, channel FROM consent WHERE action = 'withdrawn'").fetchall()
        assert taken_back == [(2, "restore")]
        kept = connection.execute("SELECT evidence FROM consent WHERE contact_id = 3").fetchall()
        assert kept == [({"wording": "yes"},)]
