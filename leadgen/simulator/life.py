"""One person's life in a campaign, as a generator: it yields what they want and is handed what comes back."""

from __future__ import annotations

import random
import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from leadgen.simulator import pages
from leadgen.simulator.client import Answer, Ask, Letter, Life, Pause, Step
from leadgen.simulator.pages import Form
from leadgen.simulator.people import Person

_PATIENCE_FOR_A_FRIEND = 240  # quarters of a second: reading a mail and confirming takes people a while
_CODE = re.compile(rb"/r/([0-9A-Za-z]{4,16})")
_ANSWERS = "/answers/"
_AGENTS = tuple(
    f"Mozilla/5.0 ({device}"
    for device in (
        "iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/604.1",
        "Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
        "Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
    )
)
_LANGUAGES = {"fr": "fr-FR,fr;q=0.9,en;q=0.6", "en": "en-GB,en;q=0.9"}
_REDIRECTS = {301, 302, 303, 307}
_TRIES_AFTER_ERROR = 30
_MOST_QUESTIONS = 20
_ONE_MORE = 0.6  # of those who answered a question answer the next one
Talk = Generator[Step, Any, Answer]


@dataclass
class Outcome:
    """What became of the people; `codes` are the links that they share."""

    entered: int = 0
    confirmed: int = 0
    invited: int = 0
    shared: int = 0
    answered: int = 0
    withdrew: int = 0
    letters_missing: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    entered_emails: list[str] = field(default_factory=list)
    confirmed_emails: list[str] = field(default_factory=list)

    def refuse(self, what: str, answer: Answer) -> None:
        """Count an answer that the person did not expect."""
        name = f"{what} {answer.status or 'no answer'}"
        self.refused[name] = self.refused.get(name, 0) + 1


@dataclass(frozen=True)
class Stage:
    """Where the play takes place."""

    authority: str
    slug: str
    outcome: Outcome
    pace: float = 1.0  # how long people think; 0: not at all
    form_seconds: float = 0.0  # between seeing the form and sending it, at least
    letter_seconds: float = 60.0


class Browser:
    """The person's browser: their headers and, once the form is sent, a cookie."""

    def __init__(self, stage: Stage, person: Person) -> None:
        agent = _AGENTS[person.number % len(_AGENTS)]
        self._start = (
            f"Host: {stage.authority}\r\nUser-Agent: {agent}\r\nAccept: text/html\r\n"
            f"Accept-Language: {_LANGUAGES[person.locale]}\r\n"
        )
        self.cookie = ""

    def get(self, name: str, path: str) -> Ask:
        """Ask for a page."""
        return Ask(name, f"GET {path} HTTP/1.1\r\n{self._start}{self.cookie}\r\n".encode())

    def post(self, name: str, path: str, fields: list[tuple[str, str]]) -> Ask:
        """Send a form."""
        body = pages.encode(fields)
        head = (
            f"POST {path} HTTP/1.1\r\n{self._start}{self.cookie}"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return Ask(name, head.encode() + body)

    def keep(self, answer: Answer) -> None:
        """Keep the cookie of an answer."""
        if set_cookie := answer.header(b"set-cookie"):
            self.cookie = f"Cookie: {set_cookie.partition(';')[0]}\r\n"


def live(person: Person, stage: Stage) -> Life:
    """From the first look at the landing page to the last answer."""
    outcome = stage.outcome
    browser = Browser(stage, person)
    waiting = yield from _enter(person, stage, browser)
    if waiting is None or not person.confirms:
        return
    link = yield Letter(person.email, "/confirm/", stage.letter_seconds)
    if link is None:
        outcome.letters_missing += 1
        return
    yield from _think(stage, 2 + 20 * person.patience)
    if person.confirms_elsewhere:
        browser = Browser(stage, person)
    page = yield from _confirm(person, stage, browser, link)
    if page is None:
        return
    if person.answers:
        chance = random.Random(person.number)  # noqa: S311 - a play, not a secret
        yield from _answer(stage, browser, page, chance)
    if person.withdraws and person.wants_marketing:
        yield from _withdraw(stage, browser, page)


def _enter(person: Person, stage: Stage, browser: Browser) -> Generator[Step, Any, Answer | None]:
    path = f"/c/{stage.slug}"
    if person.inviter is not None:
        path = yield from _find_link(person, stage, path)
    came_by = path
    for _ in range(person.visits):
        landing, path = yield from _land(browser, path)
        yield from _think(stage, 2 + 6 * person.patience)
    form = pages.form_with(landing.body, "email")
    if form is None:
        stage.outcome.refuse("landing", landing)
        return None
    if stage.form_seconds:
        yield Pause(stage.form_seconds)
    answer = yield from _insist(browser.post("enter", form.action or path, _entry(person, form)))
    if answer.status != 303:
        stage.outcome.refuse("enter", answer)
        return None
    browser.keep(answer)
    stage.outcome.entered += 1
    stage.outcome.entered_emails.append(person.email)
    stage.outcome.invited += came_by.startswith("/r/")
    return (yield from _insist(browser.get("waiting", pages.path_of(answer.header(b"location")))))


def _entry(person: Person, form: Form) -> list[tuple[str, str]]:
    fields = [*form.hidden().items(), ("email", person.email), ("first_name", person.first_name)]
    fields.append(("consent_rules", "y"))
    if person.wants_marketing:
        fields.append(("consent_marketing", "y"))
    return fields


def _find_link(person: Person, stage: Stage, otherwise: str) -> Generator[Step, Any, str]:
    """The friend's link; a friend who is slow is waited for, one who never gets there is not."""
    assert person.inviter is not None
    for _ in range(_PATIENCE_FOR_A_FRIEND):
        if code := stage.outcome.codes.get(person.inviter):
            return f"/r/{code}?ch={person.channel}"
        yield Pause(0.25)
    return otherwise


def _confirm(person: Person, stage: Stage, browser: Browser, link: str) -> Generator[Step, Any, Answer | None]:
    """The confirmation page, its button, and the person's page that follows."""
    shown = yield from _insist(browser.get("confirm view", link))
    form = pages.form_to(shown.body, "")
    if shown.status != 200 or form is None:
        stage.outcome.refuse("confirm view", shown)
        return None
    yield from _think(stage, 1 + 2 * person.patience)
    fields = list(form.hidden().items())
    answer = yield from _insist(browser.post("confirm", form.action or link, fields))
    page = answer
    if answer.status == 303:
        browser.keep(answer)
        page = yield from _insist(browser.get("person", pages.path_of(answer.header(b"location"))))
    if page.status != 200:
        stage.outcome.refuse("confirm", page)
        return None
    stage.outcome.confirmed += 1
    stage.outcome.confirmed_emails.append(person.email)
    if person.shares and (found := _CODE.search(page.body)):
        stage.outcome.codes[person.number] = found.group(1).decode()
        stage.outcome.shared += 1
    return page


def _answer(stage: Stage, browser: Browser, page: Answer, chance: random.Random) -> Generator[Step, Any, None]:
    """One question after the other, as long as the page asks one."""
    for _ in range(_MOST_QUESTIONS):
        form = pages.form_to(page.body, _ANSWERS)
        if form is None:
            return
        yield from _think(stage, 3)
        answer = yield from _insist(browser.post("answer", pages.path_of(form.action), pages.fill(form, chance)))
        if answer.status != 303:
            stage.outcome.refuse("answer", answer)
            return
        stage.outcome.answered += 1
        if chance.random() > _ONE_MORE:
            return
        page = yield from _insist(browser.get("person", pages.path_of(answer.header(b"location"))))


def _withdraw(stage: Stage, browser: Browser, page: Answer) -> Generator[Step, Any, None]:
    """Take back the consent to news on the person's page."""
    form = pages.form_to(page.body, "/consent")
    if form is None:
        stage.outcome.refuse("consent", page)
        return
    yield from _think(stage, 4)
    answer = yield from _insist(browser.post("consent", pages.path_of(form.action), [("marketing", "withdraw")]))
    if answer.status == 303:
        stage.outcome.withdrew += 1
    else:
        stage.outcome.refuse("consent", answer)


def _land(browser: Browser, path: str) -> Generator[Step, Any, tuple[Answer, str]]:
    """The landing page and its address, after a friend's link has led there."""
    answer = yield from _insist(browser.get("landing" if path.startswith("/c/") else "link", path))
    while answer.status in _REDIRECTS:
        path = pages.path_of(answer.header(b"location"))
        answer = yield from _insist(browser.get("landing", path))
    return answer, path


def _insist(ask: Ask) -> Talk:
    """Ask again after a moment when the server is out of order: that is what its error page says."""
    for _ in range(_TRIES_AFTER_ERROR):
        answer: Answer = yield ask
        if answer.status < 500:
            break
        yield Pause(1.0)
    return answer


def _think(stage: Stage, seconds: float) -> Generator[Step, Any, None]:
    if stage.pace:
        yield Pause(seconds * stage.pace)
