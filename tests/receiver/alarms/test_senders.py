"""Each sender against a server on a real socket that is as strict as the real one."""

import ssl
from email.header import decode_header, make_header

import pytest
import trustme

from receiver.alarms.messages import Notice
from receiver.alarms.senders import SendError, make_senders
from receiver.alarms.senders.mail import MailSender, MailServer
from receiver.alarms.senders.ntfy import NtfySender
from receiver.alarms.senders.telegram import TelegramSender
from receiver.alarms.senders.webhook import WebhookSender
from receiver.settings import ContactSettings
from tests.clocks import StoppedClock
from tests.fake_http import CannedReply, make_raw, run_server
from tests.receiver.alarms.channels import FakeMailServer, run_channel, run_mail_server

NOTICE = Notice(
    id="0123456789abcdef0123456789abcdef", turn="began", severity="critical", title="Zuhause: Scraper silent",
    text="Nothing has arrived for 20 minutes.\nIs its machine on?", alarm="scraper-silent", gateway="1", began=1,
    link="https://solar.example.org",
)  # fmt: skip
BOT = "123456:canary-bot-token"
PASSWORD = "canary-password"


async def test_ntfy_gets_title_text_and_urgency():
    async with run_channel() as channel:
        await NtfySender(f"{channel.url}/roof", "canary-token").send(NOTICE)
    (request,) = channel.taken
    assert (request.method, request.path) == ("POST", "/roof")
    assert request.body.decode() == NOTICE.text
    assert request.headers["authorization"] == "Bearer canary-token"
    assert (request.headers["x-title"], request.headers["x-priority"]) == (NOTICE.title, "5")
    assert (request.headers["x-sequence-id"], request.headers["x-click"]) == (NOTICE.id, NOTICE.link)


async def test_ntfy_gets_names_that_are_no_ascii_in_a_form_that_it_reads():
    async with run_channel() as channel:
        await NtfySender(f"{channel.url}/roof", None).send(
            Notice(id="1", turn="ended", severity="warning", title="Café über 屋根", text="t")
        )
    (request,) = channel.taken
    assert str(make_header(decode_header(request.headers["x-title"]))) == "Café über 屋根"


async def test_telegram_gets_a_message_and_its_wish_to_wait_is_obeyed():
    async with run_channel() as channel:
        sender = TelegramSender(BOT, "-100123", api=channel.url)
        await sender.send(NOTICE)
        (request,) = channel.taken
        assert request.path == f"/bot{BOT}/sendMessage"
        (document,) = channel.list_documents()
        assert document["chat_id"] == "-100123"
        assert document["text"].startswith(NOTICE.title)
        channel.replies = [
            CannedReply(429, b'{"ok":false,"error_code":429,"parameters":{"retry_after":17}}'),
            CannedReply(401, b'{"ok":false}'),
        ]
        for wait in (17.0, None):
            with pytest.raises(SendError) as caught:
                await sender.send(NOTICE)
            assert caught.value.retry_after_s == wait
            assert BOT not in str(caught.value)


async def test_a_webhook_may_be_repeated_because_its_id_is_the_same():
    async with run_channel() as channel:
        sender = WebhookSender(f"{channel.url}/a", None)
        await sender.send(NOTICE)
        await sender.send(NOTICE)
    assert {one.headers["idempotency-key"] for one in channel.taken} == {NOTICE.id}
    assert sender.recognises_repetition


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"])
async def test_a_server_that_speaks_no_http_is_a_failed_attempt(answer):
    async with run_server(lambda _: make_raw(answer)) as server:
        with pytest.raises(SendError):
            await WebhookSender(f"http://127.0.0.1:{server.port}/canary-path", None).send(NOTICE)


async def test_a_server_that_is_away_is_a_failed_attempt_that_names_no_secret():
    async with run_server(lambda _: CannedReply()) as server:
        pass
    with pytest.raises(SendError) as caught:
        await WebhookSender(f"http://127.0.0.1:{server.port}/canary-path", None).send(NOTICE)
    assert "canary" not in str(caught.value)


def make_tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server and of a client that trusts it."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(server)
    authority.configure_trust(client)
    return server, client


def make_mail_sender(server: FakeMailServer, client=None, *, local=False, user="roof", to=("me@example.org",)):
    known = MailServer("127.0.0.1", server.port, server.is_tls, local, user, PASSWORD if user else None)
    return MailSender(known, "roof@example.org", to, StoppedClock(), client)


@pytest.mark.parametrize("is_tls", [True, False], ids=["TLS", "STARTTLS"])
async def test_a_mail_goes_over_tls_with_a_login(is_tls):
    context, client = make_tls()
    fake = FakeMailServer(context, is_tls=is_tls, needs_tls=True, accounts={"roof": PASSWORD})
    async with run_mail_server(fake) as server:
        await make_mail_sender(server, client, to=("me@example.org", "you@example.org")).send(NOTICE)
    ((recipients, mail),) = fake.mails
    assert recipients == ["me@example.org", "you@example.org"]
    assert mail["Subject"] == NOTICE.title
    assert mail["Message-ID"] == f"<{NOTICE.id}@example.org>"
    assert NOTICE.text.splitlines()[0] in mail.get_payload()


async def test_this_machine_needs_neither_tls_nor_login():
    async with run_mail_server(FakeMailServer()) as server:
        await make_mail_sender(server, local=True, user=None).send(NOTICE)
    assert len(server.mails) == 1


async def test_nothing_is_sent_to_a_server_without_tls_or_with_a_strange_certificate():
    async with run_mail_server(FakeMailServer(accounts={"roof": PASSWORD})) as server:
        with pytest.raises(SendError, match="STARTTLS"):
            await make_mail_sender(server).send(NOTICE)
    context, _ = make_tls()
    async with run_mail_server(FakeMailServer(context, needs_tls=True)) as server:
        with pytest.raises(SendError):
            await make_mail_sender(server).send(NOTICE)
    assert not server.mails


async def test_what_a_mail_server_refuses_is_said_without_a_secret():
    context, client = make_tls()
    fake = FakeMailServer(context, needs_tls=True, accounts={"roof": "another"})
    async with run_mail_server(fake) as server:
        with pytest.raises(SendError, match="SMTP_USER") as caught:
            await make_mail_sender(server, client).send(NOTICE)
    assert PASSWORD not in str(caught.value)
    async with run_mail_server(FakeMailServer(refused={"me@example.org"})) as server:
        with pytest.raises(SendError, match="SMTP_TO"):
            await make_mail_sender(server, local=True, user=None).send(NOTICE)
    async with run_mail_server(FakeMailServer(temporary=1)) as server:
        sender = make_mail_sender(server, local=True, user=None)
        with pytest.raises(SendError, match="451"):
            await sender.send(NOTICE)
        await sender.send(NOTICE)
    assert len(server.mails) == 1


async def test_a_mail_that_was_taken_counts_as_sent_whatever_the_farewell():
    """Else it would come again."""
    async with run_mail_server(FakeMailServer(rude=True, refused={"gone@example.org"})) as server:
        await make_mail_sender(server, local=True, user=None, to=("me@example.org", "gone@example.org")).send(NOTICE)
    ((recipients, _),) = server.mails
    assert recipients == ["me@example.org"]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, []),
        ({"ntfy_url": "https://ntfy.sh/roof"}, ["ntfy"]),
        ({"telegram_bot_token": BOT, "telegram_chat_id": "1", "webhook_url": "https://e.org"}, ["telegram", "webhook"]),
        ({"smtp_url": "smtps://e.org", "smtp_from": "a@e.org", "smtp_to": "b@e.org, c@e.org"}, ["email"]),
    ],
)  # fmt: skip
def test_the_channels_are_those_whose_settings_are_complete(changes, names):
    assert [one.name for one in make_senders(ContactSettings(**changes), StoppedClock())] == names


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"smtp_url": "smtps://e.org"}, "SMTP_FROM"),
        ({"smtp_to": "a@e.org"}, "SMTP_URL"),
        ({"smtp_url": "https://e.org", "smtp_from": "a@e.org", "smtp_to": "a@e.org"}, "SMTP_URL must"),
        ({"smtp_url": "smtp://u:canary@e.org", "smtp_from": "a@e.org", "smtp_to": "a@e.org"}, "SMTP_URL must"),
        ({"smtp_url": "smtp://e.org", "smtp_from": "a@e.org", "smtp_to": "canary"}, "SMTP_TO must"),
        ({"smtp_url": "smtp://e.org", "smtp_from": "a@e.org\nb", "smtp_to": "a@e.org"}, "SMTP_FROM must"),
        ({"alarm_quiet_hours": "22-7"}, "ALARM_QUIET_HOURS must look like 22:00-07:00"),
        ({"alarm_quiet_hours": "22:00"}, "ALARM_QUIET_HOURS"),
        ({"alarm_digest": "25:00"}, "ALARM_DIGEST must look like 08:00"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_settings_is_named(changes, named):
    with pytest.raises(ValueError, match=named) as caught:
        ContactSettings(**changes)
    assert "canary" not in str(caught.value)
