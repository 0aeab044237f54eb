"""An address that refuses our mail: the waiting page hears of it by itself, and the corrected address gets in."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys.conftest import Mailbox, Visitor


def test_a_hard_bounce_shows_on_the_waiting_page_and_is_corrected_there(
    visit: Callable[..., Visitor], mailbox: Mailbox
) -> None:
    lou = visit("en-GB")
    lou.page.goto(lou.landing)
    lou.enter("bounce-lou@simulator.example.com", "Lou")
    assert lou.page.locator("[data-status]").get_attribute("data-shown") == "waiting"
    refused = lou.page.locator(".notice-danger h2")
    refused.wait_for(timeout=60_000)  # nobody reloads: the page asks
    assert refused.inner_text() == "This address refused our mail"

    lou.page.fill("[name=email]", "lou@mail.example")
    lou.page.locator("details.correct button").click()
    lou.page.wait_for_url("**done=corrected**")
    assert lou.page.locator(".notice-danger").count() == 0
    (confirmation,) = mailbox.wait("lou@mail.example", 1)
    lou.page.goto(confirmation["links"]["confirm"])
    lou.page.wait_for_url("**/me/**")
    assert lou.points() == 1
