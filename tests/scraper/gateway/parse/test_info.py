"""Who the gateway is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import BadReplyError
from scraper.gateway.info import parse_firmware, parse_info

TEMPLATE = """<?xml version='1.0' encoding='{encoding}'?>
<envoy_info><time>1718213328</time>
  <device><sn>012345678901</sn> <pn>800-00654-r08</pn> <software>D8.2.4286</software><imeter>true</imeter></device>
  <web-tokens>true</web-tokens><package name='app'><pn>500-00002-r01</pn><version>08.02.4286</version></package>
</envoy_info>"""
DOCUMENT = TEMPLATE.format(encoding="UTF-8").encode()


def make_document(device="<sn>121212121212</sn><software>D5.0.62</software>", rest=""):
    return f"<envoy_info><device>{device}</device>{rest}</envoy_info>".encode()


def test_everything_it_states():
    info = parse_info(DOCUMENT)
    assert info.serial == "012345678901"  # the leading zero counts
    assert info.part_number == "800-00654-r08"
    assert (info.firmware, info.version) == ("D8.2.4286", (8, 2, 4286))
    assert info.metered is True
    assert info.web_tokens
    assert info.token_login
    assert info.time_s == 1718213328


def test_what_old_firmware_leaves_out_is_unknown():
    info = parse_info(make_document())
    assert (info.part_number, info.metered, info.web_tokens, info.time_s) == ("", None, False, None)
    assert not info.token_login


def test_order_quotes_encoding_and_white_space_do_not_matter():
    text = TEMPLATE.replace("'", '"').replace("\n", "\r\n\t")
    for encoding in ("utf-8", "UTF-8", "iso-8859-1"):
        assert parse_info(text.format(encoding=encoding).encode("ascii") + b"\n") == parse_info(DOCUMENT)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("R3.9.36", (3, 9, 36)),
        ("D3.18.10", (3, 18, 10)),
        ("M4.2.33", (4, 2, 33)),
        ("7.6.175", (7, 6, 175)),
        ("D8.2.127 (f79c8d)", (8, 2, 127)),
        (" D8 ", (8,)),
    ],
)
def test_firmware_versions(text, version):
    assert parse_firmware(text) == version


def test_firmware_compares_as_integers():
    assert parse_firmware("D8.2.127") < parse_firmware("D8.2.4264")
    assert parse_firmware("R3.9.36") < parse_firmware("D3.17.3")


@pytest.mark.parametrize("text", ["", "D", "DD8.1", "8..1", "8.1.", "D8.x", "٣.٤", "9" * 5000, "1.2.3.4.5.6.7.8.9"])
def test_a_strange_firmware_is_refused(text):
    with pytest.raises(BadReplyError, match="no version number"):
        parse_firmware(text)


@pytest.mark.parametrize(
    ("software", "rest", "token"),
    [
        ("D6.99.99", "", False),
        ("D7.0.0", "", True),
        ("D6.0.1", "<web-tokens>true</web-tokens>", True),
        ("D6.0.1", "<web-tokens>false</web-tokens>", False),
    ],
)
def test_the_login_kind_follows_from_tokens_or_version(software, rest, token):
    info = parse_info(make_document(f"<sn>121212121212</sn><software>{software}</software>", rest))
    assert info.token_login is token


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Page Not Found</body></html>",
        b'{"error": 404}',
        b"<other/>",
        make_document("<software>D5.0.62</software>"),
        make_document("<sn>121212121212</sn>"),
        make_document("<sn>12 12</sn><software>D5.0.62</software>"),
        make_document("<sn>../../etc</sn><software>D5.0.62</software>"),
        b"<?xml version='1.0' encoding='no-such'?><envoy_info/>",
        b"<?xml version='1.0' encoding='utf-16'?><envoy_info/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><envoy_info><device><sn>&b;</sn></device></envoy_info>',
        b'<!DOCTYPE a SYSTEM "http://example.com/x"><envoy_info/>',
        b"<a>" * 100_000,
    ],
)
def test_anything_else_is_refused(body):
    with pytest.raises(BadReplyError, match=r"/info"):
        parse_info(body)


@pytest.mark.parametrize("clock", ["", "soon", "-5", "1" * 400, "1e9"])
def test_an_unreadable_clock_is_unknown(clock):
    body = make_document(rest=f"<time>{clock}</time>")
    assert parse_info(body).time_s is None


@given(st.integers(0, len(DOCUMENT) - 1))
def test_no_cut_document_is_believed(length):
    with pytest.raises(BadReplyError):
        parse_info(DOCUMENT[:length])


@given(st.binary())
def test_garbage_raises_only_the_error_for_it(body):
    with pytest.raises(BadReplyError):
        parse_info(body)
