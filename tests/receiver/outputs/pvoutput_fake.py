"""A strict PVOutput, by its documentation: limits of an hour and of a batch, 14 days, energies that never fall."""

from datetime import date, datetime
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from shared.units import HOUR_MS
from tests.clocks import StoppedClock
from tests.fake_http import CannedReply, FakeRequest

KEY = "0123456789abcdef0123456789abcdef01234567"
SYSTEM = "12345"


class FakePvOutput:
    """One account of the free sort.

    Attributes:
        statuses: Fields v1 to v6 as text, by local day and time.
        days: Forms of addoutput by day.
        batches: How many statuses each accepted request had.
        requests: Times of requests that counted, UTC milliseconds.
    """

    def __init__(self, clock: StoppedClock, zone: ZoneInfo) -> None:
        self.statuses: dict[tuple[str, str], list[str]] = {}
        self.days: dict[str, dict[str, str]] = {}
        self.batches: list[int] = []
        self.requests: list[int] = []
        self.refused_over_limit = 0
        self._clock = clock
        self._zone = zone

    def answer(self, request: FakeRequest) -> CannedReply:
        if request.headers.get("x-pvoutput-apikey") != KEY:
            return CannedReply(401, b"Unauthorized 401: Invalid API Key")
        if request.headers.get("x-pvoutput-systemid") != SYSTEM:
            return CannedReply(401, b"Unauthorized 401: Invalid System ID")
        now = self._clock.now_ms()
        hour = now // HOUR_MS
        used = sum(at // HOUR_MS == hour for at in self.requests)
        reset = ("X-Rate-Limit-Reset", str((hour + 1) * HOUR_MS // 1000))
        if used >= 60:
            self.refused_over_limit += 1
            return CannedReply(403, b"Forbidden 403: Exceeded number requests per hour", (reset,))
        self.requests.append(now)
        rate = (("X-Rate-Limit-Remaining", str(59 - used)), ("X-Rate-Limit-Limit", "60"), reset)
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        page = request.path.removeprefix("/service/r2/")
        if page == "getsystem.jsp":
            return CannedReply(200, b"Roof,5000,,,,,,,,,,,,,,5;;0", rate)
        if page == "addoutput.jsp":
            self.days[form["d"]] = form
            return CannedReply(200, b"OK 200: Added Output", rate)
        assert page == "addbatchstatus.jsp"
        status, text = self._take_batch(form["data"].split(";"))
        return CannedReply(status, text.encode(), rate)

    def _take_batch(self, rows: list[str]) -> tuple[int, str]:
        if len(rows) > 30:
            return 400, "Bad request 400: Exceeded 30 statuses"
        problems = [self._take(row.split(",")) for row in rows]
        if all(problems):
            return 400, f"Bad request 400: {problems[0]}"
        self.batches.append(len(rows))
        return 200, ";".join(
            ",".join([*row.split(",")[:2], "0" if problem else "1"])
            for row, problem in zip(rows, problems, strict=True)
        )

    def _take(self, row: list[str]) -> str | None:
        day, clock, *values = row
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, self._zone)
        age = (now.date() - date.fromisoformat(day)).days
        if age > 14:
            return "Date is older than 14 days"
        if age < 0 or (age == 0 and clock > now.strftime("%H:%M")):
            return "Date is in the future"
        generated = int(values[0])
        before = [int(one[0]) for (of, at), one in self.statuses.items() if of == day and at < clock]
        if before and generated < max(before):
            return f"Energy value [{generated}] lower than previously recorded value [{max(before)}]"
        if len(values) > 1 and values[1] and int(values[1]) <= 0:
            return "Moon Powered"
        self.statuses[day, clock] = values
        return None
