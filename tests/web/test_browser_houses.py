"""A site of two gateways on the page: one entry of the list, its sums, and who is silent."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from shared.readings import Reading
from tests.receiver.service import GATEWAY, OTHER
from tests.web.page_server import NAME, PageServer, make_status
from tests.web.sources import WEB
from tests.web.test_browser import list_findings

