"""Enphase's API v4 for one system: who may ask, how often, and what each endpoint says."""

import re
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any, TypeAlias

from simulator.clock import DeviceClock
from simulator.cloud.answers import answer_json, answer_page
from simulator.cloud.oauth import OAuthHost
from simulator.cloud.places import Places
from simulator.cloud.quota import Quota, make_refusal
from simulator.cloud.records import SystemRecords
from simulator.cloud.telemetry import RequestRefusedError, Telemetry
from simulator.faults import Faults
from simulator.house.state import PRODUCTION
from simulator.web.messages import ParsedRequest, Response

_Endpoint: TypeAlias = Callable[[Mapping[str, str]], Any]
BASE = "/api/v4"
_SYSTEM = re.compile(rf"{BASE}/systems/(\d+)(?:/(.+))?")
_REFUSED = {"message": "Not Authorized", "details": "User is not authorized", "code": 401}

_FORBIDDEN = {"message": "Forbidden", "details": "Not authorized to access this resource", "code": 403}


class ApiHost:
    """What lies under `/api/v4/`.

    Args:
        records: the one system that the owner has.
        oauth: knows tokens.
        clock: the simulated time.
        faults: those whose names begin with `api-`.
        serial: of the system's gateway.

    Attributes:
        quota: counts the calls.
        calls: time, path and status of each call, oldest first.
    """

    def __init__(
        self, records: SystemRecords, oauth: OAuthHost, clock: DeviceClock, faults: Faults, *, serial: str
    ) -> None:
        self.records = records
        self.quota = Quota(faults)
        self.calls: list[tuple[float, str, int]] = []
        self._oauth = oauth
        self._clock = clock
        self._faults = faults
        telemetry = Telemetry(records, faults, serial, self._read_now)
        self._places = Places(records, telemetry, serial, self._read_now)
        self._endpoints: dict[str, _Endpoint] = {
            "": lambda _: self._places.make_system(),
            "summary": self._places.make_summary,
            "devices": lambda _: self._places.make_devices(),
            "telemetry/production_micro": telemetry.make_production_micro,
            "telemetry/production_meter": lambda query: telemetry.make_meter(
                query, PRODUCTION, "wh_del", with_meta=False
            ),
            "telemetry/consumption_meter": telemetry.make_consumption,
            "telemetry/battery": telemetry.make_battery,
            "energy_import_telemetry": lambda query: telemetry.make_grid(query, imported=True),
            "energy_export_telemetry": lambda query: telemetry.make_grid(query, imported=False),
            "rgm_stats": telemetry.make_rgm_stats,
            "energy_lifetime": telemetry.make_energy_lifetime,
        }

    def answer(self, request: ParsedRequest) -> Response:
        """Answer a request under `/api/v4/`."""
        response = self._make_response(request)
        response.headers = (*response.headers, ("Date", formatdate(self._clock.now(), usegmt=True)))
        self.calls.append((self._clock.now(), request.path, response.status))
        return response

    def _make_response(self, request: ParsedRequest) -> Response:
        if request.method != "GET":
            return answer_json({"reason": "405", "message": ["Method not allowed"]}, 405)
        if self._take("api-html-200", request) is not None:
            return answer_page("503", "This website is under heavy load (queue full)")
        if (refused := self._refuse(request)) is not None:
            return refused
        try:
            return self._find_answer(request)
        except RequestRefusedError as error:
            return answer_json({"message": "Unprocessable Entity", "details": str(error), "code": 422}, 422)

    def _refuse(self, request: ParsedRequest) -> Response | None:
        """Who may not ask, or not now."""
        key = request.headers.get("key", request.query.get("key"))
        scheme, _, access = request.headers.get("authorization", "").partition(" ")
        if self._faults.get("api-key-mismatch", request.path) or key != self._oauth.application.api_key:
            return answer_json(_REFUSED | {"details": "API Key -Client mismatch"}, 401)
        if scheme.lower() != "bearer" or self._oauth.find_owner(access) is None:
            return answer_json(_REFUSED, 401)
        if (used_up := self.quota.count_call(self._clock.now())) is not None:
            return answer_json(used_up, 429)
        refusals: dict[str, tuple[Any, int]] = {
            "api-429-bare": (make_refusal(), 429),
            "api-plan-401": (_REFUSED, 401),
            "api-403": (_FORBIDDEN, 403),
            "api-500-7": ({"errorCode": 7, "errorMessages": ["Data is temporarily unavailable"]}, 500),
        }
        taken = next((name for name in refusals if self._take(name, request) is not None), None)
        return None if taken is None else answer_json(*refusals[taken])

    def _find_answer(self, request: ParsedRequest) -> Response:
        if request.path == f"{BASE}/systems":
            return answer_json(self._places.list_systems(request.query))
        if request.path == f"{BASE}/systems/retrieve_system_id":
            found = self._places.find_system(request.query.get("serial_num", ""))
            return answer_json({"system_id": found}) if found else _answer_unknown("Envoy not found")
        match = _SYSTEM.fullmatch(request.path)
        if match is None or (match[2] is not None and match[2] not in self._endpoints):
            return _answer_unknown("Requested resource not found")
        if int(match[1]) != self.records.system_id or self._faults.take("api-404", request.path) is not None:
            return _answer_unknown(f'System not found for {{:id=>"{match[1]}"}}')
        return answer_json(self._endpoints[match[2] or ""](request.query))

    def _take(self, name: str, request: ParsedRequest) -> Any:
        """A switch that may be limited to an endpoint by a part of its path."""
        parameters = self._faults.get(name, request.path)
        if parameters is None or str(parameters.get("endpoint", "")) not in request.path:
            return None
        return self._faults.take(name, request.path)

    def _read_now(self) -> int:
        return int(self._clock.now())


def _answer_unknown(details: str) -> Response:
    return answer_json({"message": "Not Found", "details": details, "code": 404}, 404)
