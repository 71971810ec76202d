"""What the receiver and the status ports say, as values for the view. Only reads; raises NotReadyError."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

from standalone.errors import NotReadyError

_TIMEOUT_S = 5.0
_GATEWAYS = "/api/v1/gateways"


class MeterNow(NamedTuple):
    """The latest values of one phase of one meter: W, V and the age in seconds; None is unknown."""

    meter: str
    phase: str
    power: float | None
    voltage: float | None
    age_s: float


class InverterNow(NamedTuple):
    """The latest report of one inverter: W, its reporting interval in seconds where known, its age in seconds."""

    inverter: str
    power: float | None
    interval_s: float | None
    age_s: float


class ReceiverApi:
    """A reader of the receiver's API for one gateway.

    Args:
        url: Base address of the receiver.
        serial: Of the gateway.
        token: A reader token.
    """

    def __init__(self, url: str, serial: str, token: str) -> None:
        self._serial = serial
        self._known = False
        self._client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT_S, trust_env=False
        )

    async def meters(self) -> list[MeterNow]:
        """Every phase of every meter; empty before the first reading."""
        return [
            MeterNow(
                entry["meter"], entry["phase"], entry.get("power"), entry.get("voltage"), float(entry["age_seconds"])
            )
            for entry in await self._of_gateway("meters")
        ]

    async def inverters(self) -> list[InverterNow]:
        """Every inverter that was ever heard from; empty before the first reading."""
        return [
            InverterNow(entry["inverter"], entry.get("power"), entry.get("interval"), float(entry["age_seconds"]))
            for entry in await self._of_gateway("inverters")
        ]

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _of_gateway(self, what: str) -> list[dict[str, Any]]:
        """Latest values; asked only once the list has the gateway, because before that they are an error (404)."""
        if not self._known:
            self._known = any(entry["gateway"] == self._serial for entry in await self._get(_GATEWAYS))
        return await self._get(f"{_GATEWAYS}/{self._serial}/{what}") if self._known else []

    async def _get(self, path: str) -> list[dict[str, Any]]:
        try:
            response = await self._client.get(path)
            response.raise_for_status()
            answer: list[dict[str, Any]] = response.json()
        except httpx.HTTPStatusError as error:
            raise NotReadyError(f"the receiver answers {error.response.status_code}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise NotReadyError(f"the receiver does not answer ({type(error).__name__})") from error
        return answer


class StatusPort:
    """The status port of one service.

    Args:
        name: For people.
        port: On this machine.
    """

    def __init__(self, name: str, port: int) -> None:
        self._name = name
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=_TIMEOUT_S, trust_env=False)

    async def metrics(self) -> Mapping[str, float]:
        """Every sample by its name; samples of one name with different labels are added."""
        totals: dict[str, float] = {}
        for family in text_string_to_metric_families((await self._get("/metrics")).text):
            for sample in family.samples:
                totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
        return totals

    async def problem(self) -> str | None:
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
            raise NotReadyError(f"the {self._name} does not answer yet") from error
