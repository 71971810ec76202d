"""The durable queue of the scraper; the only SQL in the scraper."""

from scraper.outbox.dead_letters import DeadLetter
from scraper.outbox.filesystem import find_network_filesystem
from scraper.outbox.rows import OutboxRow
from scraper.outbox.store import Outbox, OutboxStats

__all__ = ["DeadLetter", "Outbox", "OutboxRow", "OutboxStats", "find_network_filesystem"]
