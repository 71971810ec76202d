"""Bars of energy with all that they say: self-consumption, import, export, battery and money, in the reader's forms."""

import re
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from shared.units import DAY_MS
from tests.receiver.service import GATEWAY
from tests.web.page_server import FEED_IN, PRICE, PageServer
from tests.web.test_browser_locales import AMERICAN, GERMAN, Reader, open_as
from tests.web.test_browser_periods import find_today

_AGE_DAYS = 40


class BarWords(NamedTuple):
    """What a bar says to readers of a language."""

    produced: str
    sold: str
    bought: str
    used: str
    charged: str
    discharged: str
    self_consumption: str
    saved: str
    balance: str


GERMAN_WORDS = BarWords(
    "Erzeugt", "Eingespeist", "Bezogen", "Verbraucht", "Geladen", "Entladen", "Eigenverbrauch", "Gespart",
    "Ertrag minus Kosten",
)  # fmt: skip
ENGLISH_WORDS = BarWords(
    "Produced", "Sold", "Bought", "Used", "Charged", "Discharged", "Self-consumption", "Saved", "Earned minus paid"
)


async def read_day(page_server: PageServer, date: str) -> dict[str, Any]:
    """The energy of a day, as the API gives it."""
    headers = {"authorization": f"Bearer {page_server.make_token()[1]}"}
    async with httpx.AsyncClient(base_url=page_server.url, headers=headers) as client:
        answer = await client.get(f"/api/v1/gateways/{GATEWAY}/energy", params={"every": "1d", "start": date})
    return dict(answer.json()["windows"][0])


def write_energy(wh: float, reader: Reader) -> str:
    """An energy below 10 kWh as this reader writes it."""
    text = f"{wh:.0f}\u202fWh" if round(wh) < 1000 else f"{wh / 1000:.2f}\u202fkWh"
    return text.replace(".", ",") if reader is GERMAN else text


def write_euros(value: float, reader: Reader) -> str:
    """An amount as this reader writes it."""
    digits = f"{abs(value):.2f}"
    sign = "\u2212" if value < 0 else ""
    return f"{sign}{digits.replace('.', ',')}\xa0€" if reader is GERMAN else f"{sign}€{digits}"


async def read_legend(page: Page) -> str:
    """What the legend of the bars says."""
    return " ".join(await page.locator(".bars-view .key:visible").all_inner_texts())


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        pytest.param(GERMAN, GERMAN_WORDS, id=GERMAN.locale),
        pytest.param(AMERICAN, ENGLISH_WORDS, id=AMERICAN.locale),
    ],
)
async def test_a_bar_says_energies_shares_and_money_of_its_time(
    browser: Browser, page_server: PageServer, reader: Reader, words: BarWords
) -> None:
    await page_server.add_battery_past(_AGE_DAYS * DAY_MS)
    day = find_today(page_server) - timedelta(days=_AGE_DAYS)
    known = await read_day(page_server, day.isoformat())
    stayed = known["production_wh"] - known["exported_wh"]
    assert known["charged_wh"] > 1_000
    assert known["discharged_wh"] > 1_000
    balance = known["exported_wh"] / 1000 * FEED_IN - known["imported_wh"] / 1000 * PRICE
    expected = [
        f"{words.produced} {write_energy(known['production_wh'], reader)}",
        f"{words.sold} {write_energy(known['exported_wh'], reader)}",
        f"{words.bought} {write_energy(known['imported_wh'], reader)}",
        f"{words.used} {write_energy(known['load_wh'], reader)}",
        f"{words.charged} {write_energy(known['charged_wh'], reader)}",
        f"{words.discharged} {write_energy(known['discharged_wh'], reader)}",
        f"{words.self_consumption} {stayed / known['production_wh']:.0%}".replace("%", "\u202f%"),
        f"{words.saved} {write_euros(known['savings'], reader)}",
        f"{words.balance} {write_euros(balance, reader)}",
    ]
    page = await open_as(browser, page_server, reader)
    await page.goto(f"{page_server.url}?period=month&date={day.isoformat()}")
    bar = page.locator(".bar").nth(day.day - 1)
    await expect(bar.locator(".piece.sold")).to_be_visible()
    await expect(bar.locator(".piece.discharged")).to_be_visible()
    said = await bar.get_attribute("aria-label") or ""
    await bar.hover()
    legend = await read_legend(page)
    for sentence in expected:
        assert sentence in said
        assert sentence in legend
    tiles = await page.locator(".tile:visible").all_inner_texts()
    assert f"{words.balance}\n{write_euros(balance, reader)}" in tiles, "the month has no other day"
    await page.context.close()


@pytest.mark.parametrize(
    ("reader", "pattern"),
    [
        pytest.param(
            GERMAN,
            r"^Gegenüber dem Tag davor: (gleich viel|\d+\s% (mehr|weniger)) erzeugt, .+\. "
            r"Gegenüber derselben Zeit vor einem Jahr: (gleich viel|\d+\s% (mehr|weniger)) erzeugt, ",
            id=GERMAN.locale,
        ),
        pytest.param(
            AMERICAN,
            r"^Beside the day before: produced (as much|\d+\s% (more|less)), .+\. "
            r"Beside the same time a year ago: produced (as much|\d+\s% (more|less)), ",
            id=AMERICAN.locale,
        ),
    ],
)
async def test_a_day_is_compared_with_the_one_before_and_a_year_ago(
    browser: Browser, page_server: PageServer, reader: Reader, pattern: str
) -> None:
    await page_server.send_whole_days(3)
    await page_server.send_whole_days(4, until_days_ago=364)
    page = await open_as(browser, page_server, reader)
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator(".compared")).to_have_text(re.compile(pattern), timeout=15_000)
    await page.context.close()
