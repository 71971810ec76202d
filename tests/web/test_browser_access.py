"""Who may look, and what the page does when it no longer may, or when the receiver is away."""

import asyncio
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from receiver.auth import readers
from tests.receiver.service import READ_SECRET, start
from tests.web.page_server import NAME, PageServer

_RECOVER_MS = 40_000
"""The longest that a browser and the page wait before they try again, and some room."""


async def test_without_a_session_the_page_asks_for_a_token(page: Page, page_server: PageServer) -> None:
    await page.goto(page_server.url)
    field = page.get_by_label("Reader token")
    await expect(field).to_be_focused()
    await field.fill("not a token")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("not accepted here")
    await field.fill(page_server.make_link())  # the whole link, as people paste it
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text(NAME)
    assert await page.context.cookies()


async def test_a_link_opens_the_page_without_an_error_in_the_console(page: Page, page_server: PageServer) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    await page.goto(page_server.make_link())
    await expect(page.locator(".light.live")).to_be_visible()
    assert said == []


async def test_an_expired_token_asks_for_another(page: Page, page_server: PageServer) -> None:
    await page.goto(page_server.make_link(days=-1))
    await expect(page.get_by_role("alert")).to_contain_text("expired")
    await expect(page.get_by_label("Reader token")).to_be_visible()
    assert page.url == page_server.url


async def test_a_token_that_is_revoked_while_somebody_looks_asks_for_another(
    page: Page, page_server: PageServer
) -> None:
    jti, token = page_server.make_token()
    await page.goto(f"{page_server.url}#token={token}")
    await expect(page.locator(".light.live")).to_be_visible()
    readers.revoke(page_server.state_dir, READ_SECRET, jti)
    await expect(page.get_by_label("Reader token")).to_be_visible(timeout=_RECOVER_MS + 30_000)
    await expect(page.get_by_role("alert")).to_contain_text("revoked")


async def test_signing_out_forgets_the_session(page: Page, page_server: PageServer) -> None:
    await page.goto(page_server.make_link())
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Reader token")).to_be_visible()
    await page.goto(page_server.url)
    await expect(page.get_by_label("Reader token")).to_be_visible()


async def test_the_page_says_that_the_receiver_is_away_and_recovers_by_itself(
    page: Page, page_server: PageServer
) -> None:
    await page.goto(page_server.make_link())
    await expect(page.locator(".light.live")).to_be_visible()
    await page_server.stop()
    await expect(page.get_by_role("status").filter(has_text="No connection")).to_be_visible(timeout=_RECOVER_MS)
    await page_server.start()
    await page_server.set_power(production=4321.0, net=-100.0)
    await expect(page.locator(".light.live")).to_be_visible(timeout=_RECOVER_MS)
    await expect(page.locator(".node.sun strong")).to_have_text("4.32\u202fkW")


async def test_a_page_that_was_opened_while_the_receiver_was_away_goes_on_when_it_is_back(
    page: Page, page_server: PageServer
) -> None:
    await page.goto(page_server.make_link())
    await expect(page.locator("h1")).to_have_text(NAME)
    away = asyncio.Event()
    away.set()

    async def refuse(route) -> None:
        await (route.abort() if away.is_set() else route.continue_())

    await page.route("**/api/**", refuse)
    await page.reload()
    await expect(page.get_by_role("status")).to_contain_text("does not answer")
    away.clear()
    await expect(page.locator("h1")).to_have_text(NAME, timeout=_RECOVER_MS)


async def test_a_link_with_another_token_asks_before_it_replaces_a_session(page: Page, page_server: PageServer) -> None:
    """Also in a tab that shows the page already; the same link, and a bad one, replace nothing."""
    own = page_server.make_link()
    await page.goto(own)
    await expect(page.locator("h1")).to_have_text(NAME)
    before = await page.context.cookies()
    other = f"{page_server.url}#token={page_server.make_token(gateways=('122399999999',))[1]}"
    question = page.get_by_role("alertdialog")

    await page.goto(other)
    await expect(question).to_contain_text("122399999999")
    await expect(page.get_by_role("button", name="Stay with mine")).to_be_focused()
    assert await page.context.cookies() == before
    assert page.url == page_server.url, "the token is out of the address"
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text(NAME)
    assert await page.context.cookies() == before

    await page.goto(own)
    await expect(page.locator(".light.live")).to_be_visible()
    await expect(question).to_have_count(0)

    await page.goto(page_server.make_link(days=-1))
    await expect(question).to_contain_text("not accepted here")
    await expect(page.get_by_role("button", name="Open the link")).to_have_count(0)
    await page.get_by_role("button", name="Stay with mine").click()
    await expect(page.locator("h1")).to_have_text(NAME)

    await page.goto(other)
    await page.get_by_role("button", name="Open the link").click()
    await expect(page.get_by_role("status")).to_contain_text("Nothing has been received yet")
    assert await page.context.cookies() != before


async def test_the_documentation_shows_every_question_without_another_host(browser: Browser, tmp_path: Path) -> None:
    """Its policy lets nothing else run: an error of it would stand in the console."""
    async with start(tmp_path, docs=True) as service:
        context = await browser.new_context()
        shown = await context.new_page()
        hosts: set[str] = set()
        said: list[str] = []
        context.on("request", lambda request: hosts.add(request.url.partition("://")[2].partition("/")[0]))
        shown.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        await shown.goto(f"http://127.0.0.1:{service.port}/docs")
        await expect(shown.get_by_text("/api/v1/gateways/{serial}/energy").first).to_be_visible()
        await context.close()
    assert {host for host in hosts if host} == {f"127.0.0.1:{service.port}"}
    assert said == []


async def test_a_refused_question_is_not_called_a_lost_connection(page: Page, page_server: PageServer) -> None:
    async def refuse(route) -> None:
        await route.fulfill(status=422, json={"code": "unprocessable", "detail": "start is too far back"})

    await page.route("**/energy?every=1y**", refuse)
    await page.route("**/live**", lambda route: route.abort())
    await page.goto(page_server.make_link())
    said = page.locator(".live .state")
    await expect(said).to_have_text("Not everything could be read, trying again")
