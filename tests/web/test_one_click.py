"""One-click unsubscribing from the headers of a real mail: mailbox providers post there without a page or a cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient

from leadgen.core import hot
from leadgen.mail import jobs
from tests.conftest import Clock
from tests.factories import make_campaign
from tests.mail.conftest import noon, nurture

__all__ = ["noon"]


def test_the_header_of_a_letter_unsubscribes_with_one_post(app: Flask, client: FlaskClient, noon: Clock) -> None:
    """RFC 8058: POST, no cookie, no redirect; nothing more is sent afterwards."""
    with app.app_context():
        message = nurture(make_campaign(), email="anna@mail.example")
        contact_id = message.contact_id
        jobs.pump_mail()
    (mail,) = client.get("/dev/mailbox.json?to=anna@mail.example").json["mails"]
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = urlsplit(mail["headers"]["List-Unsubscribe"].strip("<>"))
    answer = app.test_client().post(address.path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    contact = hot.one("SELECT marketing_at FROM contact WHERE id = %(id)s", {"id": contact_id})
    assert contact == {"marketing_at": None}
