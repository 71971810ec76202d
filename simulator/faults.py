"""The device's documented misbehaviour, as switches that can be thrown while it runs.

    faults.on("truncate", at=100, path="/ivp/meters/readings", times=1)
    faults.off("truncate")

Every fault takes two parameters beside its own: `path` limits it to requests whose path begins so, `times` switches
it off after that many replies (0: never).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Parameters: TypeAlias = dict[str, Any]

_COMMON: Parameters = {"path": "", "times": 0}


@dataclass(frozen=True, slots=True)
class FaultKind:
    """The effect and the parameters of a fault.

    Attributes:
        what: one line for people.
        defaults: its parameters with their default values.
    """

    what: str
    defaults: Parameters


def _make_kind(what: str, **defaults: Any) -> FaultKind:
    return FaultKind(what, defaults)


KINDS: dict[str, FaultKind] = {
    # Connections
    "refuse": _make_kind("refuse every connection"),
    "silent": _make_kind("accept connections and never answer; stage: handshake or reply", stage="reply"),
    "reset": _make_kind("close the connection instead of answering"),
    # Whole replies
    "unauthorised": _make_kind("401 for every credential, in the firmware's own words"),
    "login-page": _make_kind("401 with an HTML page that points to /login.html"),
    "html": _make_kind("200 with an HTML page where JSON is due"),
    "bad-gateway": _make_kind("502 with an HTML page"),
    "starting": _make_kind("503: the device is still starting"),
    "redirect": _make_kind("302 to another host", to="https://attacker.invalid/"),
    "truncate": _make_kind("the body stops after this many bytes", at=20),
    "wrong-length": _make_kind("a Content-Length that is off by this much", by=10),
    "endless": _make_kind("a body that never ends"),
    "gzip-bomb": _make_kind("a small compressed body that unpacks to this many MiB", mib=64),
    "slow-body": _make_kind("the body comes byte by byte", seconds=1.0),
    "hostile-cookies": _make_kind("Set-Cookie for other hosts, and some enormous ones"),
    "many-headers": _make_kind("thousands of headers", count=5000),
    # Values in JSON; `field` empty picks the first measured value of the reply
    "nan": _make_kind("NaN as a value", field=""),
    "huge-number": _make_kind("1e400 as a value", field=""),
    "huge-integer": _make_kind("an integer far beyond 64 bits", field=""),
    "wrong-type": _make_kind("a text where a number is due", field=""),
    "null": _make_kind("null as a value", field=""),
    "lower-nan": _make_kind("nan as C prints it, which is no JSON", field=""),
    "empty-body": _make_kind("200 with an empty body"),
    "not-found": _make_kind("404, as for minutes after a start"),
    "remove-field": _make_kind("a field that this firmware no longer sends", field=""),
    "rename-field": _make_kind("a field under another name", field="", to="renamed"),
    "new-field": _make_kind("a field that no client knows", field="novelty"),
    "deep-nesting": _make_kind("JSON nested this deep", depth=100_000),
    "duplicate-keys": _make_kind("the same key twice in one object"),
    # The device itself
    "firmware": _make_kind(
        "become another profile, with a new certificate, after an outage", to="firmware-8", outage_s=0.0
    ),
    "nightly-restart": _make_kind("off for a while, then on again without any session", outage_s=60.0),
    "new-certificate": _make_kind("another TLS certificate", generation=1),
    "other-serial": _make_kind("another gateway at the same address", serial="122099999999"),
    "clock-off": _make_kind(
        "the device's clock is wrong: by this many seconds, or stuck at `at` (epoch)", by=0.0, at=None
    ),
    "session-death": _make_kind("every session is lost, and a stale cookie is refused even with a token"),
    "cookie-required": _make_kind("/ivp/... wants the session cookie; a token alone is refused"),
    "token-refused": _make_kind("check_jwt refuses every token"),
    "booting": _make_kind("no inverters and zero production, as 3.x just after its start"),
    # Batteries and the grid
    "no-storage-meter": _make_kind("the battery has no current transformer, as at most sites in Europe"),
    "ac-batteries": _make_kind(
        "the battery is of AC Batteries: they stand among the inverters, and no meter sees them"
    ),
    "battery-silent": _make_kind("the batteries no longer talk to the gateway, which goes on stating their charge"),
    "battery-unlisted": _make_kind("the last battery is missing in the lists of batteries and of their power"),
    "batteries-forgotten": _make_kind("empty lists of batteries and controllers, as for minutes after a start"),
    "grid-lost": _make_kind("the main relay is open: the house is cut off from the grid"),
    "generator-running": _make_kind("the main relay is open, and a generator that no meter sees feeds the house"),
    # Inverters and counters
    "frozen-dates": _make_kind("inverters keep the report they had when this began"),
    "inverters-silent": _make_kind(
        "so many inverters keep a report of this many watts and seconds ago", count=3, watts=290, seconds=30 * 86_400
    ),
    "ghosts": _make_kind("inverters that never reported (date 0)", count=2),
    "removed-devices": _make_kind("removed inverters stay in device_data, without readings", count=2),
    "mod-gone": _make_kind("no inverter communicates (as at night)"),
    "fifty-devices": _make_kind("so many devices that device_data is cut off at its limit", count=60),
    "unsigned-wrap": _make_kind("negative meter power in device_data as an unsigned 32-bit number"),
    "counter-reset": _make_kind("lifetime counters start again from 0"),
    "counter-jump": _make_kind(
        "lifetime counters of inverters and production come back higher by this many Wh", by=496_400
    ),
    "counter-wrap": _make_kind("inverter lifetimes wrap at this many Wh", at=1_193_046),
    "total-wrap": _make_kind(
        "the total of all inverters in /production.json starts again at this many Wh, beside a true /api/v1/production",
        at=2**32 / 3600,
    ),
    "unsigned-watts": _make_kind("the first inverter of the list draws 4 W, printed as an unsigned 32-bit number"),
    "serial-twice": _make_kind("the first inverter stands in the list a second time, with an older report"),
    # Meters
    "phase-drops": _make_kind("a phase is 0 in all but its frequency", meter="production", phase=0),
    "meter-zeros": _make_kind("every phase of a meter is 0, its frequency too", meter="production"),
    "phase-null": _make_kind("null in one field of a phase", meter="production", phase=0, field="activePower"),
    "production-ct-off": _make_kind("the production meter is not enabled, and the total is the net and its noise"),
    "production-ct-absent": _make_kind("the production meter is enabled, but no transformer is fitted: -1 W"),
    "other-production": _make_kind("the meter pv3p sees inverters of others", watts=2000.0),
    "reversed-ct": _make_kind("the transformers of a meter are clamped on backwards", meter="net-consumption"),
    "copied-channel": _make_kind("every phase of a meter shows the first one", meter="net-consumption"),
    "net-confusion": _make_kind("total consumption repeats the net values (8.3.5433)"),
    "frozen-readings": _make_kind("meter readings keep the timestamp and values they had when this began"),
    # The meter stream
    "stream-unauthorised": _make_kind("401 on the stream"),
    "stream-stall": _make_kind("the stream stays open and says nothing more"),
    "stream-drip": _make_kind("the stream comes byte by byte", seconds=1.0),
    "stream-burst": _make_kind("events are collected until this many bytes are there", size=16_384),
    "stream-hold": _make_kind("events are held back until so many are there, then come together", events=8),
    "stream-split": _make_kind("events are cut into pieces of this many bytes", size=7),
    "stream-cut": _make_kind("the connection ends inside an event"),
    "stream-garbage": _make_kind("every so many events one is no JSON", every=3),
    "stream-sections": _make_kind("the consumption sections and unused phases are missing"),
    "stream-comments": _make_kind("comments, event names, ids and CRLF line ends between the events"),
    # The cloud
    "cloud-refuse": _make_kind("the cloud refuses connections"),
    "cloud-maintenance": _make_kind("the cloud answers with an HTML page", status=503),
    "cloud-blocked": _make_kind("the cloud answers 403 with an HTML page, as its firewall does"),
    "cloud-busy": _make_kind("the cloud answers 429 or 503 and says when to come back", status=429, retry_after=600),
    "cloud-locked": _make_kind("the account is locked: a message and no session", status=200),
    "cloud-empty-token": _make_kind("200 with an empty body where a token is due"),
    "cloud-mfa": _make_kind("the login asks for a second factor"),
    "cloud-json-token": _make_kind("the token comes inside a JSON object"),
    "cloud-error-in-disguise": _make_kind("200 with a JSON message and no token"),
    "cloud-not-a-token": _make_kind("200 with a text that is no token"),
    "cloud-expired-token": _make_kind("the cloud hands out tokens that have expired"),
    # The API of the cloud. `endpoint` limits a switch to one endpoint by a part of its path
    "oauth-lenient": _make_kind("a refresh token stays valid after its use, until its month is over"),
    "oauth-second-refresher": _make_kind("another program renews the owner's grant, once, when this is switched on"),
    "oauth-withdrawn": _make_kind("the owner withdraws the approval: its tokens are worth nothing from now on"),
    "oauth-wrong-client": _make_kind("the token endpoint knows no client with these keys"),
    "api-cut": _make_kind("the token endpoint does its work, and its reply is cut off"),
    "api-html-200": _make_kind("200 with the page of a full queue", endpoint=""),
    "api-422-future": _make_kind("the API takes its own time for this much earlier: 422 for a recent end", by=1800),
    "api-500-7": _make_kind("500: data is temporarily unavailable (errorCode 7)", endpoint=""),
    "api-quota": _make_kind(
        "other limits of calls; bare: refusals do not say which", minute=10, month=1000, bare=False
    ),
    "api-429-bare": _make_kind("429 without period, end and limit, whatever was used", endpoint=""),
    "api-lag": _make_kind(
        "seconds by which reports, energy, some of the inverters, and meters are late",
        reports=0,
        energy=0,
        devices=0,
        meters=0,
    ),
    "api-hole": _make_kind("intervals that end after `start`, until `end` (epoch), are missing", start=0, end=0),
    "api-revise": _make_kind(
        "intervals that end after `start`, until `end` (epoch), have this many Wh more", start=0, end=0, by=5
    ),
    "api-week-is-day": _make_kind("granularity week gives one day of the system"),
    "api-no-meter": _make_kind("the system has no production meter"),
    "api-nested": _make_kind("intervals come as a list in a list"),
    "api-null-channel": _make_kind("null in a channel of the meter", channel=3),
    "api-plan-401": _make_kind("401: the plan does not have the endpoint", endpoint="rgm_stats"),
    "api-key-mismatch": _make_kind("401: API key and client belong to different applications"),
    "api-404": _make_kind("404: the system is not known"),
    "api-403": _make_kind("403: the system belongs to somebody else"),
}


class UnknownFaultError(ValueError):
    """A fault or a parameter that does not exist; the message lists those that do."""


class Faults:
    """The switches of one simulator, all off at first."""

    def __init__(self) -> None:
        self._active: dict[str, Parameters] = {}
        self._subscribers: list[Callable[[str], None]] = []

    def switch_on(self, name: str, **parameters: Any) -> None:
        """Switch a fault on, or change its parameters.

        Raises:
            UnknownFaultError: no such fault or parameter.
        """
        kind = KINDS.get(name)
        if kind is None:
            raise UnknownFaultError(f"no fault {name!r}; there are: {', '.join(sorted(KINDS))}")
        known = kind.defaults | _COMMON
        if unknown := parameters.keys() - known.keys():
            raise UnknownFaultError(
                f"fault {name!r} takes no {', '.join(sorted(unknown))}; it takes: {', '.join(sorted(known))}"
            )
        self._active[name] = known | parameters
        self._notify(name)

    def switch_off(self, name: str) -> None:
        """Switch a fault off; does nothing if it is off already."""
        if self._active.pop(name, None) is not None:
            self._notify(name)

    def clear(self) -> None:
        """Switch everything off."""
        for name in list(self._active):
            self.switch_off(name)

    @property
    def active(self) -> dict[str, Parameters]:
        """The faults that are on, with their parameters."""
        return {name: dict(parameters) for name, parameters in self._active.items()}

    def get(self, name: str, path: str = "") -> Parameters | None:
        """The parameters of a fault that is on for this path, else None. Counts nothing."""
        parameters = self._active.get(name)
        return parameters if parameters is not None and path.startswith(parameters["path"]) else None

    def take(self, name: str, path: str = "") -> Parameters | None:
        """As `get`, for one reply: a fault with `times` is off after its last one."""
        parameters = self.get(name, path)
        if parameters is None:
            return None
        taken = dict(parameters)
        if parameters["times"] == 1:
            self.switch_off(name)
        elif parameters["times"] > 1:
            parameters["times"] -= 1
        return taken

    def subscribe(self, changed: Callable[[str], None]) -> None:
        """Have `changed` called with the name of every fault that is switched."""
        self._subscribers.append(changed)

    def _notify(self, name: str) -> None:
        for changed in self._subscribers:
            changed(name)
