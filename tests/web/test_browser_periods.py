"""From a day to years: periods, the address, and the days that have readings."""

import csv
import re
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from playwright.async_api import Browser, Page, expect

from receiver.calendar.local import to_local
from shared.units import DAY_MS
from tests.receiver.service import GATEWAY
from tests.web.page_server import PANELS, PageServer
from tests.web.sources import WEB
from tests.web.test_browser import list_findings, open_page


def find_today(page_server: PageServer) -> date:
    """The site's date of now."""
    zone = yaml.safe_load(page_server.sites_file.read_text())[GATEWAY]["time_zone"]
    return to_local(page_server.clock.now_ms(), ZoneInfo(zone)).date()


def read_rows(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    return list(csv.DictReader(path.read_text().splitlines()))


async def choose(page: Page, name: str) -> None:
    """Press the button of a period."""
    await page.get_by_role("button", name=name, exact=True).click()


async def test_periods_show_bars_with_what_was_used_bought_and_sold(page: Page, page_server: PageServer) -> None:
    await page_server.add_past(80 * DAY_MS)
    await open_page(page, page_server)
    this_year = find_today(page_server).year
    first_year = (find_today(page_server) - timedelta(days=80)).year
    for name, address in (("Week", "week"), ("Month", "month"), ("Year", "year"), ("All", "all")):
        await choose(page, name)
        await expect(page.locator(".bars-view")).to_be_visible()
        await expect(page.locator(".plot").first).to_be_hidden()
        await expect(page).to_have_url(re.compile(rf"\?period={address}$"))
        await expect(page.locator(".bar .piece.used, .bar .piece.produced").last).to_be_visible()
        await expect(page.locator(".bar .piece.sold").last).to_be_visible()
        ticks = await page.locator(".bar-scale span").all_inner_texts()
        assert len({tick.split("\u202f")[1] for tick in ticks if tick != "0"}) == 1, ticks
    await expect(page.locator(".bar")).to_have_count(this_year - first_year + 1)
    bar = page.locator(".bar").first
    await expect(bar).to_have_attribute("aria-label", re.compile(rf"^{first_year}: Produced [\d.]+\u202fk?Wh, Sold "))
    await expect(page.locator(".energy h2")).to_have_text("Energy all years")
    await expect(page.locator(".panels .head")).to_contain_text("in kWh")
    await bar.click()
    await expect(page.locator(".day")).to_have_text(str(first_year))
    months = 12 if first_year < this_year else find_today(page_server).month
    await expect(page.locator(".bar")).to_have_count(months)


async def test_bars_lead_from_years_to_the_day_and_back_goes_back(page: Page, page_server: PageServer) -> None:
    await open_page(page, page_server)
    today = find_today(page_server)
    await choose(page, "Year")
    await page.locator(".bar").nth(today.month - 1).click()
    await expect(page).to_have_url(re.compile("period=month"))  # in January both have one bar
    await expect(page.locator(".bar").first).to_have_attribute("aria-label", re.compile(f" 1 {today:%b}"))
    await expect(page.locator(".bar")).to_have_count(today.day)
    await page.locator(".bar").nth(today.day - 1).click()
    await expect(page.locator(".plot").first).to_be_visible()
    await expect(page.locator(".day")).to_have_text("Today")
    await page.go_back()
    await expect(page.locator(".day")).to_have_text(f"{today:%B %Y}")
    await page.go_back()
    await expect(page.locator(".day")).to_have_text(str(today.year))
    await expect(page.locator(".bar")).to_have_count(today.month)
    await page.go_forward()
    await expect(page.locator(".day")).to_have_text(f"{today:%B %Y}")


async def test_a_day_of_the_address_is_shown_again_and_another_is_picked(page: Page, page_server: PageServer) -> None:
    await page_server.add_past(40 * DAY_MS)
    await open_page(page, page_server)
    past = find_today(page_server) - timedelta(days=40)
    await page.get_by_label("Date").fill(past.isoformat())
    await expect(page).to_have_url(f"{page_server.url}?date={past.isoformat()}")
    await expect(page.locator(".energy .tile").first.locator("dd")).to_have_text(re.compile("kWh$"))
    await page.reload()
    await expect(page.locator(".day")).to_contain_text(f"{past.day} {past:%B}")
    await expect(page.locator(".panel-value").first).to_have_text(re.compile(r"^\d\.\d\d$"))
    await page.goto(f"{page_server.url}?date=nonsense&period=never")
    await expect(page.locator(".day")).to_have_text("Today")


async def test_an_address_of_no_time_with_readings_shows_the_nearest_and_says_so(
    page: Page, page_server: PageServer
) -> None:
    await page_server.add_past(40 * DAY_MS)
    await open_page(page, page_server)
    past = find_today(page_server) - timedelta(days=40)
    await page.goto(f"{page_server.url}?period=day&date=0000-01-01")
    await expect(page.locator(".day")).to_contain_text(f"{past.day} {past:%B}")
    await expect(page).to_have_url(f"{page_server.url}?date={past.isoformat()}")
    await expect(page.locator(".energy .tile").first.locator("dd")).to_have_text(re.compile("kWh$"))
    await page.goto(f"{page_server.url}?period=month&date=0001-01-01")
    await expect(page).to_have_url(f"{page_server.url}?period=month&date={past.isoformat()}")
    await expect(page.locator(".bar .piece.used")).not_to_have_count(0)
    for wrong in ("2999-01-01", "2026-02-30", "<b>", find_today(page_server).isoformat()):
        await page.goto(f"{page_server.url}?date={wrong}&period=week")
        await expect(page).to_have_url(f"{page_server.url}?period=week")
        await expect(page.locator(".day")).to_have_text("This week")


async def test_a_finer_period_never_begins_before_the_readings(page: Page, page_server: PageServer) -> None:
    await page_server.add_past(400 * DAY_MS)
    await open_page(page, page_server)
    first = find_today(page_server) - timedelta(days=400)
    await page.goto(f"{page_server.url}?period=year&date={first.year}-01-01")
    await expect(page.get_by_role("button", name="The year before")).to_be_disabled()
    await choose(page, "Day")
    await expect(page).to_have_url(f"{page_server.url}?date={first.isoformat()}")


async def test_nobody_walks_into_days_without_readings(page: Page, page_server: PageServer) -> None:
    await page_server.add_past(40 * DAY_MS)
    await open_page(page, page_server)
    before, day = page.get_by_role("button", name="The day before"), page.locator(".day")
    past = find_today(page_server) - timedelta(days=40)
    await before.click()
    await expect(day).to_have_text("Yesterday")
    await before.click()
    await expect(day).to_contain_text(f"{past.day} {past:%B}")
    await expect(before).to_be_disabled()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowRight")
    await expect(day).to_have_text("Yesterday")
    assert await page.get_by_label("Date").get_attribute("min") == past.isoformat()


async def test_a_past_day_shows_totals_and_peak_not_its_last_point(page: Page, page_server: PageServer) -> None:
    await open_page(page, page_server)
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator(".key.sun .value").first).to_have_text(
        re.compile(r"^[\d.]+\u202fkWh, peak 2\.\d\d\u202fkW$")
    )
    ways = r"^[\d.]+\u202fWh bought, peak \d\d?\u202fW, [\d.]+\u202fkWh sold, peak 2\.\d\d\u202fkW$"
    await expect(page.locator(".curve .key.grid .value").first).to_have_text(re.compile(ways))


async def test_a_day_whose_minutes_have_expired_is_drawn_from_quarter_hours(
    page: Page, page_server: PageServer
) -> None:
    """Minutes are kept for 60 days; the curve of an older day still has its peak and no holes."""
    await page_server.add_past(70 * DAY_MS)
    past = find_today(page_server) - timedelta(days=70)
    await open_page(page, page_server)
    async with page.expect_request(re.compile(r"/energy\?every=15m")):
        await page.goto(f"{page_server.url}?date={past.isoformat()}")
    await expect(page.locator(".key.sun .value").first).to_have_text(
        re.compile(r"^[\d.]+\u202fkWh, peak [\d.]+\u202fkW$")
    )
    plot = page.locator(".curve .u-over")
    box = await plot.bounding_box()
    assert box
    shown = set()
    for share in (
        0.30,
        0.32,
        0.34,
        0.36,
        0.38,
        0.40,
        0.42,
        0.44,
        0.46,
    ):  # of the day: the household's six hours end at noon
        await page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        shown.add(await page.locator(".curve .key.sun .value").first.inner_text())
    assert len(shown) > 6, shown


async def test_bars_are_one_stop_of_the_keyboard_and_axe_finds_nothing(page: Page, page_server: PageServer) -> None:
    await page.set_viewport_size({"width": 320, "height": 800})
    await open_page(page, page_server)
    await choose(page, "Month")
    await expect(page.locator(".bar")).to_have_count(find_today(page_server).day)
    assert await page.locator(".bar[tabindex='0']").count() == 1
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    assert await list_findings(page) == []
    assert len(PANELS) == await page.locator(".panel").count()


async def test_the_curve_is_zoomed_by_dragging_and_by_buttons(page: Page, page_server: PageServer) -> None:
    await page.set_viewport_size({"width": 1000, "height": 900})
    await open_page(page, page_server)
    plot = page.locator(".curve .u-over")
    box = await plot.bounding_box()
    assert box
    whole = page.get_by_role("button", name="Show the whole day")
    await expect(whole).to_be_hidden()
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=5)
    await page.mouse.up()
    await expect(whole).to_be_visible()
    await page.mouse.move(box["x"] + 3, middle)  # the left edge is six o'clock now
    await expect(page.locator(".chart .at").first).to_have_text(re.compile(r"^06:0[05]$|^05:55$"))
    closer = page.get_by_role("button", name="Zoom in").first
    await closer.click()
    await closer.click()
    await closer.click()
    await expect(closer).to_be_disabled()
    await whole.click()
    await expect(whole).to_be_hidden()
    await expect(closer).to_be_enabled()


async def test_what_is_shown_is_downloaded_for_a_spreadsheet(page: Page, page_server: PageServer) -> None:
    await open_page(page, page_server)
    await choose(page, "Month")
    today = find_today(page_server)
    month = today.replace(day=1).isoformat()
    names = {"energy": today.day, "quarter hours": None, "panels": today.day * len(PANELS)}
    for name, count in names.items():
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name=f"{name} (CSV)", exact=True).click()
        download = await waiting.value
        assert download.suggested_filename == f"Testhouse-month-{month}-{name.replace(' ', '-')}.csv"
        rows = read_rows(await download.path())
        assert rows[0]["local_start"].startswith(month)
        assert any(float(row["coverage" if name == "panels" else "production_coverage"]) > 0 for row in rows)
        assert count is None or len(rows) == count
    await choose(page, "All")
    await expect(page.get_by_role("link", name="quarter hours (CSV)")).to_have_count(1)


async def test_the_table_of_phases_is_whole_on_a_phone(page: Page, page_server: PageServer) -> None:
    await open_page(page, page_server)
    await expect(page.locator(".phases tbody tr")).to_have_count(2)
    assert await page.evaluate(
        "document.querySelector('.scroll').scrollWidth <= document.querySelector('.scroll').clientWidth"
    )


async def test_a_day_that_is_over_is_compared_with_the_day_before(page: Page, page_server: PageServer) -> None:
    await page_server.send_whole_days(3)
    await open_page(page, page_server)
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator(".compared")).to_have_text(
        re.compile(
            r"^Beside the day before: produced (as much|\d+\s% (more|less)), used (as much|\d+\s% (more|less))\.$"
        )
    )
    await page.keyboard.press("ArrowRight")
    await expect(page.locator(".compared")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("locale", ["de-DE", "en-US"])
async def test_the_name_of_the_time_has_room_on_a_phone(
    browser: Browser, page_server: PageServer, width: int, locale: str
) -> None:
    """It lay beneath the arrows: "Sat, October 17" between them and a date had 40 px."""
    await page_server.add_past(40 * DAY_MS)
    context = await browser.new_context(locale=locale, viewport={"width": width, "height": 844})
    page = await context.new_page()
    past = find_today(page_server) - timedelta(days=40)
    await page.goto(page_server.make_link())
    await expect(page.locator(".panel").first).to_be_visible()
    for query in ("", *(f"&period={kind}" for kind in ("week", "month", "year"))):
        await page.goto(f"{page_server.url}?date={past.isoformat()}{query}")
        await expect(page.locator(".day")).to_have_text(re.compile(r"\d"))
        assert await page.locator(".day").evaluate(
            """each => {
                const range = document.createRange();
                range.selectNodeContents(each);
                const text = range.getBoundingClientRect();
                const [before, after] = [...document.querySelectorAll(".arrow")].map(arrow => arrow.getBoundingClientRect());
                return text.left >= before.right && text.right <= after.left;
            }"""
        ), (query, await page.locator(".day").inner_text())
    await context.close()
