"""The alert rules: what they ask, when they fire and what they say to people.

The receiver watches by itself, too (`receiver.alarms`); both share names, limits and pending times.

- No data at all is no alarm (a fresh system, a gateway without meters); a database that cannot be asked is one
  (`execErrState: Error` makes Grafana's own alert DatasourceError).
- Labels are the tags of GROUP BY, so every gateway, panel and phase has an alert of its own.
- Templates use `.Labels` and `.Values`, never `$labels`: provisioning takes `$` for an environment variable.
"""

from typing import Literal, TypedDict

from grafana.source.alert_rule import AlertRule
from grafana.source.expressions import ask_influxql, compare_with_limit, compute_formula, reduce
from receiver.alarms import definitions, limits
from shared.agreement import COMPARED_FROM_W
from shared.units import HOUR_S, MINUTE_S


class _Named(TypedDict):
    """What a rule has in common with the receiver's own alarm."""

    uid: str
    title: str
    severity: Literal["critical", "warning"]
    hold_for: str


def list_alerts() -> list[AlertRule]:
    """All rules, in the order in which Grafana shows them."""
    return [
        _watch_gateway_silence(),
        _watch_scraper_silence(),
        _watch_backlog(),
        _watch_token(),
        _watch_losses(),
        _watch_dead_panels(),
        _watch_phase_voltage(),
        _watch_certificate(),
        _watch_grid_loss(),
        _watch_silent_batteries(),
        _watch_meter_contradiction(),
    ]


def _name(alarm: definitions.Definition) -> _Named:
    """Name, severity and pending time: as the receiver's own alarm has them."""
    lasting = f"{alarm.pending_s // MINUTE_S}m" if alarm.pending_s else "0s"
    return {"uid": f"envoy-{alarm.id}", "title": alarm.title, "severity": alarm.severity.value, "hold_for": lasting}


def _watch_gateway_silence() -> AlertRule:
    """The scraper records the silence itself, as an event without an end: it knows nights, and gateways without meters.

    It also opens such an event when it is stopped. The rule counts that one too: the gateway may be away when the
    scraper starts again.
    """
    gaps = (
        'SELECT count("reason") - count("end") FROM "event" '
        'WHERE "type" = \'gap\' AND $timeFilter GROUP BY "gateway" fill(0)'
    )
    return AlertRule(
        **_name(definitions.GATEWAY_SILENT),
        summary="There have been no readings of gateway {{ .Labels.gateway }} for more than 10 minutes.",
        advice="If its scraper is silent too, look there first. Else: is the gateway powered and in the network, and "
        "does its login work (dashboard Pipeline)?",
        steps=[
            ask_influxql("A", gaps, since_s=limits.FORGOTTEN_S),
            reduce("B", "A", "last"),
            compare_with_limit("C", "B", "gt", 0),
        ],
    )


def _watch_scraper_silence() -> AlertRule:
    """A series that stops stays in the answer: windows without a report count 0 for a week."""
    reports = 'SELECT count("stream_connected") FROM "gateway" WHERE $timeFilter GROUP BY time(5m), "gateway" fill(0)'
    return AlertRule(
        **_name(definitions.SCRAPER_SILENT),
        summary="Nothing has arrived from the scraper of gateway {{ .Labels.gateway }} for more than 15 minutes.",
        advice="Is its machine on, and can it reach the receiver? Readings wait in its outbox meanwhile.",
        steps=[
            ask_influxql("A", reports, since_s=limits.FORGOTTEN_S),
            reduce("B", "A", "last"),
            compare_with_limit("C", "B", "lt", 1),
        ],
    )


def _watch_backlog() -> AlertRule:
    rows = 'SELECT min("outbox_rows") FROM "gateway" WHERE $timeFilter GROUP BY "gateway"'
    return AlertRule(
        **_name(definitions.BACKLOG_GROWING),
        summary='{{ printf "%.0f" .Values.C.Value }} readings wait at the scraper of gateway {{ .Labels.gateway }}, '
        "more than an hour ago.",
        advice="The newest readings arrive, older ones pile up: the line or the database is too slow.",
        steps=[
            ask_influxql("A", rows, since_s=limits.BACKLOG_NOW_S),
            ask_influxql("B", rows, since_s=limits.BACKLOG_BEFORE_S[0], until_s=limits.BACKLOG_BEFORE_S[1]),
            reduce("C", "A", "last"),
            reduce("D", "B", "last"),
            compute_formula("E", f"$C > {limits.BACKLOG_ROWS} && $C > $D"),
            compare_with_limit("F", "E", "gt", 0),
        ],
    )


def _watch_token() -> AlertRule:
    """The rule leaves out tokens of installers, which live for half a day."""
    left = (
        'SELECT last("token_expires_in") FROM "gateway" '
        'WHERE "role" <> \'installer\' AND $timeFilter GROUP BY "gateway"'
    )
    return AlertRule(
        **_name(definitions.TOKEN_EXPIRING),
        summary="The token of gateway {{ .Labels.gateway }} is good for {{ humanizeDuration .Values.B.Value }} more.",
        advice="Give the scraper a new token, or ENVOY_CLOUD_USERNAME and ENVOY_CLOUD_PASSWORD to fetch one by itself.",
        steps=[
            ask_influxql("A", left, since_s=limits.TOKEN_SPEAKS_S),
            reduce("B", "A", "last"),
            compare_with_limit("C", "B", "lt", limits.TOKEN_LEFT_S),
        ],
    )


def _watch_losses() -> AlertRule:
    """Only increases count: the counter starts at 0 again when the scraper's state is made again."""
    lost = (
        'SELECT sum("lost") FROM (SELECT non_negative_difference("lost_rows") AS "lost" FROM "gateway" '
        'WHERE $timeFilter GROUP BY "gateway") GROUP BY "gateway"'
    )
    return AlertRule(
        **_name(definitions.LOSSES),
        summary='{{ printf "%.0f" .Values.B.Value }} readings of gateway {{ .Labels.gateway }} were lost for good in '
        "the last 24 hours.",
        advice="The events on the dashboard Pipeline say when and why: outbox full, disk full or damaged.",
        steps=[
            ask_influxql("A", lost, since_s=limits.LOSSES_S),
            reduce("B", "A", "last"),
            compare_with_limit("C", "B", "gt", 0),
        ],
    )


def _watch_dead_panels() -> AlertRule:
    """The last four quarter hours of daylight count, also those of yesterday, so no alarm begins or ends at sunset."""
    by_day = f'"peers" >= {limits.PANEL_DAYLIGHT_W:g} AND $timeFilter'
    newest = f"ORDER BY time DESC LIMIT {limits.PANEL_DEAD_QUARTERS}"
    dead = (
        f'SELECT "dead" FROM "panel_15m" WHERE {by_day} '  # noqa: S608 (constants)
        f'GROUP BY "gateway", "array", "panel", "inverter" {newest}'
    )
    return AlertRule(
        **_name(definitions.PANEL_DEAD),
        summary="Panel {{ .Labels.panel }} (array {{ .Labels.array }}) of gateway {{ .Labels.gateway }} has given "
        "nothing for an hour of daylight in which its peers produced.",
        advice="Look at its last report on the dashboard Panels; snow and shade look the same as a defect.",
        steps=[
            ask_influxql("A", dead, since_s=limits.PANEL_LOOK_S),
            reduce("B", "A", "sum"),
            compare_with_limit("C", "B", "gt", limits.PANEL_DEAD_QUARTERS - 1),
        ],
    )


def _watch_meter_contradiction() -> AlertRule:
    """What the site is said to make, against its inverters. Without a meter it is what the inverters make.

    Where others' inverters are part of it (pv3p) it is more, and rightly so: only less is a contradiction here.
    """
    made = 'SELECT mean("production") FROM "site_1m" WHERE $timeFilter GROUP BY "gateway"'
    reported = (
        'SELECT sum("power") FROM (SELECT mean("power") AS "power" FROM "panel_15m" '
        'WHERE $timeFilter GROUP BY "gateway", "inverter") GROUP BY "gateway"'
    )
    return AlertRule(
        **_name(definitions.METER_CONTRADICTS),
        summary="For an hour the production of gateway {{ .Labels.gateway }} has been "
        '{{ printf "%.0f" .Values.C.Value }} W by its meter, and {{ printf "%.0f" .Values.D.Value }} W by its panels.',
        advice="If no transformer is fitted there, give the meter production the role ignore in the sites file. Else "
        "look at its wiring.",
        steps=[
            ask_influxql("A", made, since_s=HOUR_S),
            ask_influxql("B", reported, since_s=HOUR_S),
            reduce("C", "A", "last"),
            reduce("D", "B", "last"),
            compute_formula("E", f"$D >= {COMPARED_FROM_W:g} && $C < $D / 2"),
            compare_with_limit("F", "E", "gt", 0),
        ],
    )


def _watch_phase_voltage() -> AlertRule:
    """The week's highest hour shows which grid it is, and whether the phase is connected at all."""
    now = 'SELECT mean("voltage") FROM "meter_1m" WHERE $timeFilter GROUP BY "gateway", "phase"'
    highest = 'SELECT max("voltage") FROM "meter_1h" WHERE $timeFilter GROUP BY "gateway", "phase"'
    high, low = limits.NOMINAL_V
    nominal = f"({high} * ($D >= {limits.HALFWAY_V}) + {low} * ($D < {limits.HALFWAY_V}))"
    return AlertRule(
        **_name(definitions.PHASE_VOLTAGE),
        summary="The voltage of phase {{ .Labels.phase }} at gateway {{ .Labels.gateway }} is "
        '{{ printf "%.0f" .Values.C.Value }} V, more than 10 % from nominal.',
        advice="Inverters switch off at such voltages. If it lasts (dashboard Phases), tell the grid operator.",
        steps=[
            ask_influxql("A", now, since_s=limits.VOLTAGE_NOW_S),
            ask_influxql("B", highest, since_s=limits.VOLTAGE_LOOK_S),
            reduce("C", "A", "last"),
            reduce("D", "B", "last"),
            compute_formula("E", f"$D > {limits.UNWIRED_V} && abs($C / {nominal} - 1) > {limits.VOLTAGE_SHARE}"),
            compare_with_limit("F", "E", "gt", 0),
        ],
    )


def _watch_certificate() -> AlertRule:
    changed = 'SELECT last("certificate_changed") FROM "gateway" WHERE $timeFilter GROUP BY "gateway"'
    return AlertRule(
        **_name(definitions.CERTIFICATE_CHANGED),
        summary="Gateway {{ .Labels.gateway }} shows a certificate that is not the pinned one: no login is sent.",
        advice="If the gateway renewed it (once a year) or was replaced, accept it with `envoy-scraper trust`.",
        steps=[
            ask_influxql("A", changed, since_s=limits.CERTIFICATE_SPEAKS_S),
            reduce("B", "A", "last"),
            compare_with_limit("C", "B", "gt", 0),
        ],
    )


def _watch_grid_loss() -> AlertRule:
    connected = 'SELECT last("connected") FROM "grid" WHERE $timeFilter GROUP BY "gateway"'
    return AlertRule(
        **_name(definitions.GRID_LOST),
        summary="The house of gateway {{ .Labels.gateway }} is cut off from the grid.",
        advice="If nobody opened the main relay on purpose, the grid has failed: the battery feeds the house as long "
        "as it lasts (dashboard Battery).",
        steps=[
            ask_influxql("A", connected, since_s=limits.STATE_SPEAKS_S),
            reduce("B", "A", "last"),
            compare_with_limit("C", "B", "lt", 1),
        ],
    )


def _watch_silent_batteries() -> AlertRule:
    talks = 'SELECT last("communicating") FROM "battery" WHERE $timeFilter GROUP BY "gateway", "battery"'
    return AlertRule(
        **_name(definitions.BATTERY_SILENT),
        summary="Battery {{ .Labels.battery }} has not talked to gateway {{ .Labels.gateway }} for half an hour.",
        advice="Without a storage meter nobody knows what the house uses meanwhile. Look at its light and its switch.",
        steps=[
            ask_influxql("A", talks, since_s=limits.STATE_SPEAKS_S),
            reduce("B", "A", "last"),
            compare_with_limit("C", "B", "lt", 1),
        ],
    )
