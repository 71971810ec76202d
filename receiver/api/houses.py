"""Sites of several gateways: the list, the power of now and energy over time, summed from what is stored of each."""

from collections.abc import Iterable, Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from receiver.alarms.limits import REPORT_LATE_S
from receiver.api import answers
from receiver.api.downloads import choose_download, list_pieces, make_download
from receiver.api.energy import EnergyParameters
from receiver.api.house_answers import HouseEnergyTable, HouseEntry, HouseGatewayEntry, HousePower, SilentGateway
from receiver.api.latest import LatestValues, compute_age_seconds
from receiver.api.meters import describe_power
from receiver.api.parameters import DEFAULT_START, NOT_MODIFIED, WithoutParameters, read_parameters
from receiver.api.questions import AskedByReader, AskedOfHouse, Entrance, HouseQuestion
from receiver.api.tables import TableForm
from receiver.calendar.local import to_local
from receiver.energy.house import sum_powers
from receiver.queries import times
from receiver.queries.coverage import explain_total
from receiver.queries.energy import sum_energy_windows
from receiver.queries.energy_window import COLUMNS
from receiver.queries.house_quarters import HouseQuarters
from receiver.queries.house_windows import HouseWindows
from receiver.queries.open_gap import find_open_gap
from receiver.queries.refusals import make_refusal
from receiver.queries.slices import run_slice
from receiver.sites import LocatedSites, Site
from receiver.sites.house_now import KINDS_OF_MEMBER, MemberNow, describe_member, explain_house_load
from receiver.sites.household import HouseholdNow
from receiver.sites.houses import choose_billing_day
from receiver.sites.storage import NO_STORAGE
from receiver.stores.base import Store


class HouseRoutes:
    """The routes below `/api/v1/sites`.

    Args:
        store: Where roll-ups and summaries are.
        latest: Where the latest values of one gateway come from.
        sites: Which gateways form a site.
        entrance: Knows which sites a reader may see.
    """

    def __init__(self, *, store: Store, latest: LatestValues, sites: LocatedSites, entrance: Entrance) -> None:
        self._store = store
        self._latest = latest
        self._sites = sites
        self._entrance = entrance

    def make_router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1/sites", tags=["sites"], redirect_slashes=False)
        router.add_api_route(
            "",
            self.list_sites,
            summary="The sites of several gateways",
            response_model=list[HouseEntry],
            responses={304: NOT_MODIFIED},
        )
        router.add_api_route(
            "/{site}/power",
            self.show_power,
            summary="The whole site now",
            response_model=HousePower,
            responses={304: NOT_MODIFIED},
        )
        router.add_api_route(
            "/{site}/energy",
            self.list_energies,
            summary="Energy of the whole site over time",
            response_model=HouseEnergyTable,
            responses={200: {"content": answers.FILE_CONTENT}},
        )
        return router

    async def list_sites(self, question: AskedByReader, _: WithoutParameters, request: Request) -> Response:
        """The sites that the sites file names and all of whose gateways the token covers, by name."""
        rows: list[HouseEntry] = []
        for name, serials in self._entrance.list_houses(question.caller).items():
            gateways = {serial: self._sites.get_site(serial) for serial in serials}
            zone = self._sites.find_house_zone(serials)
            rows.append({
                "site": name,
                "time_zone": zone,
                "currency": _find_currency(gateways.values()),
                "gateways": [await self._describe_gateway(*each, question.now_ms) for each in gateways.items()],
                "silent": await self._list_silent(gateways, zone, question.now_ms),
            })  # fmt: skip
        return answers.make_latest_table(request, rows, as_csv=False)

    async def show_power(self, question: AskedOfHouse, _: WithoutParameters, request: Request) -> Response:
        """What the whole site makes, uses, buys and sells now; null while a gateway that has a part in it is silent."""
        silent = await self._list_silent(question.gateways, question.time_zone, question.now_ms)
        read = (await self._read_members(question, {each["gateway"]: each["since"] for each in silent})).values()
        members = [member.household for member in read]
        charged = [household.storage.state_of_charge for household in members if household.storage.has_battery]
        modes = {household.storage.grid_mode for household in members} - {None}
        power = sum_powers([member.part for member in read])
        house = HouseholdNow(
            power,
            {},
            None,
            max((each.timestamp for each in members if each.timestamp is not None), default=None),
            NO_STORAGE._replace(
                state_of_charge=charged[0] if len(charged) == 1 else None,
                grid_mode=modes.pop() if len(modes) == 1 else None,
            ),
            explain_house_load(power, list(read)),
        )
        answer: HousePower = {
            **describe_power(house, question.now_ms),
            "silent": silent,
        }
        return answers.make_latest_document(request, answer)

    async def list_energies(
        self,
        question: AskedOfHouse,
        asked: Annotated[EnergyParameters, read_parameters(EnergyParameters)],
        request: Request,
    ) -> Response:
        """As `/energy` of a gateway, summed over the gateways of the site for the time in which all of them are known.

        While a gateway is silent nothing is summed: the coverage says so. What its counters tell later of that time
        counts in windows that hold all of it. CSV has the windows alone.
        """
        if asked.compare is not None:
            raise make_refusal("compare", "is for one gateway: ask for each time of the site by itself")
        if asked.time_zone is None and question.time_zone is None:
            raise make_refusal(
                "time_zone",
                "must be given here, for the gateways of this site say different ones: give them one in the sites file",
            )
        members = await self._read_members(question, {})
        tariffs = {each.tariffs for serial, each in question.gateways.items() if members[serial].part.member.grid}
        house = Site(
            time_zone=question.time_zone,
            billing_day=choose_billing_day(list(question.gateways.values())),
            tariffs=tariffs.pop() if len(tariffs) == 1 else (),
        )
        zone = times.parse_zone(asked.time_zone, house)
        here, kind = house.model_copy(update={"time_zone": zone.key}), choose_download(request, asked.format)
        measured = {serial: member.part.member for serial, member in members.items()}
        has_days = asked.every not in ("15m", "1h") and all(
            site.zone.key == zone.key for site in question.gateways.values()
        )
        reader = HouseWindows if has_days else HouseQuarters
        found = await sum_energy_windows(
            reader(self._store, measured, house).read,
            here,
            every=asked.every,
            asked=times.parse_range(asked.start, asked.stop, zone, question.now_ms, default=DEFAULT_START),
            now_ms=question.now_ms,
            rows=question.rows,
            gateways=len(members),
        )
        if kind is not None:
            coverage = explain_total(found.total, here, question.now_ms)
            pieces = list_pieces(found.windows)
            return await make_download(request, TableForm(COLUMNS, zone), pieces, kind=kind, coverage=coverage)
        table: HouseEnergyTable = {
            "site": question.name,
            "every": asked.every,
            "time_zone": zone.key,
            "total": found.total,
            "silent": await self._list_silent(question.gateways, zone.key, question.now_ms),
            "windows": found.windows,
        }
        return await run_slice(answers.make_document, request, table)

    async def _read_members(self, question: HouseQuestion, silent: Mapping[str, int | None]) -> dict[str, MemberNow]:
        found = {}
        for serial, site in question.gateways.items():
            latest = await self._latest.read(serial, *KINDS_OF_MEMBER)
            found[serial] = describe_member(latest, site, question.now_ms, silent_since=silent.get(serial))
        return found

    async def _describe_gateway(self, serial: str, site: Site, now_ms: int) -> HouseGatewayEntry:
        summary = await self._store.read_summary(serial)
        last = None if summary is None else summary.last_timestamp
        age = None if last is None else compute_age_seconds(last, now_ms)
        return {"gateway": serial, "name": site.name, "last_timestamp": last, "age_seconds": age}

    async def _list_silent(self, gateways: Mapping[str, Site], zone: str | None, now_ms: int) -> list[SilentGateway]:
        """The gateways of which nothing is heard: as their scrapers say, or because those say nothing."""
        silent: list[SilentGateway] = []
        for serial, site in gateways.items():
            (events,) = await self._latest.read(serial, "event")
            known = await self._describe_gateway(serial, site, now_ms)
            since = find_open_gap(events)
            if since is None and known["age_seconds"] is not None:
                if known["age_seconds"] <= REPORT_LATE_S:
                    continue
                since = known["last_timestamp"]
            label = serial if site.name is None else f"{site.name} ({serial})"
            silent.append({
                "gateway": serial,
                "name": site.name,
                "since": since,
                "sentence": _describe_silence(label, since, ZoneInfo(zone or "UTC")),
            })  # fmt: skip
        return silent


def _find_currency(entries: Iterable[Site]) -> str | None:
    """What the money of all gateways is counted in; None where two differ."""
    found = {entry.currency for entry in entries if entry.currency is not None}
    return found.pop() if len(found) == 1 else None


def _describe_silence(label: str, since: int | None, zone: ZoneInfo) -> str:
    ending = "the sums of the site are unknown from then on"
    if since is None:
        return f"Gateway {label} was never heard of: the sums of the site are unknown."
    return f"Gateway {label} is silent since {to_local(since, zone):%Y-%m-%d %H:%M} ({zone.key}): {ending}."
