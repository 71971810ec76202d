"""No secret shows: canaries in the place of every secret, through success and failure, and a search for each of them.

Searched are all logs (at level DEBUG), every answer of the receiver to scraper and readers, both status ports, the
output of the commands, the process list and every file of both state directories (store and outbox among them) but the
few whose purpose is to hold a secret.
"""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jwt
import pytest

from simulator.cloud.server import CloudAccount
from simulator.server import Simulator
from tests.end_to_end.canaries import Canaries
from tests.end_to_end.processes import Process, read_status_port, wait_until
from tests.end_to_end.proxy import FaultyProxy
from tests.end_to_end.stored import read_store
from tests.end_to_end.system import make_receiver, make_scraper

ACCOUNT = "owner-of-the-canaries@example.com"


class WatchedPair:
    """A gateway in this process, the pair as processes, and what they let be seen."""

    def __init__(self, folder: Path, sim: Simulator, proxy: FaultyProxy) -> None:
        self.folder = folder
        self.sim = sim
        self.proxy = proxy
        self.canaries = Canaries()
        self.secret = self.canaries.plant("receiver secret")
        self.receiver = make_receiver(
            folder,
            sim.serial,
            proxy,
            RECEIVER_SECRET=self.secret,
            RECEIVER_READ_SECRET=self.canaries.plant("read secret"),
            RECEIVER_LOG_LEVEL="DEBUG",
        )

    @contextlib.asynccontextmanager
    async def run_scraper(self, **settings: str) -> AsyncIterator[Process]:
        """A life of the scraper with these secrets; at its end what it showed is collected."""
        given = {"ENVOY_RECEIVER_SECRET": self.secret, "ENVOY_LOG_LEVEL": "DEBUG",
                 "ENVOY_CLOUD_URL": self.sim.cloud.url, "ENVOY_TOKEN_URL": self.sim.cloud.url,
                 "SSL_CERT_FILE": str(self.sim.cloud.ca_file), **settings}  # fmt: skip
        process = make_scraper(self.folder, self.proxy, self.sim.http_port, self.sim.https_port, **given)
        async with process:
            yield process
            await self.look_at(process)
            for command in (["check"], ["token"], ["outbox", "list"]):
                self.canaries.collect(" ".join(command), await run_command("scraper", command, process, self.folder))
            await process.stop()
        self.canaries.collect("log of the scraper", "\n".join(process.output))

    async def look_at(self, process: Process) -> None:
        """Status port and process list."""
        port = await read_status_port(process)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for path in ("/metrics", "/healthz", "/readyz"):
                answer = await client.get(path)
                self.canaries.collect(f"{process.name} {path}", answer.text)
        self.canaries.collect("process list", process.read_command_line())

    async def wait_for(self, kind: str) -> None:
        """Until the store holds readings of a kind."""
        store = self.folder / "receiver" / "readings.sqlite"
        await wait_until(
            lambda: store.exists() and any(key.kind == kind for key in read_store(store)), f"{kind} stored"
        )

    async def read_and_write(self) -> None:
        """What readers and forgers may try, with good and bad credentials, in right and wrong places."""
        created = await run_command("receiver", ["token", "create", "--gateway", "*"], self.receiver, self.folder)
        token = self.canaries.guard("read token", created.split()[-1])
        secret, serial = self.secret, self.sim.serial
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.proxy.target}") as client:
            answers = [
                await client.get(path, headers={"authorization": credential})
                for credential in (f"Bearer {token}", f"Bearer {token}x", f"Basic {secret}", secret)
                for path in ("/api/v1/gateways", f"/api/v1/gateways/{serial}/meters", f"/api/v1/gateways/{token}")
            ]
            assert {answer.status_code for answer in answers} == {200, 401, 404}
            answers += [await client.get("/api/v1/gateways", params={"token": token, "secret": secret})]
            claims = {"iss": "envoy-scraper", "aud": "envoy-receiver", "sub": serial, "scope": "ingest"}
            now = int(time.time())
            ingest = jwt.encode(claims | {"iat": now, "exp": now + 300}, secret, headers={"kid": "secret"})
            self.canaries.guard("ingest token", ingest)
            reading = {"kind": "meter", "tags": {"meter": secret}, "timestamp": 1, "fields": {secret: secret}}
            for body in (f'{{"{secret}": "{token}"', {secret: token}, {"rows": [{"seq": 1, "reading": reading}]}):
                answers.append(
                    await client.post(
                        f"/api/v1/gateways/{serial}/batches",
                        content=body if isinstance(body, str) else httpx.Request("POST", "/", json=body).content,
                        headers={"authorization": f"Bearer {ingest}", "content-type": "application/json"},
                    )
                )
        for answer in answers:
            self.canaries.collect(f"answer to {answer.request.method}", f"{answer.headers}\n{answer.text}")

    async def close(self) -> None:
        """Stop the receiver and collect everything that is left."""
        await self.look_at(self.receiver)
        await self.receiver.stop()
        self.canaries.collect("log of the receiver", "\n".join(self.receiver.output))
        for answer in self.proxy.answers:
            self.canaries.collect("answer to the scraper", answer)
        for number, token in enumerate(sorted(self.proxy.tokens)):
            self.canaries.guard(f"ingest token {number}", token)
        self.canaries.collect_files(self.folder)


@contextlib.asynccontextmanager
async def run_pair(folder: Path, sim: Simulator) -> AsyncIterator[WatchedPair]:
    """A pair with its receiver running."""
    async with FaultyProxy() as proxy:
        ready = WatchedPair(folder, sim, proxy)
        async with ready.receiver:
            await ready.receiver.wait_for_line('"receiving"')
            yield ready


async def run_command(module: str, command: list[str], like: Process, folder: Path) -> str:
    """The whole output of a command that is given the same settings as a process."""
    async with Process(module, *command, directory=folder, settings=like.settings) as process:
        await process.wait_for_end()
    return "\n".join(process.output)


@pytest.mark.slow
async def test_no_secret_of_a_token_gateway_shows(tmp_path: Path) -> None:
    """A token from the account, a wrong receiver secret, a refused token, a refused account, a paste that is none."""
    async with Simulator("firmware-8", late_morning=True) as sim, run_pair(tmp_path, sim) as show:
        canaries = show.canaries
        password = canaries.plant("cloud password")
        canaries.guard("cloud user name", ACCOUNT)
        sim.cloud.accounts[ACCOUNT] = CloudAccount(password, role="installer")
        account = {"ENVOY_CLOUD_USERNAME": ACCOUNT, "ENVOY_CLOUD_PASSWORD": password}
        async with show.run_scraper(**account) as scraper:
            await scraper.wait_for_line("the meter stream delivers")
            await show.wait_for("gateway")
            await show.read_and_write()
            (kept,) = (tmp_path / "scraper" / "tokens").iterdir()
            canaries.guard("gateway token", kept.read_text())
        async with show.run_scraper(**account, ENVOY_RECEIVER_SECRET=canaries.plant("wrong secret")) as scraper:
            await scraper.wait_for_line("does not accept this scraper's signature")
        sim.faults.switch_on("token-refused")
        sim.faults.switch_on("unauthorised")
        wrong = {"ENVOY_CLOUD_USERNAME": ACCOUNT, "ENVOY_CLOUD_PASSWORD": canaries.plant("wrong cloud password")}
        async with show.run_scraper(**wrong, ENVOY_TOKEN=canaries.plant("paste that is no token")) as scraper:
            await scraper.wait_for_line("somebody must act")
        foreign = canaries.guard("foreign token", sim.make_token("owner", serial="122000000000"))
        async with show.run_scraper(ENVOY_TOKEN=foreign) as scraper:
            await scraper.wait_for_line("somebody must act")
        await show.close()
        assert canaries.list_sightings() == []

        canaries.collect("the one file that may hold it", kept.read_bytes())
        assert canaries.list_sightings(), "the search finds what is there"


@pytest.mark.slow
async def test_no_secret_of_a_password_gateway_shows(tmp_path: Path) -> None:
    """Digest with an installer password of its own, then with a wrong one."""
    async with contextlib.AsyncExitStack() as stack:
        password = Canaries().plant("installer password")
        sim = Simulator("firmware-5", late_morning=True, installer_password=password)
        await stack.enter_async_context(sim)
        show = await stack.enter_async_context(run_pair(tmp_path, sim))
        canaries = show.canaries
        canaries.guard("installer password", password)
        async with show.run_scraper(ENVOY_INSTALLER_PASSWORD=password) as scraper:
            await scraper.wait_for_line("the meter stream delivers")
            await show.wait_for("inverter")
        async with show.run_scraper(ENVOY_INSTALLER_PASSWORD=canaries.plant("wrong installer password")) as scraper:
            await scraper.wait_for_line("somebody must act")
        await show.close()
        assert canaries.list_sightings() == []
