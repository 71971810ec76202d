"""The limits of the alarms, each in one place: the receiver's own alarms and Grafana's rules share them."""

from receiver.rollups.panels import PEERS_IN_DAYLIGHT_W
from shared.units import DAY_S, HOUR_S, MINUTE_S

REPORT_LATE_S = 5 * MINUTE_S
"""A scraper that has not reported for this long is late: it reports every minute."""
FORGOTTEN_S = 7 * DAY_S
"""Of a scraper that has been silent for longer nothing is judged any more: its gateway was given up."""

BACKLOG_ROWS = 1000
"""So many readings in an outbox are no backlog yet."""
BACKLOG_NOW_S = 15 * MINUTE_S
"""The fewest readings of this time (before now) are compared ..."""
BACKLOG_BEFORE_S = (75 * MINUTE_S, 45 * MINUTE_S)
"""... with the fewest of this time: a backlog that drains is none."""

TOKEN_LEFT_S = 14 * DAY_S
"""A token that ends sooner is to be renewed."""
TOKEN_SPEAKS_S = 2 * HOUR_S
"""For so long a report says how long the token is good."""
SHORT_LIVED_ROLE = "installer"
"""Tokens of this role live for half a day, and are left out."""

CERTIFICATE_SPEAKS_S = DAY_S
"""For so long a report says whether the certificate is the pinned one."""

LOSSES_S = DAY_S
"""Losses are told for this long."""

PANEL_DAYLIGHT_W = PEERS_IN_DAYLIGHT_W
"""Peers that give this much (median, W) have daylight."""
PANEL_DEAD_QUARTERS = 4
"""A panel that gave nothing in so many quarter hours of daylight is silent."""
PANEL_LOOK_S = 2 * DAY_S
"""So far back those quarter hours may lie: no alarm begins or ends at sunset."""
PANEL_WEAK_RATIO = 0.5
"""A panel that gave less than this share of its peers' energy all day is weak."""
PANEL_GONE_RATIO = 0.02
"""A panel that gave less than this share was silent that day, not weak."""
PANEL_WEAK_DAYS = 2
"""So many whole days in a row must be weak."""
PANEL_BRIGHT_WH = 400.0
"""A day on which the peers gave less than this (median, Wh) says nothing of a panel."""

NOMINAL_V = (230, 120)
"""Voltages of the two grids that Enphase serves, line to neutral."""
HALFWAY_V = 175
"""Phases that reached this are of the first grid."""
VOLTAGE_SHARE = 0.1
"""How far from nominal a voltage may be: EN 50160 allows 10 % for means of ten minutes."""
VOLTAGE_CALM_SHARE = 0.09
"""An alarm about a voltage ends when it is nearer to nominal than this, so that it does not come and go."""
UNWIRED_V = 60
"""A phase that stayed below for a week is not connected."""
VOLTAGE_NOW_S = 10 * MINUTE_S
"""The voltage of now is the mean of this time."""
VOLTAGE_LOOK_S = 7 * DAY_S
"""The highest hour of this time shows which grid a phase is of, and whether it is connected."""

STATE_SPEAKS_S = 15 * MINUTE_S
"""For so long a state of grid and batteries speaks of now."""

DISK_FREE_SHARE = 0.05
"""A disk with less than this share free is nearly full ..."""
DISK_FREE_BYTES = 5 * 1024**3
"""... if it also has less than this free: 5 % of a large disk are plenty."""
DISK_CALM = 1.2
"""The alarm ends when so many times the limit are free."""

OUTPUT_BEHIND_S = HOUR_S
"""A target that lacks older readings than this is behind."""
