"""Facts to conditions. Pure. What cannot be judged is unknown: neither an alarm nor its end."""

from collections.abc import Iterator, Mapping, Sequence

from receiver.alarms import limits
from receiver.alarms.definitions import (
    BACKLOG_GROWING,
    CERTIFICATE_CHANGED,
    DISK_FULL,
    GATEWAY_SILENT,
    LOSSES,
    OUTPUT_BEHIND,
    SCRAPER_SILENT,
    TOKEN_EXPIRING,
    Definition,
)
from receiver.alarms.facts import NO_VALUES, Condition, DiskFacts, GatewayFacts, ReasonValue
from receiver.alarms.house_judgement import judge_house
from receiver.outputs.base import OutputState
from shared.cloud_identity import is_cloud_system
from shared.durations import describe_duration

_RECEIVER = ""
_OUTBOX = "outbox"
_GIB = 1024**3


def judge_gateway(facts: GatewayFacts) -> list[Condition]:
    """Every condition of one gateway."""
    return [
        _judge_gateway_silence(facts),
        _judge_scraper_silence(facts),
        _judge_backlog(facts),
        _judge_token(facts),
        _judge_certificate(facts),
        _judge_losses(facts),
        _judge_scraper_disk(facts),
        *judge_house(facts),
    ]


def judge_disks(disks: list[DiskFacts]) -> Iterator[Condition]:
    """One condition for each disk of the receiver."""
    for disk in disks:
        reason = f"{_describe_free(disk)} are free on the disk of the receiver's {disk.purpose}."
        yield Condition(DISK_FULL.id, _RECEIVER, disk.purpose, _is_nearly_full(disk), reason, values=_list_free(disk))


def _is_nearly_full(disk: DiskFacts) -> bool | None:
    """Unknown a little above the limit, so that an alarm does not come and go."""
    limit = min(limits.DISK_FREE_SHARE * disk.total, limits.DISK_FREE_BYTES)
    return True if disk.free < limit else False if disk.free >= limit * limits.DISK_CALM else None


def _describe_free(disk: DiskFacts) -> str:
    share = disk.free / disk.total if disk.total else 0.0
    return f"{disk.free / _GIB:.1f} GiB ({share:.1%})"


def _list_free(disk: DiskFacts) -> dict[str, ReasonValue]:
    return {"free_gib": disk.free / _GIB, "free_share": disk.free / disk.total if disk.total else 0.0}


def judge_outputs(states: Sequence[OutputState]) -> Iterator[Condition]:
    """One condition for each output and gateway."""
    for state in states:
        behind = describe_duration(state.behind_ms / 1000)
        why = f": {state.problem}" if state.problem else ""
        holds = state.behind_ms / 1000 > limits.OUTPUT_BEHIND_S
        yield Condition(
            OUTPUT_BEHIND.id,
            state.gateway,
            state.output,
            holds,
            f"{state.output} is {behind} behind{why}.",
            values={"behind_s": state.behind_ms / 1000, "problem": state.problem or ""},
        )


def _judge_gateway_silence(facts: GatewayFacts) -> Condition:
    """The scraper records the silence itself. While the scraper is silent, too, nobody knows whether it goes on."""
    since = facts.open_gap_since
    if since is None and _find_status_age_s(facts) > limits.REPORT_LATE_S:
        return _make(GATEWAY_SILENT, facts, None)
    if since is not None and facts.now_ms / 1000 - since / 1000 > limits.FORGOTTEN_S:
        return _make(GATEWAY_SILENT, facts, None)
    return _make(
        GATEWAY_SILENT,
        facts,
        since is not None,
        f"There have been no readings of gateway {facts.gateway} for {_say_since(facts, since)}.",
        since,
    )


def _judge_scraper_silence(facts: GatewayFacts) -> Condition:
    age_s = _find_status_age_s(facts)
    if facts.status is None or age_s > limits.FORGOTTEN_S:
        return _make(SCRAPER_SILENT, facts, None)
    since = facts.status.timestamp
    reason = f"Nothing has arrived from the scraper of gateway {facts.gateway} for {_say_since(facts, since)}."
    return _make(SCRAPER_SILENT, facts, age_s > limits.REPORT_LATE_S, reason, since)


def _judge_backlog(facts: GatewayFacts) -> Condition:
    if facts.backlog is None:
        return _make(BACKLOG_GROWING, facts, None)
    now, before = facts.backlog
    reason = f"{now:.0f} readings wait at the scraper of gateway {facts.gateway}, more than an hour ago."
    holds = now > limits.BACKLOG_ROWS and now > before
    return _make(BACKLOG_GROWING, facts, holds, reason, values={"readings": now})


def _judge_token(facts: GatewayFacts) -> Condition:
    left_s = _find_status_number(facts, "token_expires_in", limits.TOKEN_SPEAKS_S)
    if left_s is None or facts.status is None:
        return _make(TOKEN_EXPIRING, facts, None)
    is_short_lived = facts.status.fields.get("role") == limits.SHORT_LIVED_ROLE
    holds = left_s < limits.TOKEN_LEFT_S and not is_short_lived
    good = f"is good for {describe_duration(left_s)} more" if left_s > 0 else "is not good any more"
    whose = "approval of" if is_cloud_system(facts.gateway) else "token of gateway"
    reason = f"The {whose} {facts.gateway} {good}."
    return _make(TOKEN_EXPIRING, facts, holds, reason, values={"left_s": max(left_s, 0.0)})


def _judge_certificate(facts: GatewayFacts) -> Condition:
    changed = _find_status_number(facts, "certificate_changed", limits.CERTIFICATE_SPEAKS_S)
    reason = f"Gateway {facts.gateway} shows a certificate that is not the pinned one: no login is sent."
    return _make(CERTIFICATE_CHANGED, facts, None if changed is None else changed > 0, reason)


def _judge_losses(facts: GatewayFacts) -> Condition:
    reason = f"{facts.lost or 0:.0f} readings of gateway {facts.gateway} were lost for good in the last 24 hours."
    values = {"readings": facts.lost or 0.0}
    return _make(LOSSES, facts, None if facts.lost is None else facts.lost > 0, reason, values=values)


def _judge_scraper_disk(facts: GatewayFacts) -> Condition:
    """The scraper says in its report how much is free where its outbox lies."""
    free, size = (_find_status_number(facts, name, limits.STATE_SPEAKS_S) for name in ("disk_free", "disk_size"))
    if free is None or size is None:
        return Condition(DISK_FULL.id, facts.gateway, _OUTBOX, None)
    disk = DiskFacts(_OUTBOX, round(free), round(size))
    reason = f"{_describe_free(disk)} are free on the disk of the scraper's {_OUTBOX} of gateway {facts.gateway}."
    return Condition(DISK_FULL.id, facts.gateway, _OUTBOX, _is_nearly_full(disk), reason, values=_list_free(disk))


def _find_status_number(facts: GatewayFacts, name: str, speaks_s: float) -> float | None:
    if facts.status is None or _find_status_age_s(facts) > speaks_s:
        return None
    value = facts.status.fields.get(name)
    return value if isinstance(value, float) else None


def _find_status_age_s(facts: GatewayFacts) -> float:
    return float("inf") if facts.status is None else (facts.now_ms - facts.status.timestamp) / 1000


def _say_since(facts: GatewayFacts, since_ms: int | None) -> str:
    return describe_duration((facts.now_ms - (since_ms or facts.now_ms)) / 1000)


def _make(
    definition: Definition,
    facts: GatewayFacts,
    holds: bool | None,  # noqa: FBT001 (each caller computes it there)
    reason: str = "",
    since_ms: int | None = None,
    values: Mapping[str, ReasonValue] = NO_VALUES,
) -> Condition:
    return Condition(definition.id, facts.gateway, "", holds, reason, since_ms, values)
