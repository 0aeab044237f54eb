"""A compiled letter, parcels for it, and the double."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgen.campaigns.cards import BrandCard
from leadgen.letters import kinds
from leadgen.letters.rendering import Compiled
from leadgen.mail.providers.interface import Batch, Parcel
from tests.providers.double import SendGridDouble, sendgrid_double

BRAND = BrandCard(
    id=1,
    name="Cap Sud",
    legal_name="Cap Sud SAS",
    legal_address="12 quai des Brumes, Marseille",
    contact_email="bonjour@capsud.example",
    sender_name="Cap Sud, voyages",
    sender_email="jeu@mail.capsud.example",
    website="",
    logo="",
    accent="#0b6e6e",
)


@pytest.fixture
def double() -> Iterator[SendGridDouble]:
    with sendgrid_double() as running:
        yield running


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody signed but itself."""
    key, made = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", *options, *names, "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


def batch(people: int = 1, *, letter: str = "confirm", start: int = 1, to: str = "") -> Batch:
    """A batch to person1@…, person2@…, with one value each."""
    compiled = Compiled(
        letter=kinds.ALL[letter],
        locale="fr",
        brand=BRAND,
        subject="Confirmez : été à Lisbonne",
        text="Bonjour[[_first_name]],\n[[link]]\n",
        html='<p>Bonjour[[_first_name:h]]</p><a href="[[link]]">Confirmer</a>',
        markers=("_first_name", "_first_name:h", "link"),
        list_id="<ete.localhost>" if kinds.ALL[letter].is_marketing else "",
    )
    return Batch(compiled, [_parcel(number, letter, to) for number in range(start, start + people)])


def _parcel(number: int, letter: str, to: str) -> Parcel:
    filled = {"_first_name": " L’Été", "_first_name:h": " L’Été", "link": f"http://localhost/confirm/{number}"}
    unsubscribe = f"http://localhost/unsubscribe/{'x' * 90}{number}" if kinds.ALL[letter].is_marketing else ""
    address = to or f"person{number}@mail.example"
    opaque = f"00000000-0000-4000-8000-{number:012d}"
    return Parcel(number, opaque, address, 1, filled, unsubscribe)
