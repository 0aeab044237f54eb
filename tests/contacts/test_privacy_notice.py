"""Evidence names the version of the privacy page, so its words do not change without a new number."""

import hashlib

from leadgen.contacts.evidence import PRIVACY_NOTICE
from tests.house.source import ROOT

# Version → hash of the page's words. Another wording: raise PRIVACY_NOTICE and add a line; old lines stay.
WORDINGS = {
    1: "5b37f0e91629f837763b58e10018621a95eeb2becba481b38a0606db2e3fb1e7",
    2: "b8c5ad239d9c299cf846d629d8cd559d15f4a6de95019fabeb83f3623adeabae",
    3: "0e92c219b9e378f9966ab1fb198349625ce6b8c779dff42e5e757f45412c5c47",
    4: "812dff1fef447368e2686fd704c0123feb129a720553456f26d7b0ff799442c5",
    5: "4bd423a977986bbd531e60602de83066ba34265905ee4e6dac37816d020e3798",
}


def test_the_privacy_page_says_what_its_version_says() -> None:
    page = (ROOT / "templates" / "public" / "privacy.html").read_bytes()
    assert hashlib.sha256(page).hexdigest() == WORDINGS[PRIVACY_NOTICE]
    assert max(WORDINGS) == PRIVACY_NOTICE
