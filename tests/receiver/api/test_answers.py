"""Forms of answers: what the reader accepts, what it has already, and lists page by page."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from receiver.api.answers import cut_page, make_csv, should_send_csv
from receiver.api.tables import TableForm
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, OTHER, READ_SECRET, Service, make_inverter, make_read_claims, sign

LIST = "/api/v1/gateways"


@pytest.mark.parametrize(
    ("accept", "csv"),
    [
        ("", False), ("*/*", False), ("text/csv", True), ("text/csv, */*", True), ("TEXT/CSV", True),
        ("application/json, text/csv", False), ("application/json;q=0.5, text/csv", True),
        ("text/csv;q=0.5, */*", False), ("text/csv;q=0", False), ("text/csv;q=x", False), ("text/*", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False), (";;,,=", False),
    ],
)  # fmt: skip
def test_the_accept_header_is_heard(accept: str, csv: bool):
    request = Request({"type": "http", "headers": [(b"accept", accept.encode())]})
    assert should_send_csv(request, None) is csv
    assert should_send_csv(request, "json") is False
    assert should_send_csv(request, "csv") is True


@given(keys=st.sets(st.text(max_size=3)), limit=st.integers(1, 5))
def test_pages_of_a_list_are_the_list(keys: set[str], limit: int):
    found, after, more = [], None, True
    while more:
        page, after = cut_page(sorted(keys), limit=limit, after=after, key=str)
        assert len(page) <= limit
        found += page
        more = after is not None
    assert found == sorted(keys)


async def test_gateways_come_page_by_page(service: Service):
    """The Link header leads through all of them, also in CSV, and nothing else of the address is lost."""
    for serial in (GATEWAY, OTHER):
        await service.send(make_inverter("1"), serial=serial)
    for form in ("json", "csv"):
        first = await service.get(f"{LIST}?limit=1&format={form}")
        following = re.fullmatch(r'<(\?limit=1&format=\w+&after=\w+)>; rel="next"', first.headers["link"])
        assert following is not None
        second = await service.get(LIST + following[1])
        assert "link" not in second.headers
        assert [GATEWAY in first.text, OTHER in first.text] == [True, False]
        assert [GATEWAY in second.text, OTHER in second.text] == [False, True]


async def test_what_is_known_already_is_not_sent_again(service_on_each_store: Service):
    """The age of things goes on without making them new; a new reading does make them new."""
    await service_on_each_store.send(
        make_inverter("1", NOW_MS - 5000), Reading("gateway", {}, NOW_MS, {"role": "owner"})
    )
    token = {"authorization": "Bearer " + sign(make_read_claims(), READ_SECRET, kid="read")}
    first = await service_on_each_store.client.get(LIST, headers=token)
    assert first.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in first.headers["vary"]
    known = {**token, "if-none-match": f'"other", {first.headers["etag"]}'}
    service_on_each_store.clock.advance(10)
    again = await service_on_each_store.client.get(LIST, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    as_csv = await service_on_each_store.client.get(f"{LIST}?format=csv", headers=known)
    assert as_csv.status_code == 200
    await service_on_each_store.send(make_inverter("1", NOW_MS + 1000))
    new = await service_on_each_store.client.get(LIST, headers=known)
    assert new.status_code == 200
    assert new.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_spreadsheet_runs_a_text_of_a_table(begin: str):
    """Names and statuses come from gateways and files; numbers stay numbers, also those below zero."""
    row = {"name": f"{begin}HYPERLINK(1)", "w": -1.5, "n": -2, "off": False, "none": None, "plain": f"a{begin}b"}
    request = Request({"type": "http", "headers": [], "query_string": b""})
    lines = csv.reader(
        io.StringIO(bytes(make_csv(request, TableForm(tuple(row), None), [row]).body).decode(), newline="")
    )
    assert list(lines) == [list(row), [f"'{begin}HYPERLINK(1)", "-1.5", "-2", "false", "", f"a{begin}b"]]


async def test_a_hostile_name_is_inert_in_a_table(service_on_each_store: Service):
    """All the way from a reading to the file that somebody opens."""
    await service_on_each_store.send(Reading("gateway", {}, NOW_MS, {"firmware": "=1+1", "role": "owner"}))
    table = (await service_on_each_store.get(f"{LIST}?format=csv")).text
    assert ",'=1+1," in table
    assert (await service_on_each_store.get(LIST)).json()[0]["firmware"] == "=1+1"
