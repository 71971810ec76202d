"""A receiver that judges many times a second, to be killed: `killed_receiver STATE CHANGED NTFY WEBHOOK`.

The gateway's certificate is another one if CHANGED is 1.
"""

import asyncio
import sys
from pathlib import Path

from receiver.alarms import service
from receiver.service.build import build
from receiver.settings import ContactSettings
from receiver.stores.base import GatewayReading
from shared.clock import SystemClock
from shared.readings import Reading
from tests.receiver.service import GATEWAY, make_settings


async def watch(folder: Path, changed: float, ntfy: str, webhook: str) -> None:
    service.PERIOD_S = 0.02
    clock = SystemClock()
    receiver = build(make_settings(folder), clock=clock, contacts=ContactSettings(ntfy_url=ntfy, webhook_url=webhook))
    await receiver.store.open()
    report = Reading("gateway", {}, clock.now_ms(), {"certificate_changed": changed, "stream_connected": 1.0})
    await receiver.store.write([GatewayReading(GATEWAY, report)])
    await receiver.alarms.start()
    print("started", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(watch(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]))
