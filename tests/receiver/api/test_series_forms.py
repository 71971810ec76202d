"""What questions about series may not ask, how answers are paged and packed, and that CSV says what JSON says."""

import gzip
from datetime import datetime
from itertools import pairwise

import httpx
import pytest

from tests.clocks import NOW_MS
from tests.receiver.api.series_requests import (
    HOUR,
    MINUTE,
    PATH,
    START,
    ask,
    ask_refused,
    list_points,
    make_power,
    read_rows,
)
from tests.receiver.service import OTHER, READ_SECRET, Service, assert_problem, make_inverter, make_read_claims, sign

POWER = "kind=meter&field=power"
REFUSED = {
    "field=power": "kind must be one of inverter, meter, meter_energy",
    "kind=meter": "field must be a field of that kind: power, reactive_power",
    "kind=event": "field must be a field of that kind: end, rows, reason.",
    "kind=meters&field=power": "kind must be one of inverter, meter, meter_energy",
    "kind=meter&field=watts": "field must be a field of that kind: power, reactive_power",
    f"{POWER}&inverter=1": "inverter is no tag of that kind; it has meter, phase",
    f"{POWER}&start=tomorrow": "start must be now, today",
    f"{POWER}&start=9999999999999999": "start must be between the years 1970 and 2200",
    f"{POWER}&stop=2025-13-01": "stop must be now, today",
    f"{POWER}&start=now": "stop must be later than start (a day, month or year as stop is its first moment)",
    f"{POWER}&time_zone=Berlin": "time_zone must be an IANA name",
    f"{POWER}&every=2h30m": "every must be a number with s, m, h",
    f"{POWER}&every=24h": "every in s, m or h must be less than a day",
    f"{POWER}&every=2w": "every in days, weeks or years must be 1d, 1w or 1y",
    f"{POWER}&every=1h&aggregate=median": "aggregate must be 'mean', 'min', 'max', 'last' or 'integral'",
    f"{POWER}&every=1h&fill=zero": "fill must be 'none', 'null', 'previous' or 'linear'",
    f"{POWER}&every=1h&group_by=panel": "group_by must be tags of that kind with commas between them: meter, phase",
    f"{POWER}&every=1h&aggregate=integral&fill=linear": "fill must be none or null for an integral",
    f"{POWER}&every=1h&limit=5": "limit and after are for single points",
    f"{POWER}&limit=0": "limit must be greater than or equal to 1",
    f"{POWER}&limit=50001": "limit must be less than or equal to 50000",
    f"{POWER}&limit=many": "limit must be a valid integer",
    f"{POWER}&after=-1": "after must be greater than or equal to 0",
    f"{POWER}&aggregate=mean": "aggregate needs every",
    f"{POWER}&group_by=meter": "group_by needs every",
    f"{POWER}&fill=null": "fill needs every",
    f"{POWER}&format=xml": "format must be 'json' or 'csv'",
    f"{POWER}&evry=2h30m": "parameter evry is not known here: there are after, aggregate, array",
    f"{POWER}&phase=a&phase=b": "phase must be given once",
    f"{POWER}&meter=grid": "meter is not the name of a meter: this gateway has production.",
    "kind=meter_energy&field=delivered&meter=grid": "meter is not the name of a meter: there can be production, pv3p",
    "kind=meter&field=voltage&start=-2mo&every=1d&aggregate=max": "start is too far back for what every stored reading "
    "of 2 series is needed for. Choose at most 17 days at once, or ask for kind=meter_1h and field=voltage_max",
    "kind=meter&field=voltage&phase=a&start=-100d&stop=-95d&every=1d&aggregate=min": "start is before the raw readings "
    "that are kept: choose a later one, or ask for kind=meter_1h and field=voltage_min without every",
    "kind=meter&field=voltage&every=1h&group_by=meter": "group_by must keep phase",
    "kind=meter&field=voltage&every=1h&aggregate=integral": "aggregate cannot be integral for this field",
    "kind=meter_energy&field=delivered&every=1h&aggregate=mean": "aggregate must be one of integral, last",
    "kind=production&field=power&every=1h&aggregate=integral": "aggregate must be one of last, mean, min, max",
    "kind=gateway&field=firmware&every=1h&fill=linear": "fill must be none, null or previous for a text",
    "kind=energy_1d&field=load&every=1mo": "every cannot be used with this kind",
    "kind=event&field=rows&every=1h": "every cannot be used with this kind",
    "kind=interval&field=energy&every=1h": "every cannot be used with this kind",
    f"{POWER}&start=0&every=1s": "every is too short for this range: an answer has at most 50,000 points",
    f"{POWER}&start=-1mo&every=5m&aggregate=last": "start is too far back for what every stored reading",
    f"{POWER}&start=1980-01-01": "start is too far back for what every stored reading",
}  # fmt: skip


async def test_every_refusal_names_its_parameter_and_the_remedy(service: Service):
    """And no value that was sent comes back."""
    await service.send(make_power(NOW_MS, 1.0), make_power(NOW_MS, 1.0, phase="b"))
    for query, sentence in REFUSED.items():
        answer = await ask_refused(service, query)
        assert answer.startswith(sentence), query
        for sent in ("tomorrow", "median", "watts", "zero", "2h30m", "xml", "many"):
            assert sent not in answer


async def test_a_budget_of_many_series_is_shared(service: Service):
    """Each of six series fits, all of them together do not, and what is advised does."""
    await service.send(
        *(make_power(NOW_MS, 1.0, meter=meter, phase=phase) for meter in ("production", "storage") for phase in "abc")
    )
    await service.receiver.rollups.catch_up()
    query = f"{POWER}&start=-7d&fill=null"
    await ask(service, f"{query}&every=1m&meter=storage&phase=a")
    detail = await ask_refused(service, f"{query}&every=1m")
    assert "Choose 5m or longer" in detail
    assert len((await ask(service, f"{query}&every=5m")).json()["series"]) == 6


HOSTILE = [
    "'; DROP TABLE meter; --", '" OR "1"="1', "x' OR 1=1 --", "$gateway", "{gateway}", "%", "*", ".*", "/.*/", "\\", "\n",
    "\x00", "../../x", "\u202e", "\U0001f600", "a" * 100,
    "production' UNION SELECT * FROM series --",
]  # fmt: skip


async def test_tags_are_values_and_never_language(service_on_each_store: Service):
    """Whatever stands in a filter, it finds what has that name, which is nothing; and all is still there afterwards."""
    await service_on_each_store.send(make_power(NOW_MS - 1000, 1.0), make_power(NOW_MS - 500, 2.0), make_inverter("1"))
    for text in HOSTILE:
        query = httpx.QueryParams({"kind": "meter", "field": "power", "phase": text})
        assert (await ask(service_on_each_store, str(query))).json()["series"] == []
        assert (await ask(service_on_each_store, f"{query}&every=1h")).json()["series"] == []
        for name in ("kind", "field", "meter", "start", "every", "time_zone", "group_by"):
            if name == "group_by" and not text.strip():
                continue  # keeps no tag
            changed = httpx.QueryParams({"kind": "meter", "field": "power", "every": "1h", name: text})
            answer = await service_on_each_store.get(f"{PATH}?{changed}")
            assert answer.status_code == 422, (name, text)
            assert len(text) < 3 or text not in answer.text
    assert [value for _, _, value in list_points((await ask(service_on_each_store, POWER)).json())] == [1.0, 2.0]


async def test_another_gateway_is_not_there(service_on_each_store: Service):
    """Neither for who may not see it, nor for who may if it has no readings."""
    await service_on_each_store.send(make_power(NOW_MS, 1.0))
    await service_on_each_store.send(make_power(NOW_MS, 5.0), serial=OTHER)
    assert [
        value for _, _, value in list_points((await ask(service_on_each_store, f"{POWER}&stop=2030-01-01")).json())
    ] == [1.0]
    token = sign(make_read_claims(gateways=[OTHER]), READ_SECRET, kid="read")
    assert_problem(await service_on_each_store.get(f"{PATH}?{POWER}", token=token), 404, "not-found")
    assert_problem(await service_on_each_store.get(f"/api/v1/gateways/122300009999/series?{POWER}"), 404, "not-found")
    assert_problem(await service_on_each_store.get(f"{PATH}?{POWER}", token=""), 401, "unauthorised")


async def read_pages(service: Service, query: str) -> list[list[tuple[int, str, float]]]:
    found: list[list[tuple[int, str, float]]] = []
    after = None
    while not found or after is not None:
        answer = (await ask(service, query if after is None else f"{query}&after={after}")).json()
        found.append(list_points(answer))
        after = answer["next"]
    return found


@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
async def test_pages_lose_nothing_and_double_nothing(service_on_each_store: Service, limit: int):
    """Two phases with the same stamps, and a third beside them; no moment is cut in two."""
    sent = [make_power(START + second * 1000, float(second), phase=phase) for second in range(40) for phase in "ab"]
    sent += [make_power(START + HOUR + second * 777, -float(second), phase="c") for second in range(25)]
    await service_on_each_store.send(*sent)
    found = await read_pages(service_on_each_store, f"{POWER}&start={START}&stop={START + 2 * HOUR}&limit={limit}")
    everything = [point for page in found for point in page]
    wanted = sorted(
        (reading.timestamp, f"production {reading.tags['phase']}", reading.fields["power"]) for reading in sent
    )
    assert sorted(everything) == wanted
    assert all(len(page) <= limit + 1 for page in found)
    assert all(max(before)[0] < min(after)[0] for before, after in pairwise(found) if before and after)


async def test_a_page_goes_on_while_readings_arrive(service_on_each_store: Service):
    """Late ones and new ones neither double nor hide the others."""
    await service_on_each_store.send(*(make_power(START + second * 1000, float(second)) for second in range(20)))
    query = f"{POWER}&start={START}&limit=10"
    first = (await ask(service_on_each_store, query)).json()
    await service_on_each_store.send(make_power(START + 500, 77.0), make_power(START + 25_000, 25.0))
    second = (await ask(service_on_each_store, f"{query}&after={first['next']}")).json()
    third = (await ask(service_on_each_store, f"{query}&after={second['next']}")).json()
    assert [value for _, _, value in list_points(second) + list_points(third)] == [*map(float, range(10, 20)), 25.0]


async def test_csv_says_what_json_says(service_on_each_store: Service):
    """To a tenth of a watt, for windows and points, with local times; by the parameter and by the Accept header."""
    values = [0.1 + 0.2, 1e-7, 123456.789, -1 / 3, 2.0**-40, 7e15]
    await service_on_each_store.send(
        *(
            make_power(START + 20_000 * index, value, phase=phase)
            for index, value in enumerate(values)
            for phase in "ab"
        )
    )
    for query in (f"{POWER}&start={START}", f"{POWER}&start={START}&every=1m&fill=null&stop={START + 5 * MINUTE}"):
        answer = (await ask(service_on_each_store, query)).json()
        name = "points" if answer["every"] is None else "windows"
        wanted = [{**entry["tags"], **row} for entry in answer["series"] for row in entry[name]]
        for line, row in zip(read_rows(await ask(service_on_each_store, f"{query}&format=csv")), wanted, strict=True):
            for column, value in row.items():
                read = line[column] if isinstance(value, str) else float(line[column] or "nan")
                rounded = round(value, 1 if column == "value" else 4) if isinstance(value, float) else value
                assert read == rounded or (value is None and line[column] == "")
            instant = "timestamp" if name == "points" else "start"
            assert datetime.fromisoformat(line[f"local_{instant}"]).timestamp() * 1000 == row[instant]
        accept = {
            "accept": "text/csv, application/json;q=0.9",
            "authorization": "Bearer " + sign(make_read_claims(), READ_SECRET, kid="read"),
        }
        assert read_rows(await service_on_each_store.client.get(f"{PATH}?{query}", headers=accept))[0]["phase"] == "a"


async def test_a_long_answer_comes_in_pieces_and_packed(service: Service):
    """Tens of thousands of windows of one series: packed on the wire, and sent no faster than they are taken."""
    await service.send(make_power(NOW_MS - 2000, 1.0), make_power(NOW_MS - 1000, 2.0))
    token = sign(make_read_claims(), READ_SECRET, kid="read")
    headers = {"authorization": f"Bearer {token}", "accept-encoding": "gzip"}
    query = f"{POWER}&start=-13h&every=1s&fill=null&format=csv"
    async with service.client.stream("GET", f"{PATH}?{query}", headers=headers) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = [piece async for piece in answer.aiter_raw()]
    text = gzip.decompress(b"".join(packed))
    assert len(text.splitlines()) == 13 * 3600 + 1
    assert int(answer.headers["content-length"]) == sum(map(len, packed))
    assert sum(map(len, packed)) < len(text) / 8
    plain = await service.client.get(f"{PATH}?{query}", headers={**headers, "accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content.startswith(text[:1000])


async def test_head_is_refused_cleanly(service: Service):
    await service.send(make_power(NOW_MS, 1.0))
    answer = await service.client.head(f"{PATH}?{POWER}")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "GET", b"")
