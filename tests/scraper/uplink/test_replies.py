"""Only our own verdicts and problem codes mean anything; every other answer deletes nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.uplink.replies import Judgement, Renew, Split, Wait, understand
from shared.problems import CONTENT_TYPE, Problem
from shared.units import HOUR_S

JSON = {"content-type": "application/json"}
PROBLEM = {"content-type": CONTENT_TYPE}


def ask(status, body, headers=JSON, seqs=(1, 2, 3)):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return understand(status=status, headers=headers, body=raw, batch="ab", seqs=list(seqs))


def ask_problem(code, status=400, **headers):
    return ask(status, {"code": code, "type": f"urn:envoy-relay:problem:{code}"}, {**PROBLEM, **headers})


def test_a_verdict_that_names_the_batch_and_every_row_counts():
    meaning = ask(200, {"batch": "ab", "accepted": 2, "rejected": [{"seq": 3, "code": "too-old"}], "watched": True})
    assert isinstance(meaning, Judgement)
    assert meaning.verdict.watched
    assert [(row.seq, row.code) for row in meaning.verdict.rejected] == [(3, "too-old")]


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, {"batch": "zz", "accepted": 3}, JSON),  # another batch
        (200, {"batch": "ab", "accepted": 2}, JSON),  # a row without a fate
        (200, {"batch": "ab", "accepted": 4}, JSON),
        (200, {"batch": "ab", "accepted": 2, "rejected": [{"seq": 9, "code": "x"}]}, JSON),  # a row not sent
        (200, {"batch": "ab", "accepted": 3}, {"content-type": "text/html"}),
        (200, b"<html>Welcome to the hotel</html>", {"content-type": "text/html"}),
        (200, b'{"batch":"ab","accepted":3,"ignored":["\xff"]}', JSON),  # a page in Latin-1
        (422, b'{"code":"unprocessable\xff","type":"urn:envoy-relay:problem:unprocessable"}', PROBLEM),
        (204, b"", {}),
        (202, {"batch": "ab", "accepted": 3}, JSON),
        (400, b"Bad Request", {"content-type": "text/plain"}),
        (413, b"<html>nginx</html>", {"content-type": "text/html"}),
        (422, {"detail": "x"}, JSON),
        (401, {"code": "unauthorised"}, PROBLEM),  # not our type
        (422, {"code": "unprocessable", "type": "urn:envoy-relay:problem:unprocessable"}, JSON),  # not our media type
        (404, {"code": "not-found", "type": "about:blank"}, PROBLEM),
        (418, {"code": "teapot", "type": "urn:envoy-relay:problem:teapot"}, PROBLEM),
    ],
)
def test_a_foreign_answer_keeps_everything(status, body, headers):
    assert isinstance(ask(status, body, headers), Wait)


@given(status=st.integers(100, 599), body=st.binary(), kind=st.sampled_from([JSON, PROBLEM, {}]))
def test_garbage_never_deletes_and_never_raises(status, body, kind):
    assert isinstance(ask(status, body, kind), Wait)


def test_our_codes():
    assert ask_problem(Problem.MALFORMED) == Split("malformed")
    assert ask_problem(Problem.UNPROCESSABLE, 422) == Split("unprocessable")
    assert ask_problem(Problem.TOO_LARGE, 413) == Split("too-large")
    assert ask_problem(Problem.UNAUTHORISED, 401, date="Wed, 21 Oct 2026 07:28:00 GMT") == Renew(1792567680)
    assert ask_problem(Problem.UNAUTHORISED, 401, date="yesterday") == Renew(None)
    forbidden = ask_problem(Problem.FORBIDDEN, 403)
    assert isinstance(forbidden, Wait)
    assert forbidden.person
    version = ask_problem(Problem.UNSUPPORTED_VERSION, 422)
    assert isinstance(version, Wait)
    assert version.after_s == HOUR_S


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("99999999999999", HOUR_S),
        ("-5", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:29:00 GMT", 60.0),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_is_obeyed_within_reason(text, seconds):
    answer = ask_problem(
        Problem.STORE_UNAVAILABLE, 503, **{"retry-after": text, "date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    )
    assert isinstance(answer, Wait)
    assert answer.after_s == seconds
    assert not answer.person
