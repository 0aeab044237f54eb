"""From the first look to the last letter: enter, confirm, share, be credited, answer, be written to, leave."""

from __future__ import annotations

from collections.abc import Callable

from bench import campaign
from bench.stack import Stack
from tests.journeys.conftest import Mailbox, Visitor

_FIVE_MINUTES, _TWO_DAYS, _THREE_DAYS = campaign.LEAPS


def test_somebody_enters_confirms_shares_answers_and_leaves(
    visit: Callable[..., Visitor], mailbox: Mailbox, stack: Stack
) -> None:
    anna = visit("en-GB")
    anna.page.goto(anna.landing)
    assert anna.context.cookies() == []
    anna.enter("anna@mail.example", "Anna")
    assert [cookie["httpOnly"] for cookie in anna.context.cookies()] == [True]

    # The mail opens in the same browser: one tap is enough, the page presses the button itself.
    (confirmation,) = mailbox.wait("anna@mail.example", 1)
    anna.page.goto(confirmation["links"]["confirm"])
    anna.page.wait_for_url("**/me/**")
    assert anna.points() == 1
    link = anna.page.input_value("#my-link")
    assert "/r/" in link

    _a_friend_confirms(visit("fr-FR"), mailbox, link)
    anna.page.reload()
    assert anna.points() == 6
    assert "Léo" in anna.page.inner_text(".friends")

    _answer_everything(anna)
    assert anna.points() == 6 + 6 * 2

    _, welcome, invited = mailbox.wait("anna@mail.example", 3)
    assert invited["subject"].startswith("Your invitation worked")
    assert "/me/" in welcome["links"]["page"]
    subjects = _follow_up(stack, mailbox)
    assert len(set(subjects)) == 3

    _leave(anna, mailbox)
    stack.clock.forward(_THREE_DAYS * 3)
    stack.ring("leadgen.nurture.jobs.plan")
    assert len(mailbox.wait("leo@mail.example", 2)) == 2  # he never agreed to letters
    assert len(mailbox.letters("anna@mail.example")) == 6


def _a_friend_confirms(leo: Visitor, mailbox: Mailbox, link: str) -> None:
    """Through Anna's link, in French, without news; the page names who invited."""
    leo.page.goto(link)
    assert "Anna" in leo.page.inner_text(".inviter")
    assert leo.page.get_attribute("html", "lang") == "fr"
    assert leo.context.cookies() == []
    leo.enter("leo@mail.example", "Léo", marketing=False)
    (confirmation,) = mailbox.wait("leo@mail.example", 1)
    leo.page.goto(confirmation["links"]["confirm"])
    leo.page.wait_for_url("**/me/**")


def _answer_everything(anna: Visitor) -> None:
    """One question after the other, each by its kind."""
    for _ in range(6):
        form = anna.page.locator("#question form")
        if form.locator("input[name=when]").count():
            form.locator("input[value=this_year]").check()
        elif (choice := form.locator("input[type=radio], input[type=checkbox]").first).count():
            choice.check()
        elif (day := form.locator("input[type=date]")).count():
            day.fill("2027-05-31")
        else:
            form.locator("input.input").fill("2")
        before = anna.points()
        form.get_by_role("button").first.click()
        anna.page.wait_for_load_state()
        assert anna.points() == before + 2
    assert anna.page.locator("#question form").count() == 0


def _follow_up(stack: Stack, mailbox: Mailbox) -> list[str]:
    """Days pass at once: after five minutes, two days, three days a letter comes, each in its turn."""
    for number, leap in enumerate(campaign.LEAPS, start=4):
        stack.clock.forward(leap)
        stack.ring("leadgen.nurture.jobs.plan")
        letters = mailbox.wait("anna@mail.example", number)
        assert "List-Unsubscribe" in letters[-1]["headers"]
    return [letter["subject"] for letter in letters[3:]]


def _leave(anna: Visitor, mailbox: Mailbox) -> None:
    """The link at the foot of a letter shows a page; only the press acts."""
    anna.page.goto(mailbox.letters("anna@mail.example")[-1]["links"]["unsubscribe"])
    anna.page.locator("main form button, form button").first.click()
    anna.page.wait_for_load_state()
    assert anna.page.locator("input[value=return]").count() == 1
