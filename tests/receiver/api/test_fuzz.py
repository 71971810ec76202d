"""Thousands of requests that a fuzzer makes of the published schema, at a receiver that really runs.

Whatever is asked, sound or senseless, the answer is one that the schema promises, and nothing that was sent comes back
in it. The live route has no end and `tests/receiver/api/test_live.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import urljoin

import pytest
import requests
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from receiver.queries.question import TAGS, Aggregate, Fill
from receiver.stores.kinds import STORED
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver import service
from tests.receiver.service import GATEWAY, READ_SECRET, SECRET, Service, make_inverter, make_read_claims, sign

SOUND, SENSELESS = GenerationMode
CASES = 150
"""Of each operation and mode."""
LIVE = "/api/v1/gateways/{serial}/live"
OPEN = {"GET /healthz": 200, "GET /readyz": 200, "DELETE /api/v1/session": 204}
"""What everybody may do, and what they hear."""
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MINUTE = 60_000
REQUIRED = ("kind", "field")
PLACES = ("serial", "inverter", "site")
NEEDED = (*PLACES, *REQUIRED)
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
Request: TypeAlias = Case[Any]
INVERTER = "482100000001"
SITE = f"""
"{GATEWAY}":
  name: Our house
  site: Lane 5
  time_zone: Europe/Berlin
  panels:
    "{INVERTER}": {{name: East 1, array: East, row: 1, column: 1}}
  tariffs:
    - {{valid_from: 2020-01-01, rates: {{"6-22": 0.34, "22-6": 0.21}}, feed_in: 0.08}}
"""
CANARY = "canary-parameter-5b0c7d1e"
HEADER_CANARY = "canary-header-91f3a7c2"
BODY_CANARY = "canary-body-0d44e6b8"
TOKEN = sign({**make_read_claims(), "scope": "owner"}, READ_SECRET, kid="read")
SECRETS = (CANARY, HEADER_CANARY, BODY_CANARY, TOKEN, SECRET.decode(), READ_SECRET.decode())
SENSIBLE: Mapping[str, list[Any]] = {
    "serial": [GATEWAY],
    "inverter": [INVERTER],
    "site": ["Lane 5"],
    "kind": list(STORED),
    "field": ["power"],
    "meter": ["production", "net-consumption"],
    "phase": ["a", "b"],
    "start": ["-24h", "-1h", "today", "yesterday", "-1mo", "-400d", "2025-10-09", str(NOW_MS - 60 * MINUTE)],
    "stop": ["now", "2025-10-09T10:00+02:00", str(NOW_MS), "2026-01-01"],
    "time_zone": ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"],
    "every": ["1m", "5m", "15m", "1h", "1d", "1w", "1mo", "1y", "billing"],
    "aggregate": [entry.value for entry in Aggregate],
    "fill": [entry.value for entry in Fill],
    "group_by": ["", "meter", "phase", "meter,phase", "inverter"],
    "format": ["json", "csv"],
    "compare": ["before", "year"],
    "order": ["energy", "ratio", "name"],
    "limit": [1, 2, 500],
    "after": [0, NOW_MS - 30 * MINUTE],
}
"""What people ask. A schema cannot say it, and chance alone would hardly get beyond the first check of parameters."""


async def fill(running: Service) -> None:
    """An hour of a house, and its roll-ups."""
    for first in range(NOW_MS - 60 * MINUTE, NOW_MS, 10 * MINUTE):
        rows: list[Reading] = [Reading("event", {"type": "start"}, first, {"reason": "started"})]
        rows += [make_inverter(INVERTER, first + offset) for offset in (0, 5 * MINUTE)]
        for time in range(first, first + 10 * MINUTE, MINUTE):
            rows.append(Reading("gateway", {}, time, {"firmware": "D8.2.4345", "role": "owner", "outbox_rows": 1.0}))
            for meter in ("production", "net-consumption"):
                for phase in "abc":
                    tags = {"meter": meter, "phase": phase}
                    counted = (time - NOW_MS) / MINUTE + 1e6
                    rows.append(Reading("meter", tags, time, {"power": 120.0, "voltage": 230.5, "current": 0.6}))
                    rows.append(Reading("meter_energy", tags, time, {"delivered": counted, "received": 2 * counted}))
        await running.send(*rows)
    await running.receiver.rollups.catch_up()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A receiver on a port of its own, in a thread of its own."""
    folder = tmp_path_factory.mktemp("fuzzed")
    sites = folder / "sites.yaml"
    sites.write_text(SITE, encoding="utf-8")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(service.start(folder / "state", docs=True, sites_file=sites)) as running,
    ):
        portal.call(fill, running)
        yield f"http://127.0.0.1:{running.port}"


@st.composite
def make_cases(draw: st.DrawFn, operation: Operation, mode: GenerationMode) -> Request:
    """What the fuzzer makes up, or something sensible of which one part may be the fuzzer's, or a canary."""
    case: Request = draw(operation.as_strategy(generation_mode=mode))
    theirs = {**dict.fromkeys(list_names(operation.query)), **(case.query or {}), **case.path_parameters}
    values = {name: draw(choose_sensible(name, value)) for name, value in theirs.items()}
    if isinstance(values.get("kind"), str):
        kind = STORED[values["kind"]]
        values |= {"field": draw(st.sampled_from(sorted(kind.fields))), **dict.fromkeys(set(TAGS) - set(kind.tags))}
    if draw(st.booleans()):
        values |= {name: value for name, value in theirs.items() if name not in case.path_parameters}
    odd = draw(st.sampled_from([*[None] * 6, *values]))
    if odd is not None:
        values[odd] = draw(st.sampled_from([CANARY, theirs.get(odd)]))
    case.path_parameters = {name: values.pop(name) for name in case.path_parameters}
    case.query = {name: value for name, value in values.items() if value is not None}
    return case


def choose_sensible(name: str, value: object) -> st.SearchStrategy[Any]:
    """Something that people ask; the fuzzer's own where that is not given. None: the parameter is not given."""
    if name not in SENSIBLE:
        return st.just(value)
    return st.sampled_from([*SENSIBLE[name], *([] if name in NEEDED else [None] * 3 * len(SENSIBLE[name]))])


def list_names(parameters: Iterable[Any]) -> list[str]:
    """Of the parameters of an operation."""
    return [parameter.name for parameter in parameters]


def fuzz(operation: Operation, mode: GenerationMode, ask: Callable[[Request], None]) -> None:
    """The same cases in every run."""

    @given(make_cases(operation, mode))
    @settings(
        max_examples=CASES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def ask_case(case: Request) -> None:
        ask(case)

    ask_case()


def list_operations(address: str) -> list[Operation]:
    """Of the schema as the receiver publishes it."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(found) == schema.statistic.operations.total, "the schema is broken"
    return [operation for operation in found if operation.path != LIVE]


def check(case: Request, session: requests.Session, token: str) -> int:
    """Ask it, with a body where one may be sent, and look at the answer; its status."""
    headers = {"authorization": f"Bearer {token}", "user-agent": HEADER_CANARY, "cookie": f"other={HEADER_CANARY}"}
    if case.operation.body:
        if isinstance(case.body, dict) and "version" in case.body:
            places = session.get(
                urljoin(str(case.operation.base_url), f"/api/v1/gateways/{GATEWAY}/panels"), headers=headers
            )
            assert places.status_code == 200, places.text
            case.body["version"] = places.json()["version"]
        response = case.call(session=session, headers=headers)
    else:
        response = case.call(session=session, headers=headers, data=None if case.method == "GET" else BODY_CANARY)
    case.validate_response(response, checks=CHECKS)
    shown = str({**response.headers, "set-cookie": ""}).encode() + response.content  # the session's cookie is the token
    assert not [secret for secret in (*SECRETS, token) if secret.encode() in shown]
    return response.status_code


@pytest.mark.timeout(900)  # thousands of requests: half a minute of work, much longer where the machine is busy
def test_every_answer_is_as_published_and_tells_no_secret(address: str, subtests: pytest.Subtests) -> None:
    """Nothing fails, and every operation is also asked what it can answer."""
    total = 0
    with requests.Session() as session:
        for operation in list_operations(address):
            statuses: Counter[int] = Counter()
            for mode in (SOUND, SENSELESS) if list_names(operation.query) else (SOUND,):
                with subtests.test(operation.label, mode=mode.value):
                    fuzz(operation, mode, lambda case, seen=statuses: seen.update([check(case, session, TOKEN)]))  # type: ignore[misc]
            least = CASES // 20 if list_names(operation.query) else 0
            assert statuses[200] + statuses[204] > least, (operation.label, statuses)
            total += statuses.total()
    assert total >= 2_000


def test_who_is_not_let_in_hears_no_more_than_that(address: str, subtests: pytest.Subtests) -> None:
    with requests.Session() as session:
        for operation in list_operations(address):
            with subtests.test(operation.label):
                query = {name: SENSIBLE[name][0] for name in list_names(operation.query) if name in REQUIRED}
                case = operation.Case(path_parameters={name: SENSIBLE[name][0] for name in PLACES}, query=query)
                status = check(case, session, "canary-token-77f2c1a9")
                assert status == OPEN.get(operation.label, 401)
