"""The last step: whether the receiver answers, is trusted, and lets this scraper write."""

import secrets

from scraper.check.findings import Findings
from scraper.errors import ScraperSettingError
from scraper.service.build import load_signing_key, make_receiver_tls
from scraper.settings import ScraperSettings
from scraper.uplink.replies import Judgement, Renew, Split, Wait, parse_http_date, understand
from scraper.uplink.sender import NoAnswer, Sender
from scraper.uplink.signer import Signer
from shared import wire
from shared.clock import Clock
from shared.durations import describe_duration

TOLERANCE_S = 60
FUTURE_S = 600
"""The receiver refuses readings from further ahead (seconds)."""


async def check_receiver(settings: ScraperSettings, serial: str, clock: Clock, findings: Findings) -> None:
    """Post an empty batch, which stores nothing but needs every right that a full one needs."""
    if settings.receiver is None:
        findings.fail(
            "receiver", "ENVOY_RECEIVER_URL is not set: say where the receiver is, or let `make run` start one here"
        )
        return
    try:
        key = load_signing_key(settings.receiver.secret, settings.key_file)
        signer = Signer(key, serial, receiver=settings.receiver.name)
        sender = Sender(settings.receiver.url, serial, make_receiver_tls(settings.receiver))
    except ScraperSettingError as error:
        findings.fail("receiver", str(error))
        return
    try:
        await _ask(settings.receiver.url, sender, signer, clock, findings)
    finally:
        await sender.aclose()


async def _ask(url: str, sender: Sender, signer: Signer, clock: Clock, findings: Findings) -> None:
    for attempt in (1, 2):  # a second time with a token on the receiver's clock
        batch = secrets.token_hex(8)
        body = wire.encode_batch(batch=batch, outbox=secrets.token_hex(16), rows=[])
        answer = await sender.post(body, signer.get_token(clock.now_ms() // 1000))
        if isinstance(answer, NoAnswer):
            findings.fail("receiver", answer.reason)
            return
        meaning = understand(status=answer.status, headers=answer.headers, body=answer.body, batch=batch, seqs=[])
        match meaning:
            case Judgement():
                findings.confirm("receiver", f"answers at {url} and lets this scraper write")
                _check_clocks(parse_http_date(answer.headers.get("date", "")), clock, findings)
                return
            case Renew(receiver_now_s) if attempt == 1:
                signer.renew(now_s=clock.now_ms() // 1000, receiver_now_s=receiver_now_s)
            case Renew():
                findings.fail(
                    "receiver",
                    "it does not accept this scraper's signature: ENVOY_RECEIVER_SECRET must equal RECEIVER_SECRET, "
                    "or the key must be known to it (`envoy-scraper key`, then `envoy-receiver keys add` there); if it "
                    "has a RECEIVER_NAME, ENVOY_RECEIVER_NAME must be the same",
                )
            case Wait(reason):
                findings.fail("receiver", reason)
                return
            case Split(code):
                findings.fail(
                    "receiver", f"it refuses an empty batch ({code}): scraper and receiver do not fit together"
                )
                return


def _check_clocks(receiver_now_s: int | None, clock: Clock, findings: Findings) -> None:
    """Readings carry this machine's time, so a wrong clock is worse than it looks: they are delivered all the same."""
    if receiver_now_s is None:
        return
    ahead_s = clock.now_ms() // 1000 - receiver_now_s
    if abs(ahead_s) <= TOLERANCE_S:
        return
    way = "ahead of" if ahead_s > 0 else "behind"
    text = f"this machine's clock is {describe_duration(ahead_s)} {way} the receiver's: "
    if ahead_s > FUTURE_S:
        findings.fail("clock", text + "the receiver refuses readings from the future; set this machine's clock")
    else:
        findings.note("clock", text + "readings get wrong times; set this machine's clock")
