"""The confirmation in another browser, by code, and everything without a script."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys.conftest import Mailbox, Visitor


def test_another_browser_shows_a_button_and_never_presses_it_itself(
    visit: Callable[..., Visitor], mailbox: Mailbox
) -> None:
    phone, desk = visit("en-GB"), visit("en-GB")
    phone.page.goto(phone.landing)
    phone.enter("mia@mail.example", "Mia")
    (confirmation,) = mailbox.wait("mia@mail.example", 1)
    desk.page.goto(confirmation["links"]["confirm"])
    desk.page.wait_for_timeout(500)
    assert "/confirm/" in desk.page.url
    desk.page.locator("form[method=post] button").click()
    desk.page.wait_for_url("**/me/**")
    assert desk.points() == 1
    phone.page.reload()
    assert phone.page.locator(".waiting").count() == 0, "the phone still waits for what was confirmed at the desk"
    assert phone.page.locator("h1").inner_text() == "You are in"


def test_the_code_of_the_mail_confirms_on_the_waiting_page(visit: Callable[..., Visitor], mailbox: Mailbox) -> None:
    tom = visit("en-GB")
    tom.page.goto(tom.landing)
    tom.enter("tom@mail.example", "Tom")
    (confirmation,) = mailbox.wait("tom@mail.example", 1)
    tom.page.fill("[name=code]", confirmation["code"])
    tom.page.click("form.code button")
    tom.page.wait_for_url("**/me/**")
    assert tom.points() == 1


def test_everything_works_without_a_script(visit: Callable[..., Visitor], mailbox: Mailbox) -> None:
    eva = visit("fr-FR", java_script_enabled=False)
    eva.page.goto(eva.landing)
    assert eva.page.get_attribute("html", "lang") == "fr"
    eva.enter("eva@mail.example", "Eva")
    (confirmation,) = mailbox.wait("eva@mail.example", 1)
    eva.page.goto(confirmation["links"]["confirm"])
    eva.page.locator("form[method=post] button").click()
    eva.page.wait_for_url("**/me/**")
    assert eva.points() == 1
    assert eva.page.locator("#my-link").input_value()
    eva.page.locator("#question form input").first.check()
    eva.page.locator("#question form button").first.click()
    eva.page.wait_for_load_state()
    assert eva.points() == 3
