"""What is watched: one definition each, with its name, when it fires and what to do.

A test compares docs/alarms.md with it.
"""

from enum import StrEnum
from typing import NamedTuple

from shared.cloud_identity import is_cloud_system
from shared.units import MINUTE_S


class Severity(StrEnum):
    """How much an alarm matters: a critical one is told in quiet hours, too."""

    CRITICAL = "critical"
    WARNING = "warning"


class AlarmText(NamedTuple):
    """What people read of an alarm beside its reason: its name, and what to do."""

    title: str
    advice: str


class Definition(NamedTuple):
    """One alarm.

    Attributes:
        id: Its name for programs; never changes.
        title: Its name for people.
        severity: How much it matters.
        pending_s: For how long (seconds) its condition must hold before it fires.
        meaning: When it fires, in words.
        advice: What to do.
        of_cloud: Title and advice instead, where it is about a system of the cloud; None: the same.
    """

    id: str
    title: str
    severity: Severity
    pending_s: int
    meaning: str
    advice: str
    of_cloud: AlarmText | None = None

    def choose_words(self, gateway: str) -> AlarmText:
        """The words for a gateway, or for a system of the cloud, which has an approval in the place of a token.

        Args:
            gateway: Serial; "" for the receiver itself.
        """
        if self.of_cloud is not None and is_cloud_system(gateway):
            return self.of_cloud
        return AlarmText(self.title, self.advice)


GATEWAY_SILENT = Definition(
    "gateway-silent",
    "Gateway silent",
    Severity.CRITICAL,
    10 * MINUTE_S,  # gateways pause for some minutes around 23:00
    "A gap in the readings has been open for 10 minutes.",
    "If its scraper is silent too, look there first. Else: is the gateway powered and in the network, and does its "
    "login work (`envoy-scraper check`)?",
)
SCRAPER_SILENT = Definition(
    "scraper-silent",
    "Scraper silent",
    Severity.CRITICAL,
    15 * MINUTE_S,
    "The scraper has been late with its report, which it makes every minute, for 15 minutes.",
    "Is its machine on, and can it reach the receiver? Readings wait in its outbox meanwhile.",
)
BACKLOG_GROWING = Definition(
    "backlog-growing",
    "Backlog growing",
    Severity.WARNING,
    15 * MINUTE_S,
    "More than 1000 readings wait at the scraper, more than an hour ago, for 15 minutes.",
    "The newest readings arrive, older ones pile up: the line or the database is too slow.",
)
TOKEN_EXPIRING = Definition(
    "token-expiring",
    "Token expiring",
    Severity.WARNING,
    10 * MINUTE_S,
    "The gateway's token, or the approval of a system of the cloud, ends within 14 days. Tokens of installers, which "
    "live for half a day, are left out.",
    "Give the scraper a new token, or ENVOY_CLOUD_USERNAME and ENVOY_CLOUD_PASSWORD to fetch one by itself.",
    AlarmText(
        "Approval expiring",
        "The scraper renews the approval by itself while it runs; its log says why it could not. The owner gives a new "
        "one with `envoy-scraper cloud authorise`.",
    ),
)
CERTIFICATE_CHANGED = Definition(
    "certificate-changed",
    "Certificate changed",
    Severity.CRITICAL,
    0,
    "The gateway shows a certificate that is not the pinned one. It fires at once.",
    "If the gateway renewed it (once a year) or was replaced, accept it with `envoy-scraper trust`.",
)
LOSSES = Definition(
    "losses",
    "Losses",
    Severity.WARNING,
    0,
    "Readings were lost for good in the last 24 hours. It fires at once.",
    "The events of kind `loss` say when and why: outbox full, disk full or damaged.",
)
PANEL_DEAD = Definition(
    "panel-dead",
    "Panel dead",
    Severity.WARNING,
    5 * MINUTE_S,
    "A panel gave nothing in the last four quarter hours of daylight, in which its peers produced.",
    "Look at its last report on the page; snow and shade look the same as a defect.",
)
PANEL_WEAK = Definition(
    "panel-weak",
    "Panel weak",
    Severity.WARNING,
    0,
    "A panel gave less than half of its peers' energy on each of the last two days.",
    "Look for shade, dirt and a loose connector. If it faces another way than its peers, give both an array in the "
    "sites file: panels are compared within their array.",
)
PHASE_VOLTAGE = Definition(
    "phase-voltage",
    "Phase voltage",
    Severity.WARNING,
    5 * MINUTE_S,
    "The mean voltage of ten minutes has been more than 10 % from nominal for 5 minutes.",
    "Inverters switch off at such voltages. If it lasts, tell the grid operator.",
)
METER_CONTRADICTS = Definition(
    "meter-contradicts",
    "Meter contradicts inverters",
    Severity.WARNING,
    15 * MINUTE_S,
    "For an hour of daylight the production meter and the inverters differed by more than half, and 15 minutes on.",
    "If no transformer is fitted there, give the meter production the role ignore in the sites file. Else look at its "
    "wiring.",
)
GRID_LOST = Definition(
    "grid-lost",
    "Grid lost",
    Severity.CRITICAL,
    1 * MINUTE_S,
    "The main relay has been open for a minute: the house is cut off from the grid.",
    "If nobody opened the main relay on purpose, the grid has failed: the battery feeds the house as long as it lasts.",
)
BATTERY_SILENT = Definition(
    "battery-not-reporting",
    "Battery not reporting",
    Severity.WARNING,
    30 * MINUTE_S,
    "A battery has not talked to the gateway for half an hour.",
    "Without a storage meter nobody knows what the house uses meanwhile. Look at its light and its switch.",
)
DISK_FULL = Definition(
    "disk-nearly-full",
    "Disk nearly full",
    Severity.CRITICAL,
    5 * MINUTE_S,
    "Less than 5 % and less than 5 GiB of a disk of the receiver or of a scraper have been free for 5 minutes.",
    "Make room, or on the receiver keep raw readings for a shorter time (RECEIVER_METER_DAYS). A full disk stops the "
    "receiver, and scrapers keep what they read; a scraper with a full disk loses it.",
)
OUTPUT_BEHIND = Definition(
    "output-behind",
    "Output behind",
    Severity.WARNING,
    5 * MINUTE_S,
    "A target of an output has lacked readings for more than an hour, and 5 minutes on.",
    "`envoy-receiver outputs` says why. Nothing is lost: what is missing there is sent when it takes it again.",
)

DEFINITIONS: dict[str, Definition] = {
    one.id: one
    for one in (
        GATEWAY_SILENT,
        SCRAPER_SILENT,
        BACKLOG_GROWING,
        TOKEN_EXPIRING,
        CERTIFICATE_CHANGED,
        LOSSES,
        PANEL_DEAD,
        PANEL_WEAK,
        PHASE_VOLTAGE,
        METER_CONTRADICTS,
        GRID_LOST,
        BATTERY_SILENT,
        DISK_FULL,
        OUTPUT_BEHIND,
    )
}
"""By id, in the order in which people see them."""
