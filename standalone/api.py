"""Clients of the receiver's API and of the status ports. They only read; their errors are NotReadyError.

The answers are of the receiver's own types; what is computed of them is the receiver's alone.
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from receiver.api.inverter_answers import InverterEntry
from receiver.api.meter_answers import HouseholdPower, MeterEntry
from shared.connection_failures import explain_failure
from standalone.errors import NotReadyError

_TIMEOUT_S = 5.0
_KNOWN = 0.99
_GATEWAYS = "/api/v1/gateways"


UNKNOWN_POWER: Final = HouseholdPower(
    production_w=None,
    load_w=None,
    net_w=None,
    imported_w=None,
    exported_w=None,
    battery_w=None,
    state_of_charge=None,
    grid_mode=None,
    load_unknown=None,
    timestamp=None,
    age_seconds=None,
)


class ReceiverApi:
    """A reader of the receiver's API for one gateway.

    Args:
        url: Base address of the receiver.
        serial: Of the gateway.
        token: A reader token.
        transport: Carries the requests; None is the network.
    """

    def __init__(self, url: str, serial: str, token: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._serial = serial
        self._gateway_known = False
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT_S,
            trust_env=False,
            transport=transport,
        )

    async def read_power(self) -> HouseholdPower:
        """The power of the household; all unknown before the first reading."""
        return await self._get_latest("power") or UNKNOWN_POWER

    async def read_meters(self) -> list[MeterEntry]:
        """Every phase of every meter; empty before the first reading."""
        return await self._get_latest("meters") or []

    async def read_inverters(self) -> list[InverterEntry]:
        """Every inverter that has reported or that the sites file names; empty before the first reading."""
        return await self._get_latest("inverters") or []

    async def is_past_known(self, hours: int) -> bool:
        """Whether production and load of each of the last hours, but for the first and the running one, are known.

        The load is known where the grid and the battery are.
        """
        path = f"{_GATEWAYS}/{self._serial}/energy?every=1h&start=-{hours}h"
        windows = (await self._get(path))["windows"][1:-2]
        return all(
            (window[f"{name}_coverage"] or 0.0) >= _KNOWN for window in windows for name in ("production", "load")
        )

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _get_latest(self, resource: str) -> Any:
        """A resource of the gateway; None until the list has the gateway, because the resource is a 404 before that."""
        if not self._gateway_known:
            self._gateway_known = any(entry["gateway"] == self._serial for entry in await self._get(_GATEWAYS))
        return await self._get(f"{_GATEWAYS}/{self._serial}/{resource}") if self._gateway_known else None

    async def _get(self, path: str) -> Any:
        try:
            response = await self._client.get(path)
            response.raise_for_status()
            return response.json()
        except httpx.HTTPStatusError as error:
            raise NotReadyError(f"the receiver answers {error.response.status_code}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise NotReadyError(f"the receiver does not answer ({explain_failure(error)})") from error


class StatusPort:
    """The status port of one service.

    Args:
        name: For people.
        port: On this machine.

    Attributes:
        name: As given.
    """

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=_TIMEOUT_S, trust_env=False)

    async def read_metrics(self) -> Mapping[str, float]:
        """Every sample by its name; samples of one name with different labels are added."""
        totals: dict[str, float] = {}
        for family in text_string_to_metric_families((await self._get("/metrics")).text):
            for sample in family.samples:
                totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
        return totals

    async def read_problem(self) -> str | None:
        """None while the service is ready, else its own sentence."""
        response = await self._get("/readyz")
        return None if response.is_success else response.text.strip()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _get(self, path: str) -> httpx.Response:
        try:
            return await self._client.get(path)
        except httpx.HTTPError as error:
            raise NotReadyError(f"the {self.name} does not answer yet") from error
