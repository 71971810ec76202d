"""Who the gateway is: `/info`, the one document that every firmware gives without a login. Pure."""

import re
from xml.etree.ElementTree import Element, ParseError

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from scraper.errors import BadReplyError
from shared.keys import is_serial

FIRST_TOKEN_VERSION = (7,)
"""From this firmware on the gateway wants a token; before it, digest."""

_FIRMWARE = re.compile(r"[A-Za-z]?(\d{1,9}(?:\.\d{1,9}){0,7})(?:\s.*)?", re.ASCII | re.DOTALL)
_SECONDS = re.compile(r"\d{1,10}", re.ASCII)


class GatewayInfo(msgspec.Struct, frozen=True):
    """What `/info` says.

    Attributes:
        serial: The serial, 12 digits in practice; text, because leading zeros count.
        part_number: Hardware part number, e.g. "800-00654-r08"; "" if not stated. For people only.
        firmware: As the gateway states it, e.g. "D8.2.4286".
        version: The same as integers, e.g. (8, 2, 4286): compare these and nothing else.
        metered: Whether it has meter hardware; None on old firmware, which does not say.
        web_tokens: Whether it says that it wants tokens.
        time_s: The gateway's clock when it made the document (seconds since 1970); None if not stated.
    """

    serial: str
    part_number: str
    firmware: str
    version: tuple[int, ...]
    metered: bool | None
    web_tokens: bool
    time_s: int | None

    @property
    def token_login(self) -> bool:
        """Whether to log in with a token (else digest)."""
        return self.web_tokens or self.version >= FIRST_TOKEN_VERSION


def parse_firmware(text: str) -> tuple[int, ...]:
    """Firmware as integers: "D8.2.127 (f79c8d)" is (8, 2, 127), which is less than (8, 2, 4264).

    Raises:
        BadReplyError: The text is not a firmware version.
    """
    match = _FIRMWARE.fullmatch(text.strip())
    if match is None:
        raise BadReplyError("the gateway states a firmware that is no version number; look at its /info page")
    return tuple(int(part) for part in match[1].split("."))


def parse_info(body: bytes) -> GatewayInfo:
    """Read `/info`.

    The content type is no help (some firmware says JSON around this XML), so only the body counts.

    Raises:
        BadReplyError: It is not the identity document of a gateway, or lacks the serial or the firmware.
    """
    root = _parse_document(body)
    serial = _read_text(root, "device/sn")
    if not is_serial(serial):
        raise BadReplyError("the gateway's /info states no usable serial; check that ENVOY_HOST is an Enphase gateway")
    firmware = _read_text(root, "device/software")
    version = parse_firmware(firmware)
    time = _read_text(root, "time")
    return GatewayInfo(
        serial=serial,
        part_number=_read_text(root, "device/pn")[:32],
        firmware=firmware.split()[0],
        version=version,
        metered={"true": True, "false": False}.get(_read_text(root, "device/imeter").lower()),
        web_tokens=_read_text(root, "web-tokens").lower() == "true",
        time_s=int(time) if _SECONDS.fullmatch(time) else None,
    )


def _parse_document(body: bytes) -> Element:
    try:
        # The gateway needs no document type, and a device that sends one is up to something.
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadReplyError(
            "the reply to /info is not the XML of an Enphase gateway; check that ENVOY_HOST is the gateway"
        ) from error
    if root.tag != "envoy_info":
        raise BadReplyError("the reply to /info is not an Enphase gateway's; check that ENVOY_HOST is the gateway")
    return root


def _read_text(root: Element, path: str) -> str:
    return (root.findtext(path) or "").strip()
