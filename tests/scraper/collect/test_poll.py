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
from tests.clocks import GATEWAY_NOW_S, InstantClock
from tests.scraper.scripted import Parts, identity, parts, values

if TYPE_CHECKING:
    from scraper.gateway.session import GatewaySession

AWAY = GatewayUnreachableError("the gateway cannot be reached; check that it is on")


class EndingClock(InstantClock):
    """Time flies until a moment, which ends everything."""

    end = 0.0

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.elapsed >= self.end:
            raise asyncio.CancelledError


@contextlib.asynccontextmanager
async def conducted(folder: Path) -> AsyncIterator[Parts]:
    async with parts(folder, clock=EndingClock()) as ready:
        yield ready


@pytest.fixture
async def inner(tmp_path):
    async with conducted(tmp_path) as ready:
        yield ready


async def poll(inner: Parts, seconds: float) -> None:
    """Let that much time pass."""
    cast("EndingClock", inner.clock).end = inner.clock.elapsed + seconds
    poller = Poller(
        cast("GatewaySession", inner.gateway),
        inner.samples,
        inner.health,
        inner.clock,
        random.Random(1),
        inverter_interval_s=60,
        meter_interval_s=5,
        meters_wanted=True,
    )
    with contextlib.suppress(asyncio.CancelledError):
        await poller.run()


def warnings(logs):
    return [line["event"] for line in logs if line["log_level"] in ("warning", "error")]


async def test_every_job_runs_at_its_interval_and_never_two_at_once(inner):
    await poll(inner, 600)
    asked = inner.gateway.asked
    assert inner.gateway.most_at_once == 1
    assert 10 <= asked.count("inverters") <= 12
    assert 110 <= asked.count("meters") <= 125
    assert asked.count("connect") == 1


async def test_while_the_stream_delivers_meters_are_asked_once_a_minute(inner):
    inner.health.stream_connected = True
    await poll(inner, 600)
    assert 10 <= inner.gateway.asked.count("meters") <= 12


@pytest.mark.parametrize(
    "error", [BadReplyError("HTML"), EndpointUnavailableError("/api/v1/production/inverters", 404)]
)
async def test_a_bad_reply_of_one_endpoint_leaves_the_others_alone(inner, error, logs):
    inner.gateway.answers["inverters"] = [error]
    await poll(inner, 600)
    assert inner.gateway.asked.count("meters") > 100
    assert inner.gateway.asked.count("connect") == 1
    assert inner.health.endpoints["inverters"].success is False
    assert inner.health.endpoints["inverters"].failures >= 10
    assert inner.health.endpoints["meters"].success
    assert [line["event"] for line in logs] == ["not read"], "said once"


@pytest.mark.parametrize("error", [AWAY, SessionExpiredError("gone")])
async def test_an_endpoint_that_times_out_while_the_gateway_answers_is_not_hammered(inner, error):
    inner.gateway.answers["meters"] = [error]
    await poll(inner, 3600)
    asked = inner.gateway.asked
    assert asked.count("meters") < 80, "once a minute, not every five seconds"
    assert asked.count("connect") <= asked.count("meters") + 1
    assert asked.count("inverters") >= 55
    assert await inner.events("gap") == []


async def test_an_unreachable_gateway_is_a_gap_with_bounded_waits_and_no_storm(inner):
    inner.gateway.answers["connect"] = [identity(), *[AWAY] * 20, identity()]
    inner.gateway.answers["inverters"] = [[], AWAY, []]
    inner.gateway.answers["meters"] = [[values(100, at_s=GATEWAY_NOW_S + index)] for index in range(500)]
    await poll(inner, 1800)
    assert inner.gateway.asked.count("connect") == 22
    opened, closed = await inner.events("gap")
    assert opened.fields["reason"] == "the gateway is unreachable"
    assert closed.timestamp == opened.timestamp


async def test_the_outage_of_every_night_is_no_alarm(inner, logs):
    inner.gateway.answers["connect"] = [AWAY]
    await poll(inner, ALARM_S - 60)
    assert warnings(logs) == []


async def test_an_outage_of_a_day_is_said_once_an_hour(inner, logs):
    inner.gateway.answers["connect"] = [AWAY]
    await poll(inner, 86_400)
    assert 23 <= len(warnings(logs)) <= 25
    assert inner.gateway.asked.count("connect") > 86_400 / 60


@pytest.mark.parametrize("error", [LoginRejectedError("wrong token"), ScraperSettingError("ENVOY_TOKEN_FILE: gone")])
async def test_what_needs_a_person_is_said_once_shown_and_looked_at_until_it_is_settled(inner, error, logs):
    inner.gateway.answers["connect"] = [*[error] * 40, identity()]
    await poll(inner, 390)
    assert warnings(logs) == ["somebody must act; what was read before is still delivered"]
    assert inner.health.person_needed == str(error)
    await poll(inner, 120)
    assert inner.health.person_needed is None
    assert inner.health.endpoints["meters"].success


async def test_a_changed_certificate_is_one_event_and_shown_until_it_is_trusted(inner):
    inner.gateway.answers["connect"] = [*[CertificateChangedError("changed")] * 10, identity()]
    await poll(inner, 95)
    assert inner.health.certificate_changed
    assert len(await inner.events("certificate")) == 1
    await poll(inner, 60)
    assert not inner.health.certificate_changed


async def test_a_new_firmware_is_noticed_whoever_met_it_first(inner):
    """The stream may have led to the login, and not the poller."""
    await poll(inner, 30)
    inner.gateway.identity = identity(firmware="D8.3.5433", role="owner")
    await poll(inner, 30)
    assert (inner.health.firmware, inner.health.role) == ("D8.3.5433", "owner")


async def test_a_full_disk_stops_nothing(inner):
    inner.gateway.answers["meters"] = [[values(100.0 * index, at_s=GATEWAY_NOW_S + index)] for index in range(500)]
    inner.outbox.full = True
    await poll(inner, 120)
    inner.outbox.full = False
    await poll(inner, 120)
    assert await inner.events("loss")
    assert await inner.rows("meter")
