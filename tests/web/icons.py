"""`python -m tests.web.icons`: the icons of the installed page, drawn from its favicon by Chromium (`make icons`)."""

import asyncio
from pathlib import Path
from typing import Final, NamedTuple

from tests.web.browser import run_chromium
from tests.web.sources import WEB

PUBLIC: Final = WEB / "public"
_GROUND = "#0e1312"


class AppIcon(NamedTuple):
    """One picture: its file, its edge in pixels, and the share of it that the sun fills."""

    name: str
    edge: int
    share: float


ICONS: Final = (
    AppIcon("icon-180", 180, 0.72),  # for iOS, which takes no SVG
    AppIcon("icon-192", 192, 0.72),
    AppIcon("icon-512", 512, 0.72),
    AppIcon("icon-maskable-512", 512, 0.56),  # what lies outside a circle of 80 % may be cut off
)


async def draw(directory: Path) -> None:
    """Draw every icon into a directory."""
    sun = (PUBLIC / "favicon.svg").read_text()
    async with run_chromium() as browser:
        for icon in ICONS:
            page = await browser.new_page(viewport={"width": icon.edge, "height": icon.edge})
            style = f"margin:0;background:{_GROUND};display:grid;place-items:center;height:100vh"
            await page.set_content(
                f"<body style='{style}'><div style='width:{icon.share * 100}%;line-height:0'>{sun}</div>"
            )
            await page.screenshot(path=directory / f"{icon.name}.png")
            await page.close()


if __name__ == "__main__":
    asyncio.run(draw(PUBLIC))
