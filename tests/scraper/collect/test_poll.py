"""The poller: one question at a time, failures on their own, waits that are bounded, people asked when needed."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from scraper.collect.poll import ALARM_S, Poller
from scraper.errors import (
    BadReplyError,
    CertificateChangedError,
    EndpointUnavailableError,
    GatewayUnreachableError,
    LoginRejectedError,
    ScraperSettingError,
    SessionExpiredError,
)
from tests.clocks import GATEWAY_NOW_S, EndingClock
from tests.scraper.scripted import ScriptedScraper, make_identity, make_values, run_scripted_scraper

if TYPE_CHECKING:
    from scraper.collect.ensemble import EnsembleSamples
    from scraper.gateway.session import GatewaySession

AWAY = GatewayUnreachableError("the gateway cannot be reached; check that it is on")


@contextlib.asynccontextmanager
async def run_poller(folder: Path) -> AsyncIterator[ScriptedScraper]:
    async with run_scripted_scraper(folder, clock=EndingClock()) as ready:
        yield ready


@pytest.fixture
async def scripted(tmp_path):
    async with run_poller(tmp_path) as ready:
        yield ready


class CountedEnsemble:
    """Nothing to read; it counts the outages that it is told of."""

    polls_power = False

    def __init__(self) -> None:
        self.outages = 0

    async def poll_power(self) -> None:
        """There is none."""

    async def poll_states(self) -> None:
        """There are none."""

    def note_outage(self) -> None:
        self.outages += 1


async def poll(scripted: ScriptedScraper, seconds: float, ensemble: CountedEnsemble | None = None) -> None:
    """Let that much time pass."""
    cast("EndingClock", scripted.clock).end = scripted.clock.elapsed + seconds
    poller = Poller(
        cast("GatewaySession", scripted.gateway),
        scripted.samples,
        scripted.health,
        scripted.clock,
        random.Random(1),
        inverter_interval_s=60,
        meter_interval_s=5,
        meters_wanted=True,
        ensemble=cast("EnsembleSamples | None", ensemble),
    )
    with contextlib.suppress(asyncio.CancelledError):
        await poller.run()


def list_warnings(logs):
    return [line["event"] for line in logs if line["log_level"] in ("warning", "error")]


async def test_every_job_runs_at_its_interval_and_never_two_at_once(scripted):
    await poll(scripted, 600)
    asked = scripted.gateway.asked
    assert scripted.gateway.most_at_once == 1
    assert 10 <= asked.count("inverters") <= 12
    assert 110 <= asked.count("meters") <= 125
    assert asked.count("connect") == 1


async def test_while_the_stream_delivers_meters_are_asked_once_a_minute(scripted):
    scripted.health.stream_connected = True
    await poll(scripted, 600)
    assert 10 <= scripted.gateway.asked.count("meters") <= 12


@pytest.mark.parametrize(
    "error", [BadReplyError("HTML"), EndpointUnavailableError("/api/v1/production/inverters", 404)]
)
async def test_a_bad_reply_of_one_endpoint_leaves_the_others_alone(scripted, error, logs):
    scripted.gateway.answers["inverters"] = [error]
    await poll(scripted, 600)
    assert scripted.gateway.asked.count("meters") > 100
    assert scripted.gateway.asked.count("connect") == 1
    assert scripted.health.endpoints["inverters"].success is False
    assert scripted.health.endpoints["inverters"].failures >= 10
    assert scripted.health.endpoints["meters"].success
    assert [line["event"] for line in logs] == ["not read"], "said once"


@pytest.mark.parametrize("error", [AWAY, SessionExpiredError("gone")])
async def test_an_endpoint_that_times_out_while_the_gateway_answers_is_not_hammered(scripted, error):
    scripted.gateway.answers["meters"] = [error]
    await poll(scripted, 3600)
    asked = scripted.gateway.asked
    assert asked.count("meters") < 80, "once a minute, not every five seconds"
    assert asked.count("connect") <= asked.count("meters") + 1
    assert asked.count("inverters") >= 55
    assert await scripted.list_events("gap") == []


async def test_what_a_gateway_has_is_looked_for_again_after_an_outage(scripted):
    scripted.gateway.answers["connect"] = [make_identity(), AWAY, make_identity()]
    scripted.gateway.answers["inverters"] = [[], AWAY, []]
    ensemble = CountedEnsemble()
    await poll(scripted, 600, ensemble)
    assert ensemble.outages == 1


async def test_an_unreachable_gateway_is_a_gap_with_bounded_waits_and_no_storm(scripted):
    scripted.gateway.answers["connect"] = [make_identity(), *[AWAY] * 20, make_identity()]
    scripted.gateway.answers["inverters"] = [[], AWAY, []]
    scripted.gateway.answers["meters"] = [[make_values(100, at_s=GATEWAY_NOW_S + index)] for index in range(500)]
    await poll(scripted, 1800)
    assert scripted.gateway.asked.count("connect") == 22
    opened, closed = await scripted.list_events("gap")
    assert opened.fields["reason"] == "the gateway is unreachable"
    assert closed.timestamp == opened.timestamp


async def test_the_outage_of_every_night_is_no_alarm(scripted, logs):
    scripted.gateway.answers["connect"] = [AWAY]
    await poll(scripted, ALARM_S - 60)
    assert list_warnings(logs) == []


async def test_an_outage_of_a_day_is_said_once_an_hour(scripted, logs):
    scripted.gateway.answers["connect"] = [AWAY]
    await poll(scripted, 86_400)
    assert 23 <= len(list_warnings(logs)) <= 25
    assert scripted.gateway.asked.count("connect") > 86_400 / 60


@pytest.mark.parametrize("error", [LoginRejectedError("wrong token"), ScraperSettingError("ENVOY_TOKEN_FILE: gone")])
async def test_what_needs_a_person_is_said_once_shown_and_looked_at_until_it_is_settled(scripted, error, logs):
    scripted.gateway.answers["connect"] = [*[error] * 40, make_identity()]
    await poll(scripted, 390)
    assert list_warnings(logs) == ["somebody must act; what was read before is still delivered"]
    assert scripted.health.person_needed == str(error)
    await poll(scripted, 120)
    assert scripted.health.person_needed is None
    assert scripted.health.endpoints["meters"].success


async def test_a_changed_certificate_is_one_event_and_shown_until_it_is_trusted(scripted):
    scripted.gateway.answers["connect"] = [*[CertificateChangedError("changed")] * 10, make_identity()]
    await poll(scripted, 95)
    assert scripted.health.certificate_changed
    assert len(await scripted.list_events("certificate")) == 1
    await poll(scripted, 60)
    assert not scripted.health.certificate_changed


async def test_a_new_firmware_is_noticed_whoever_met_it_first(scripted):
    """The stream may have led to the login, and not the poller."""
    await poll(scripted, 30)
    scripted.gateway.identity = make_identity(firmware="D8.3.5433", role="owner")
    await poll(scripted, 30)
    assert (scripted.health.firmware, scripted.health.role) == ("D8.3.5433", "owner")


async def test_a_full_disk_stops_nothing(scripted):
    scripted.gateway.answers["meters"] = [
        [make_values(100.0 * index, at_s=GATEWAY_NOW_S + index)] for index in range(500)
    ]
    scripted.outbox.full = True
    await poll(scripted, 120)
    scripted.outbox.full = False
    await poll(scripted, 120)
    assert await scripted.list_events("loss")
    assert await scripted.list_rows("meter")
