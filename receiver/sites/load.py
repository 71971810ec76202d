"""Bytes of the sites file to `Sites`, or sentences that name the gateway, the key and the remedy. Pure."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from receiver.sites import plain_yaml
from receiver.sites.model import (
    Location,
    MeterCorrection,
    Serial,
    Site,
    SiteOutputs,
    SitePanel,
    Sites,
    Tariff,
    list_time_zones,
)

MAX_BYTES = 512 * 1024
"""A larger file is refused: thousands of panels fit, and reading it again must not hold up what is being received."""

_MUST: Mapping[str, str] = MappingProxyType({
    "name": "must be a text of 1 to 100 characters on one line",
    "array": "must be a text of 1 to 100 characters on one line",
    "time_zone": "must be an IANA name such as Europe/Berlin",
    "location": "must have latitude and longitude, e.g. {latitude: 52.52, longitude: 13.40}",
    "latitude": "must be degrees from -90 to 90, north positive, with a decimal point",
    "longitude": "must be degrees from -180 to 180, east positive, with a decimal point",
    "netting": "must be sum (netted over the phases) or phases (each phase billed)",
    "meters": "must be meter names with their corrections, e.g. net-consumption: {reversed: [a]}",
    "role": "must be production, pv3p, net-consumption, total-consumption, storage or ignore",
    "reversed": "must be a list of phases, e.g. [a, c]",
    "panels": 'must be serial numbers of inverters with what is known of each, e.g. "482300001111": {name: East 1}',
    "row": "must be a whole number from 1",
    "column": "must be a whole number from 1",
    "azimuth": "must be degrees from 0 to 360, clockwise from north (180 is south)",
    "tilt": "must be degrees from 0 (flat) to 90 (upright)",
    "rated_watts": "must be watts above 0, at most 10000",
    "tariffs": "must be a list, each with '- valid_from:' and 'rates:'",
    "valid_from": "must be a date such as 2026-01-31",
    "rates": "must be a price, or a price for every hour of the day once, e.g. {6-22: 0.34, 22-6: 0.21}",
    "feed_in": "must be a price per kWh, with a decimal point",
    "outputs": "must be what goes where, e.g. {lines: false}",
    "lines": "must be true or false",
