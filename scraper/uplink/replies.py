"""What a reply of the receiver means for the rows that were posted. Pure.

Only two things count as ours: a well-formed verdict that names the batch, and a problem document with one of our
codes. Everything else, with any status (captive portal, proxy, firewall, wrong path), deletes nothing.
"""

import email.utils
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from shared import wire
from shared.problems import BISECT, CONTENT_TYPE, Problem
from shared.units import HOUR_S

PERSON_S = 300.0
"""A state that needs a person is retried this often (seconds)."""
RIGHTS_S = 10.0
"""How often a scraper without rights asks whether it has got them (seconds), with a batch that holds nothing."""


@dataclass(frozen=True)
class Judgement:
    """A verdict on exactly this batch."""

    verdict: wire.Verdict


@dataclass(frozen=True)
class Split:
    """The batch as a whole cannot be taken: post its halves; `code` is the fate of a row that is alone."""

    code: str


@dataclass(frozen=True)
class Renew:
    """The token was not accepted: mint a new one once, on the receiver's clock (epoch seconds) if it is known."""

    receiver_now_s: int | None


@dataclass(frozen=True)
class Wait:
    """Keep everything and come back.

    Attributes:
        reason: For people.
        after_s: Not sooner than this, where the reply said so.
        person: Whether somebody has to act before it can succeed.
        rights: Whether what is missing is the right to write, which a batch without rows shows.
    """

    reason: str
    after_s: float | None = None
    person: bool = False
    rights: bool = False


Meaning = Judgement | Split | Renew | Wait


class _ProblemDocument(msgspec.Struct):
    code: str
    type: str = ""


def understand(*, status: int, headers: Mapping[str, str], body: bytes, batch: str, seqs: Sequence[int]) -> Meaning:
    """The meaning of one reply to the batch `batch` with rows `seqs`; `headers` has lower-case names."""
    content_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if status == 200 and content_type == "application/json":
        verdict = _parse_verdict(body, batch, seqs)
        if verdict is not None:
            return Judgement(verdict)
    problem = _parse_problem(body) if content_type == CONTENT_TYPE else None
    if problem is None:
        return Wait(f"an answer (status {status}) that is not from an envoy-receiver", _read_retry_after(headers))
    return _understand_problem(problem, status, headers)


def _parse_verdict(body: bytes, batch: str, seqs: Sequence[int]) -> wire.Verdict | None:
    try:
        verdict = wire.decode_verdict(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    rejected = {row.seq for row in verdict.rejected}
    names_us = verdict.batch == batch and rejected <= set(seqs)
    return verdict if names_us and verdict.accepted + len(rejected) == len(seqs) else None


def _parse_problem(body: bytes) -> Problem | None:
    try:
        document = msgspec.json.decode(body, type=_ProblemDocument)
        problem = Problem(document.code)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    return problem if document.type == f"urn:envoy-relay:problem:{problem}" else None


def _understand_problem(problem: Problem, status: int, headers: Mapping[str, str]) -> Meaning:
    if problem in BISECT or problem is Problem.TOO_LARGE:
        return Split(problem)
    if problem is Problem.UNAUTHORISED:
        return Renew(parse_http_date(headers.get("date", "")))
    if problem is Problem.FORBIDDEN:
        return Wait(
            "the receiver does not let this scraper write for this gateway: add the serial to RECEIVER_GATEWAYS, or "
            "the scraper's key with `envoy-receiver keys add`",
            RIGHTS_S,
            person=True,
            rights=True,
        )
    if problem is Problem.UNSUPPORTED_VERSION:
        return Wait("the receiver does not speak this wire version: upgrade it", HOUR_S, person=True)
    return Wait(f"the receiver answers {problem} (status {status})", _read_retry_after(headers))


def _read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, at most an hour (a proxy's typing error must not stop us for a year)."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), HOUR_S)
    wanted, now = parse_http_date(text), parse_http_date(headers.get("date", ""))
    return None if wanted is None or now is None else min(max(float(wanted - now), 0.0), HOUR_S)


def parse_http_date(text: str) -> int | None:
    """A date header as epoch seconds; None if it is none."""
    try:
        return int(email.utils.parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
