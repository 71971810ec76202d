"""Questions to Enphase's API v4: each counted, each with a token that should work, each answered or a typed error.

Nothing is tried again by itself but one thing: a request that was refused with 401 is asked once more with a new token.
A 401 that persists is about the endpoint: it is remembered as not in the plan, so that tokens are not renewed again
and again for it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import structlog

from scraper.cloud.budget import Budget
from scraper.cloud.counting import QuotaRefusal
from scraper.cloud.errors import CloudError, CloudLaterError, CloudPlanError, CloudRefusedError, GrantNeededError
from scraper.cloud.oauth import GrantKeeper
from scraper.cloud.parse.documents import load_document, load_object, quote_words, read_whole
from scraper.cloud.token_endpoint import Application
from scraper.cloud.transport import ApiReply, ApiTransport
from shared.clock import Clock
from shared.units import DAY_S

log = structlog.get_logger()

_UNAUTHORISED = 401
_QUOTA = (409, 429)
_OK = 200
_MISMATCH = re.compile(r"key\s*-?\s*client mismatch", re.IGNORECASE)
_NUMBER = re.compile(r"(?<=/)[0-9A-Za-z-]*\d[0-9A-Za-z-]*(?=/|$)")
_FRESH_S = 600
"""A token that was renewed less than this ago is not renewed again for a 401."""
_REMEMBER_S = DAY_S


class CloudApi:
    """The API as one system's reader sees it.

    Args:
        transport: The host.
        keeper: Gives tokens.
        budget: Counts calls.
        read_application: Gives the application's keys as they are now.
        clock: Time.

    Attributes:
        clock_offset_s: How far the API's clock is ahead of this host's, by its last reply; None before.
    """

    def __init__(
        self,
        transport: ApiTransport,
        keeper: GrantKeeper,
        budget: Budget,
        read_application: Callable[[], Application],
        clock: Clock,
    ) -> None:
        self._transport = transport
        self._keeper = keeper
        self._budget = budget
        self._read_application = read_application
        self._clock = clock
        self._not_in_plan: dict[str, int] = {}
        self._renewed_at_ms: int | None = None
        self.clock_offset_s: float | None = None

    async def fetch(
        self, path: str, parameters: Mapping[str, str | int] | None = None, *, from_reserve: bool = False
    ) -> object:
        """The parsed JSON of GET <base>/api/v4/<path>.

        Args:
            path: Such as `systems/4711023/rgm_stats`.
            parameters: Of the query.
            from_reserve: Whether the call may be one of the month's last tenth: repairs and `check` may.

        Raises:
            GrantNeededError: A person is needed; nothing more is asked.
            CloudQuotaError: No call is left in the minute or the month; the call was not made, or was refused.
            CloudPlanError: The plan does not have this endpoint.
            CloudRefusedError: The request is refused (403, 404, 405, 422).
            CloudLaterError: No answer now.
        """
        path = path.strip("/")
        endpoint = _NUMBER.sub("{id}", "/" + path).lstrip("/")
        self._refuse_remembered(endpoint)
        access = await self._keeper.get_access()
        reply = await self._ask(path, parameters or {}, access, from_reserve=from_reserve)
        if reply.status == _UNAUTHORISED:
            self._refuse_mismatch(reply)
            access, is_new = await self._replace_access(access)
            if is_new:
                reply = await self._ask(path, parameters or {}, access, from_reserve=from_reserve)
            if reply.status == _UNAUTHORISED:
                self._not_in_plan[endpoint] = self._clock.now_ms()
                raise _make_plan_error(endpoint)
        return self._understand(reply, endpoint, access)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._transport.aclose()

    def _refuse_remembered(self, endpoint: str) -> None:
        since_ms = self._not_in_plan.get(endpoint)
        if since_ms is not None and 0 <= self._clock.now_ms() - since_ms < _REMEMBER_S * 1000:
            raise _make_plan_error(endpoint)

    async def _ask(
        self, path: str, parameters: Mapping[str, str | int], access: str, *, from_reserve: bool
    ) -> ApiReply:
        self._budget.take(from_reserve=from_reserve)
        headers = {"Authorization": f"Bearer {access}", "key": self._read_application().api_key}
        query = {name: str(value) for name, value in parameters.items()}
        reply = await self._transport.get(f"/api/v4/{path}", query, headers)
        self._note_clock(reply)
        return reply

    async def _replace_access(self, access: str) -> tuple[str, bool]:
        """A token in the place of one that was refused, and whether it is another; a fresh one stays."""
        now_ms = self._clock.now_ms()
        if self._renewed_at_ms is not None and 0 <= now_ms - self._renewed_at_ms < _FRESH_S * 1000:
            return access, False
        renewed = await self._keeper.get_access(refused=access)
        self._renewed_at_ms = now_ms
        return renewed, renewed != access

    def _refuse_mismatch(self, reply: ApiReply) -> None:
        if _MISMATCH.search(quote_words(load_object(reply.body), ())):
            raise GrantNeededError(
                "Enphase says that API key and client belong to different applications: copy ENVOY_CLOUD_API_KEY, "
                "ENVOY_CLOUD_CLIENT_ID and ENVOY_CLOUD_CLIENT_SECRET from one application at developer-v4.enphase.com"
            )

    def _understand(self, reply: ApiReply, endpoint: str, access: str) -> object:
        if reply.status == _OK:
            document = load_document(reply.body)
            self._budget.note_answer()
            return document
        said = load_object(reply.body)
        if reply.status in _QUOTA and not reply.is_page:
            raise self._budget.note_refusal(_read_refusal(said))
        if 400 <= reply.status < 500 and reply.status != 408 and not reply.is_page:
            self._budget.note_answer()
            details = quote_words(said, [access, *self._read_application()])
            raise _make_refusal(reply.status, endpoint, read_whole(said, "code"), details)
        raise CloudLaterError(f"the Enphase API cannot answer {endpoint} now (status {reply.status})")

    def _note_clock(self, reply: ApiReply) -> None:
        try:
            theirs = parsedate_to_datetime(reply.headers.get("date", ""))
        except (ValueError, TypeError, OverflowError):
            return
        ours = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        self.clock_offset_s = (theirs.replace(tzinfo=theirs.tzinfo or UTC) - ours).total_seconds()


def _read_refusal(said: Mapping[str, object]) -> QuotaRefusal:
    period, ends_s = said.get("period"), read_whole(said, "period_end")
    return QuotaRefusal(
        period if period in ("minute", "month") else None,
        None if ends_s is None else ends_s * 1000,
        read_whole(said, "limit"),
    )


def _make_plan_error(endpoint: str) -> CloudError:
    return CloudPlanError(
        f"Enphase does not give {endpoint} to this application (status 401 with a fresh token): the plan or the access "
        "controls that were picked for the application do not have it. Adding one needs a new approval "
        "(`envoy-scraper cloud authorise`). It is asked again after 24 hours",
        endpoint,
    )


def _make_refusal(status: int, endpoint: str, code: int | None, details: str) -> CloudRefusedError:
    remedy = {
        403: "the system does not belong to the owner who approved, or the approval was withdrawn; "
        "check ENVOY_CLOUD_SYSTEM and run `envoy-scraper cloud authorise`",
        404: "there is no such system for this owner; `envoy-scraper cloud systems` lists those that are there",
    }.get(status, "the request does not suit it")
    said = f". It says: {details}" if details else ""
    return CloudRefusedError(
        f"the Enphase API refuses {endpoint} (status {status}): {remedy}{said}", status, code, details
    )
