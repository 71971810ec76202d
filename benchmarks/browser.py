"""From the gateway's event to a real browser that has the page open.

    python -m benchmarks.browser [SECONDS]

Real processes and Debian's Chromium; dead-band 0, so that every event is stored. The browser opens the page by a link
with a token, as people do; 15 s later the measuring begins: a script in the page listens to the same live events and
notes when each reading of phase a of the production meter came. The simulator's ledger says when the gateway sent it.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks.live import SETTLE_S, make_reader_token, read_sent_times
from benchmarks.processes import compute_percentile, run_receiver, run_scraper, run_simulator
from tests.web.browser import run_chromium

PROMISE_MS = 1000
_LISTEN = """serial => {
    window.heard = [];
    const live = new EventSource(`api/v1/gateways/${serial}/live`);
    live.addEventListener("reading", event => {
        const reading = JSON.parse(event.data);
        if (reading.tags.meter === "production" && reading.tags.phase === "a" && "power" in reading.fields)
            window.heard.push([reading.fields.power, Date.now() / 1000]);
    });
}"""


async def look(port: int, serial: str, token: str, seconds: float) -> dict[float, float]:
    """For each power of phase a of the production meter: when the browser had it (epoch seconds)."""
    async with run_chromium() as browser:
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{port}/#token={token}")
        await page.get_by_text("Live", exact=True).wait_for()
        await asyncio.sleep(SETTLE_S)
        await page.evaluate(_LISTEN, serial)
        await asyncio.sleep(seconds)
        heard: list[tuple[float, float]] = await page.evaluate("() => window.heard")
    times: dict[float, float] = {}
    for power, moment in heard:
        times.setdefault(power, moment)
    return times


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = folder / "ledger.jsonl"
        with (
            run_simulator(folder, "--profile", "firmware-8", "--role", "installer", "--ledger", str(ledger)) as gateway,
            run_receiver(folder, gateway["serial"]) as (port, _),
            run_scraper(folder, gateway, port, ENVOY_DEAD_BAND="0"),
        ):
            token = make_reader_token(folder, gateway["serial"])
            heard = asyncio.run(look(port, gateway["serial"], token, seconds))
        times = read_sent_times(ledger)
    delays = [(moment - times[power]) * 1000 for power, moment in heard.items() if power in times]
    p99 = compute_percentile(delays, 0.99)
    print(f"event to browser, {len(delays)} events: median {compute_percentile(delays, 0.5):.0f} ms, "
          f"p99 {p99:.0f} ms (promise: {PROMISE_MS}), worst {max(delays):.0f} ms")  # fmt: skip
    sys.exit(0 if p99 <= PROMISE_MS else 1)


if __name__ == "__main__":
    main()
