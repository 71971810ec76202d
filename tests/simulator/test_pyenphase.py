"""The independent client pyenphase recognises a gateway in every profile."""

import socket
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from pyenphase import Envoy
from pyenphase.const import SupportedFeatures
from pyenphase.exceptions import EnvoyAuthenticationError
from pyenphase.ssl import NO_VERIFY_SSL_CONTEXT

from simulator.gateway.password import derive_installer_password
from simulator.profiles import PROFILES
from simulator.server import Simulator
from tests.simulator.reading import make_clock


class _PortMap(AbstractResolver):
    """Sends the gateway's fixed ports 80 and 443 to where the simulator listens."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        real = {80: self._sim.http_port, 443: self._sim.https_port}[port]
        return [ResolveResult(hostname=host, host="127.0.0.1", port=real, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing to close."""


def _make_client(sim: Simulator) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(resolver=_PortMap(sim), ssl=NO_VERIFY_SSL_CONTEXT, family=socket.AF_INET)
    return aiohttp.ClientSession(connector=connector)


async def _read(sim: Simulator, client: aiohttp.ClientSession, role: str) -> tuple[Envoy, Any]:
    """Probe, authenticate and update, as Home Assistant does: the reader and what it understood."""
    envoy = Envoy("envoy.test", client=client)
    await envoy.setup()
    if sim.profile.uses_tokens:
        await envoy.authenticate(token=sim.make_token(role))
    else:
        await envoy.authenticate("installer", derive_installer_password(sim.serial))
    await envoy.update()
    return envoy, envoy.data


def _assert_inverters(sim: Simulator, data: Any) -> None:
    reports = {report.serial: report for report in sim.device.list_reports()}
    assert set(data.inverters) == set(reports)
    for serial, inverter in data.inverters.items():
        report = reports[serial]
        assert inverter.last_report_watts == report.power_w
        assert inverter.last_report_date == report.report_date
        assert inverter.max_report_watts == report.max_power_w
        if sim.profile.version >= (8, 2):
            assert inverter.lifetime_energy == round(report.lifetime_joules / 3600)
            assert inverter.ac_voltage == report.ac_voltage_mv / 1000
            assert inverter.last_report_duration == report.interval_s


def _assert_meters(sim: Simulator, data: Any) -> None:
    state, counters = sim.device.read_state(), sim.device.read_counters()
    assert set(data.ctmeters) <= set(state.meters)
    assert {"production", "net-consumption"} <= set(data.ctmeters)
    for name, meter in data.ctmeters.items():
        phases, energies = state.meters[name], counters.meters[name]
        assert meter.active_power == pytest.approx(sum(phase.active_power_w for phase in phases), abs=1)
        assert meter.voltage == pytest.approx(sum(phase.voltage_v for phase in phases), abs=0.01)
        assert meter.energy_delivered == pytest.approx(sum(energy.delivered_wh for energy in energies), abs=1)
        assert meter.energy_received == pytest.approx(sum(energy.received_wh for energy in energies), abs=1)
        for phase, reading in zip(data.ctmeters_phases.get(name, {}).values(), phases, strict=False):
            assert phase.active_power == pytest.approx(reading.active_power_w, abs=1)
            assert phase.voltage == pytest.approx(reading.voltage_v, abs=0.01)


@pytest.mark.parametrize("role", ["owner", "installer"])
@pytest.mark.parametrize("profile", PROFILES)
async def test_pyenphase_reads_every_profile(profile, role):
    """Probe, login and update succeed; inverters, meters and production are the simulator's own."""
    async with Simulator(profile, clock=make_clock(), late_morning=True) as sim, _make_client(sim) as client:
        envoy, data = await _read(sim, client, role)
        assert envoy.serial_number == sim.serial
        assert str(envoy.firmware) == sim.profile.firmware[1:]
        _assert_inverters(sim, data)
        produced = data.system_production
        if sim.profile.cts_enabled:
            _assert_meters(sim, data)
            assert envoy.phase_count == sim.device.house_profile.phase_count
            expected = sum(phase.active_power_w for phase in sim.device.read_state().meters["production"])
        else:
            assert not data.ctmeters
            expected = sum(report.power_w for report in sim.device.list_reports())
        assert produced.watts_now == pytest.approx(expected, abs=1)
        assert expected > 500, "late morning, and yet no sun"


@pytest.mark.parametrize("house", ["three-phase", "split-phase", "single-phase"])
async def test_pyenphase_counts_the_phases_of_every_wiring(house):
    """Three, two or one phase come out as such, with their own voltages."""
    async with (
        Simulator("firmware-8", house=house, clock=make_clock(), late_morning=True) as sim,
        _make_client(sim) as client,
    ):
        envoy, data = await _read(sim, client, "owner")
        assert envoy.phase_count == {"three-phase": 3, "split-phase": 2, "single-phase": 1}[house]
        _assert_meters(sim, data)
        if envoy.phase_count > 1:
            total = sum(phase.watts_now for phase in data.system_production_phases.values())
            assert total == pytest.approx(data.system_production.watts_now, abs=3)


async def test_pyenphase_reads_the_battery():
    """Batteries, their charge and the system controller are understood."""
    async with Simulator("battery", clock=make_clock(), late_morning=True) as sim, _make_client(sim) as client:
        envoy, data = await _read(sim, client, "owner")
        features = envoy.supported_features
        assert features is not None
        assert SupportedFeatures.ENCHARGE in features
        state = sim.device.read_state()
        assert state.state_of_charge is not None
        assert data.encharge_aggregate.state_of_charge == round(100 * state.state_of_charge)
        power = sum(unit.real_power_mw for unit in data.encharge_power.values()) / 1000
        assert power == pytest.approx(sum(phase.active_power_w for phase in state.meters["storage"]), abs=1)
        assert data.enpower.mains_oper_state == "closed"
        aggregate = data.encharge_aggregate
        assert [unit.percent_full for unit in data.encharge_inventory.values()] == [aggregate.state_of_charge] * 3
        assert aggregate.available_energy == pytest.approx(
            aggregate.max_available_capacity * state.state_of_charge, abs=51
        )
        assert data.tariff.storage_settings.reserved_soc == aggregate.configured_reserve_state_of_charge == 10


async def test_pyenphase_sees_an_open_relay_and_a_running_generator():
    """What the switches of the grid do to the documents is what the independent client understands of them."""
    async with Simulator("battery", clock=make_clock(), late_morning=True) as sim, _make_client(sim) as client:
        sim.faults.switch_on("grid-lost")
        _, lost = await _read(sim, client, "owner")
        assert lost.enpower.mains_oper_state == "open"
        sim.faults.switch_on("generator-running")
        _, fed = await _read(sim, client, "owner")
        assert fed.enpower.mains_oper_state == "open"
        assert fed.raw["/ivp/ensemble/generator"]["oper_state"] == "close"


async def test_pyenphase_sees_no_storage_meter_where_there_is_none():
    """The battery's power is then in its own endpoint alone."""
    async with Simulator("battery", clock=make_clock(), late_morning=True) as sim, _make_client(sim) as client:
        sim.faults.switch_on("no-storage-meter")
        _, data = await _read(sim, client, "owner")
        assert "storage" not in data.ctmeters
        power = sum(unit.real_power_mw for unit in data.encharge_power.values()) / 1000
        assert power == pytest.approx(sum(p.active_power_w for p in sim.device.read_state().meters["storage"]), abs=1)


async def test_pyenphase_repairs_the_confused_totals_of_8_3_5433():
    """Where the device repeats the net values as totals, the reader's own repair gives the true ones."""
    async with Simulator("firmware-8.3", clock=make_clock(), late_morning=True) as sim, _make_client(sim) as client:
        _, data = await _read(sim, client, "owner")
        total = sum(phase.active_power_w for phase in sim.device.read_state().meters["total-consumption"])
        assert data.system_consumption.watts_now == pytest.approx(total, abs=2)


async def test_pyenphase_is_refused_with_the_token_of_another_gateway():
    """A token whose audience is another serial opens nothing."""
    async with Simulator("firmware-7", clock=make_clock()) as sim, _make_client(sim) as client:
        envoy = Envoy("envoy.test", client=client)
        await envoy.setup()
        with pytest.raises(EnvoyAuthenticationError):
            await envoy.authenticate(token=sim.make_token(serial="122000000000"))
