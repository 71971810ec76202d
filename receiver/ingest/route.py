"""The way in: `POST /api/v1/gateways/{serial}/batches`.

The order of things is the security of it: the token, the right to write for this serial and the rate come before the
first byte of the body; the reply comes after the rows are durable.
"""

import structlog
from starlette.requests import Request
from starlette.responses import Response

from receiver.auth.gate import TokenGate, authorise_write
from receiver.http.line_limit import LineLimit
from receiver.http.problems import to_refusal
from receiver.http.query_names import refuse_other_names
from receiver.http.rates import RateLimit
from receiver.ingest import body, validate
from receiver.ingest.arrivals import Arrivals
from receiver.ingest.density import DensityLimit
from receiver.ingest.group_commit import GroupCommit
from receiver.ingest.limits import PostLimit, SeriesLimit
from receiver.ingest.outboxes import Outboxes
from receiver.ingest.recall import DensityRecall
from receiver.ingest.validate import CheckedBatch
from receiver.live.watch import Watch
from receiver.metrics import Metrics
from receiver.stores.base import GatewayReading, Store
from shared import wire
from shared.clock import Clock
from shared.problems import Problem, Rejection

_log = structlog.get_logger()


class IngestRoute:
    """Takes batches.

    Args:
        gate: Who is sending.
        per_gateway: How often one gateway's scraper may post.
        series: How many series one gateway may have.
        posts: How many posts of one gateway may be under way.
        store: Its retention bounds the timestamps.
        commit: Makes rows durable.
        watch: Whether somebody looks at the gateway now.
        arrivals: Counts what came in.
        metrics: Counts.
        clock: Wall time for stamps, monotonic time for durations.
        body_seconds: How long a body may take to arrive.
    """

    def __init__(
        self,
        *,
        gate: TokenGate,
        per_gateway: RateLimit,
        series: SeriesLimit,
        posts: PostLimit,
        store: Store,
        commit: GroupCommit,
        watch: Watch,
        arrivals: Arrivals,
        metrics: Metrics,
        clock: Clock,
        body_seconds: float,
    ) -> None:
        self._gate = gate
        self._per_gateway = per_gateway
        self._series = series
        self.store = store
        self._commit = commit
        self._watch = watch
        self._arrivals = arrivals
        self._metrics = metrics
        self._clock = clock
        self._body_seconds = body_seconds
        self._posts = posts
        self._outboxes = Outboxes()
        self._density = DensityLimit()
        self._recall = DensityRecall(store, self._density)
        self._lines = LineLimit(clock)

    async def post_batch(self, request: Request) -> Response:
        """Answer one batch with its verdict. Raises what `receiver.http.problems` answers."""
        try:
            return await self._answer(request)
        except Exception as error:
            self._metrics.batches.labels(to_refusal(error).problem).inc()
            raise

    async def _answer(self, request: Request) -> Response:
        serial: str = request.path_params["serial"]
        caller = self._gate.authenticate(request.headers.getlist("authorization"))
        authorise_write(caller, serial)
        self._per_gateway.spend(serial)
        # Not 422, by which a scraper takes its rows for bad ones: a proxy may have added it, and they wait for that.
        refuse_other_names(request, (), Problem.NOT_FOUND)
        with self._posts.count_one(serial):
            data = await body.read(request, seconds=self._body_seconds)
            checked = validate.check(data, now_ms=self._clock.now_ms(), retention_ms=self.store.retention_ms)
            verdict = await self.take(serial, checked)
        return Response(wire.encode_verdict(verdict), media_type="application/json")

    async def take(self, serial: str, checked: CheckedBatch) -> wire.Verdict:
        """Bound and store a batch that was judged, of a sender who may write for the gateway, and count it.

        Raises:
            StoreUnavailableError: Nothing is acknowledged: send the same again.
            BusyError: The same.
        """
        await self._series.load(serial)
        await self._recall.load(serial, checked.series, checked.readings)
        self._apply_limits(serial, checked)
        refused = await self._store_rows(serial, checked)
        verdict = self._make_verdict(serial, checked, refused)
        self._count_batch(serial, checked, verdict)
        return verdict

    def _apply_limits(self, serial: str, checked: CheckedBatch) -> None:
        """Reject what is beyond the series and the density that one gateway may have."""
        beyond = self._series.find_refused(serial, checked.series)
        fates: dict[int, Rejection] = {}
        for index, (series, reading) in enumerate(zip(checked.series, checked.readings, strict=True)):
            if series in beyond:
                fates[index] = Rejection.QUOTA
            elif not self._density.take(serial, series, reading.timestamp):
                fates[index] = Rejection.TOO_DENSE
        if fates:
            checked.reject(fates)

    async def _store_rows(self, serial: str, checked: CheckedBatch) -> dict[int, Rejection]:
        if not checked.readings:
            return {}
        rows = [GatewayReading(serial, *row) for row in zip(checked.readings, checked.series, strict=True)]
        started = self._clock.monotonic()
        self._metrics.waiting.inc(len(rows))
        try:
            refused = await self._commit.write(rows)
        finally:
            self._metrics.waiting.dec(len(rows))
        self._metrics.commit_seconds.observe(self._clock.monotonic() - started)
        return refused

    def _make_verdict(self, serial: str, checked: CheckedBatch, refused: dict[int, Rejection]) -> wire.Verdict:
        rejected = checked.rejected + [wire.RejectedRow(checked.seqs[index], code) for index, code in refused.items()]
        return wire.Verdict(
            batch=checked.batch,
            accepted=len(checked.readings) - len(refused),
            rejected=sorted(rejected, key=lambda row: row.seq),
            ignored=sorted(checked.ignored)[: wire.MOST_IGNORED],
            watched=self._watch.is_watched(serial),
        )

    def _count_batch(self, serial: str, checked: CheckedBatch, verdict: wire.Verdict) -> None:
        now = self._clock.now_ms()
        metrics = self._metrics
        metrics.batches.labels("stored").inc()
        metrics.stored.inc(verdict.accepted)
        if not (checked.readings or verdict.rejected):
            return  # `envoy-scraper check` sends an empty batch under an outbox id of its own
        metrics.last_batch.labels(serial).set(now / 1000)
        self._arrivals.note(
            serial,
            received=now,
            newest=max((reading.timestamp for reading in checked.readings), default=None),
            readings=verdict.accepted,
            rejected=len(verdict.rejected),
        )
        for row in verdict.rejected:
            metrics.rejected.labels(row.code).inc()
        if verdict.ignored:
            metrics.ignored.inc()
        if not (verdict.rejected or verdict.ignored):
            _log.debug("batch stored", gateway=serial, accepted=verdict.accepted)
        elif (left_out := self._lines.take(serial)) is not None:
            codes = sorted({row.code for row in verdict.rejected})
            _log.warning(
                "batch stored in part",
                gateway=serial,
                accepted=verdict.accepted,
                rejected=len(verdict.rejected),
                codes=codes,
                ignored=verdict.ignored,
                ignored_fields=len(checked.ignored),
                left_out=left_out,
            )
        if checked.outbox and self._outboxes.note_batch(serial, checked.outbox):
            metrics.interleaving.labels(serial).inc()
            _log.warning("two scrapers send for one gateway: stop one of them", gateway=serial)
