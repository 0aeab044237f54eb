"""What opened a link, by what it says of itself."""

from __future__ import annotations

import pytest

from leadgen.visits import service as visits
from leadgen.visits.models import VisitKind

_SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        " ",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "WhatsApp/2.24.20.89 A",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "Mozilla/5.0 (compatible; Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/))",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/139.0.0.0 Safari/537.36",
        "Signal/1 CFNetwork/1474 Darwin/23.0.0",
        "Mozilla/5.0 (Linux; Android 6.0.1) Chrome/120 Mobile Safari/537.36 (compatible; Googlebot/2.1)",
        "python-requests/2.32",
        "okhttp/4.12.0",
    ],
)
def test_f4_what_draws_a_preview_is_one(agent: str) -> None:
    assert visits.kind_of(agent) is VisitKind.PREVIEW


@pytest.mark.parametrize(
    "agent",
    [
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17628; Pro)",
        "Mozilla/5.0 (compatible; proofpoint)",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    ],
)
def test_f4_what_checks_mail_is_a_scanner(agent: str) -> None:
    assert visits.kind_of(agent) is VisitKind.SCANNER


@pytest.mark.parametrize(
    "agent",
    [
        _SAFARI,
        _CHROME,
        f"{_SAFARI} Version/18.5 Mobile/15E148 Safari/604.1",
        f"{_SAFARI} Mobile/15E148 Instagram 390.0.0.28.85 (iPhone14,5; iOS 18_5)",
        f"{_SAFARI} Mobile/15E148 [FBAN/FBIOS;FBAV/520.0.0.38.101;FBDV/iPhone14,5]",
        # A make of phones, not a robot.
        "Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0 Mobile Safari",
    ],
)
def test_people_in_browsers_and_apps_are_candidates(agent: str) -> None:
    assert visits.kind_of(agent) is VisitKind.CANDIDATE


def test_f4_the_way_of_asking_tells_the_others_apart() -> None:
    assert visits.kind_of(_CHROME, is_head=True) is VisitKind.SCANNER
    assert visits.kind_of(_CHROME, is_prefetch=True) is VisitKind.PREFETCH
    assert visits.kind_of(_CHROME, is_self=True) is VisitKind.SELF
    assert visits.kind_of("Twitterbot/1.0", is_self=True) is VisitKind.PREVIEW
