"""Files of what is shown: Parquet where the receiver can make it, and how much of it is known."""

import re
from datetime import timedelta

import pyarrow.parquet
import pytest
from playwright.async_api import Page, expect

from receiver.api import session
from shared.units import DAY_MS
from tests.web.page_server import PANELS, PageServer
from tests.web.sources import WEB
from tests.web.test_browser import list_findings, open_page
from tests.web.test_browser_periods import choose, find_today


async def test_what_is_shown_is_downloaded_as_parquet(page: Page, page_server: PageServer) -> None:
    await open_page(page, page_server)
    await choose(page, "Month")
    today = find_today(page_server)
    month = today.replace(day=1).isoformat()
    for name, count in {"energy": today.day, "quarter hours": None, "panels": today.day * len(PANELS)}.items():
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name=f"{name} (Parquet)", exact=True).click()
        download = await waiting.value
        assert download.suggested_filename == f"Testhouse-month-{month}-{name.replace(' ', '-')}.parquet"
        table = pyarrow.parquet.read_table(await download.path())
        assert str(table["local_start"][0].as_py()).startswith(month)
        assert count is None or table.num_rows == count
        assert table.schema.metadata[b"coverage"]


async def test_a_receiver_without_pyarrow_offers_csv_alone(
    page: Page, page_server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "has_parquet", lambda: False)
    await open_page(page, page_server)
    await expect(page.get_by_role("link", name="energy (CSV)")).to_be_visible()
    await expect(page.get_by_role("link", name=re.compile("Parquet"))).to_have_count(0)


async def test_the_files_say_how_much_is_known_and_of_what_nothing_is(page: Page, page_server: PageServer) -> None:
    await page_server.add_past(40 * DAY_MS)
    await page.set_viewport_size({"width": 320, "height": 800})
    await open_page(page, page_server)
    said = page.locator(".exports .coverage")
    await expect(said).to_have_text(
        re.compile(r"is known: Produced \d+\s%, Used \d+\s%|known for \d+\s% of the time\.")
    )
    past = find_today(page_server) - timedelta(days=40)
    await page.get_by_label("Date").fill((past + timedelta(days=3)).isoformat())
    await expect(said).to_have_text("Nothing is known of this time.")
    await page.get_by_label("Date").fill(past.isoformat())
    await choose(page, "Month")
    await expect(said).to_have_text(re.compile(r"Nothing is known of .*\d+\D*\."))
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    assert await list_findings(page) == []
