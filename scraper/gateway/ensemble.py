"""Asking a gateway for batteries, main relay, generator, dry contacts and their settings.

What a gateway has is found out after each login and each outage. A gateway that has nothing of it is asked again after
1, 5 and 15 minutes, as it says so too while it starts, and then only after hours; one that refused something as every
refused path is asked, and one that has something, or had it, only for what belongs to it.
`/ivp/ensemble/status` is large and never asked.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from scraper.errors import BadReplyError, EndpointUnavailableError, GatewayError, GatewayUnreachableError
from scraper.gateway.endpoint_memory import AGAIN_S
from scraper.gateway.known_batteries import KnownBatteries
from scraper.gateway.login import JUDGE_PATH as INVERTERS
from scraper.gateway.parse.ac_batteries import parse_ac_batteries
from scraper.gateway.parse.ensemble import EnsembleReplies
from scraper.gateway.parse.ensemble_control import parse_ensemble_control
from scraper.gateway.parse.ensemble_inventory import MainRelay, parse_ensemble_inventory, read_main_relay
from scraper.gateway.parse.ensemble_power import BatteryPower, parse_ensemble_power
from scraper.gateway.parse.ensemble_relays import parse_dry_contacts
from scraper.gateway.parse.generator import parse_generator
from scraper.gateway.parse.grid_reading import parse_grid_voltages
from scraper.gateway.parse.home import count_batteries
from scraper.gateway.parse.storage_tariff import parse_storage_tariff
from scraper.gateway.parse.values import Notes
from scraper.gateway.queries import DEVICE_DATA, HOME
from shared.clock import Clock
from shared.units import HOUR_S

_T = TypeVar("_T")

INVENTORY = "/ivp/ensemble/inventory"
POWER = "/ivp/ensemble/power"
CONTROL = "/ivp/ensemble/secctrl"
GENERATOR = "/ivp/ensemble/generator"
RELAY = "/ivp/ensemble/relay"
CONTACTS = "/ivp/ensemble/dry_contacts"
TARIFF = "/admin/lib/tariff"
GRID_READING = "/ivp/meters/gridReading"

NOTHING_S = 4 * HOUR_S
"""A gateway without any of it is asked again after so long (seconds)."""
_REFUSED = frozenset({401, 403})
_MOST_FAILURES = 2
"""Failures one after the other after which the rest of a round is left out."""


class EnsembleReader:
    """Reads one gateway.

    Args:
        ask: Fetches one path as JSON; raises as `GatewaySession.get_json`.
        clock: Decides when a gateway without batteries is asked again.
        notes: Collects what was refused or new.

    Attributes:
        refused: Paths that this login may not read, to the status: a right is missing, or the gateway has just started.
        batteries: IQ Batteries that there are.
    """

    def __init__(self, ask: Callable[[str], Awaitable[object]], clock: Clock, notes: Notes | None = None) -> None:
        self._ask = ask
        self._clock = clock
        self._notes = notes or Notes()
        self._ask_again_at = 0.0
        self._rests = 0
        self._had_something = False
        self._has_ac_batteries = False
        self._look_for_ac_batteries_at = 0.0
        self._heard = 0
        self._look_for_heard_at = 0.0
        self._absences = 0
        self._failures = 0
        self._successes = 0
        self._first_failure: GatewayError | None = None
        self.refused: dict[str, int] = {}
        self.batteries = KnownBatteries()

    def forget(self) -> None:
        """Another login or firmware: find out again what there is."""
        self.note_outage()
        self._had_something = self._has_ac_batteries = False
        self._heard = 0
        self.refused = {}
        self.batteries.forget()

    def note_outage(self) -> None:
        """The gateway was away: it may have started without having said all, so look soon what there is."""
        self._rests, self._ask_again_at = 0, 0.0
        self._look_for_ac_batteries_at = self._look_for_heard_at = 0.0

    async def read(self) -> EnsembleReplies | None:
        """What there is now; None where there is nothing.

        Raises:
            GatewayError: Nothing could be read, or the login is gone; as `GatewaySession.get_json`.
        """
        if self._clock.monotonic() < self._ask_again_at:
            return None
        self._failures, self._successes, self._absences, self._first_failure = 0, 0, 0, None
        replies = EnsembleReplies(
            powers=await self._read(POWER, parse_ensemble_power),
            inventory=await self._read(INVENTORY, parse_ensemble_inventory),
            control=await self._read(CONTROL, parse_ensemble_control),
            generator=await self._read(GENERATOR, parse_generator),
            ac_batteries=await self._read_ac_batteries(),
        )
        if not self._successes and self._first_failure is not None:
            raise self._first_failure
        listed = [battery.serial for battery in replies.inventory.batteries] if replies.inventory else []
        self.batteries.note(listed, list(replies.powers or {}), self._clock.monotonic())
        has_controller = replies.inventory is not None and replies.inventory.has_controller
        has_batteries = bool(self.batteries.serials or replies.ac_batteries or replies.control)
        if INVENTORY in self.refused and (replies.powers or (not has_batteries and POWER in self.refused)):
            replies = replies._replace(heard=await self._count_heard())
            has_batteries = has_batteries or replies.heard > 0
            self.batteries.note_count(replies.heard - len(replies.ac_batteries or {}))
        if not (has_controller or has_batteries or replies.generator):
            self._rest_unless_failed()
            return None
        self._had_something = True
        return await self._read_rest(replies, has_controller=has_controller, has_batteries=has_batteries)

    async def read_power(self) -> dict[str, BatteryPower] | None:
        """What each battery gives or takes now; None where the gateway does not say. Raises as `read`."""
        self._failures, self._first_failure = 0, None
        powers = await self._read(POWER, parse_ensemble_power)
        if self._first_failure is not None:
            raise self._first_failure
        return powers

    def _rest_unless_failed(self) -> None:
        """Nothing was found: ask again soon at first, then much later. Raises the first failure, if there was one.

        Not where something was refused, as for minutes after a start: the memory of endpoints says when to ask that.
        Nor where something was there before: batteries do not go away, but replies are empty now and then.
        """
        if self._first_failure is not None:
            raise self._first_failure  # not known, rather than absent
        if not (self._absences or self._had_something):
            pauses = (*AGAIN_S[:-1], NOTHING_S)
            self._ask_again_at = self._clock.monotonic() + pauses[min(self._rests, len(pauses) - 1)]
            self._rests += 1

    async def _read_rest(
        self, replies: EnsembleReplies, *, has_controller: bool, has_batteries: bool
    ) -> EnsembleReplies:
        """What belongs to a controller or to batteries."""
        if has_controller:
            replies = replies._replace(
                contacts=await self._read(CONTACTS, parse_dry_contacts),
                voltages=await self._read(GRID_READING, parse_grid_voltages),
            )
        if replies.inventory is None:
            replies = replies._replace(relay=await self._read(RELAY, _parse_relay))
        if has_batteries:
            replies = replies._replace(tariff=await self._read(TARIFF, parse_storage_tariff))
        return replies

    async def _count_heard(self) -> int:
        """Batteries that this login may not ask, by the page that says how many devices are heard.

        The page takes seconds, so it is asked as seldom as a gateway without batteries.
        """
        if self._clock.monotonic() >= self._look_for_heard_at:
            self._look_for_heard_at = self._clock.monotonic() + NOTHING_S
            found = await self._read(HOME, _count_batteries)
            self._heard = self._heard if found is None else found
        return self._heard

    async def _read_ac_batteries(self) -> dict[str, dict[str, float | str]] | None:
        """AC Batteries stand in the list of inverters: looked for now and then, asked for where there are some."""
        is_due = self._clock.monotonic() >= self._look_for_ac_batteries_at
        if not (is_due or self._has_ac_batteries):
            return None
        listed = await self._read(INVERTERS, _keep)
        if not listed:  # an empty list is no data: the gateway has just started
            return None
        self._look_for_ac_batteries_at = self._clock.monotonic() + NOTHING_S
        found = parse_ac_batteries(listed, None, self._notes)
        if found:
            found = parse_ac_batteries(listed, await self._read(DEVICE_DATA, _keep), self._notes)
        self._has_ac_batteries = self._has_ac_batteries or bool(found)
        return found

    async def _read(self, path: str, parse: Callable[[object, Notes], _T]) -> _T | None:
        """One path; None if it is absent, refused or out of order. One that fails must not cost the others."""
        if self._failures >= _MOST_FAILURES:
            return None
        try:
            found = parse(await self._ask(path), self._notes)
        except EndpointUnavailableError as error:
            self._absences += 1
            if error.status in _REFUSED:
                self.refused[path] = error.status
            return None
        except (BadReplyError, GatewayUnreachableError) as error:
            self._failures += 1
            self._first_failure = self._first_failure or error
            return None
        self._failures = 0
        self._successes += 1
        self.refused.pop(path, None)
        return found


def _keep(data: object, _: Notes) -> object:
    return data


def _count_batteries(data: object, _: Notes) -> int:
    return count_batteries(data)


def _parse_relay(data: object, _: Notes) -> MainRelay | None:
    return read_main_relay(data) if isinstance(data, dict) else None
