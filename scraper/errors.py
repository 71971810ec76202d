"""The scraper's error tree. Foreign errors are converted at the boundary they come from, with `from`.

    ScraperError
      ScraperSettingError          a setting is missing or wrong; names it and the remedy; the process ends
      WrongUseError                a command was typed wrong; nothing was done; exit status 2
      GatewayError
        GatewayUnreachableError    no connection, time-out, reset, 5xx: retry with back-off
          GatewayBusyError         5xx, 429, or connected and no answer in time: other paths may answer
        BadReplyError              not what the protocol says (HTML, truncated, too large): discard, retry next cycle
          EmptyReplyError          200 with an empty body: nothing is there now
        EndpointUnavailableError   401/403/404 on one endpoint: this login or firmware does not have it
        SessionExpiredError        401 where it used to work: renew the session once
        LoginPostponedError        the account or token service cannot give a token now: retry later
        PersonNeededError          logins stop until somebody acts; everything else goes on
          LoginRejectedError       wrong password, expired or foreign token
          CertificateChangedError  the gateway's certificate is not the pinned one
          WrongGatewayError        another serial at this address
          GrantNeededError         the cloud source: no approval of the owner, or one that has ended
      CloudError                   the account or token service, or the API of the cloud source
        CloudUnavailableError      maintenance, time-out, HTML: retry with long back-off
        CloudRefusedError          wrong credentials, serial not on the account, multi-factor: a person is needed;
                                   of the API: it refused this request, and would again
        CloudLaterError            the API gives no answer now
          CloudQuotaError          the calls of the minute or the month are used up
        CloudPlanError             the plan does not have this endpoint
      OutboxError
        OutboxInUseError           another running scraper has this file
        OutboxUnavailableError     disk full, read-only, I/O error: retry
        OutboxVersionError         a newer release wrote the file; the process ends

Every message is a sentence for people: what is wrong and what to do next. No message holds a secret.
"""


class ScraperError(Exception):
    """Base of everything the scraper raises on purpose."""


class ScraperSettingError(ScraperError):
    """A setting is missing or wrong."""


class WrongUseError(ScraperError):
    """A command was typed wrong: nothing was done."""


class GatewayError(ScraperError):
    """Something about the gateway."""


class GatewayUnreachableError(GatewayError):
    """No connection, time-out, reset or 5xx: try again later."""


class GatewayBusyError(GatewayUnreachableError):
    """5xx, 429, or a connection without an answer in time: a backend of the gateway is starting up or overloaded."""


class BadReplyError(GatewayError):
    """A reply that is not what the protocol says; nothing of it was used."""


class EmptyReplyError(BadReplyError):
    """A reply without a body: the gateway has nothing to say there now."""


class EndpointUnavailableError(GatewayError):
    """This login or this firmware does not have the endpoint."""

    def __init__(self, path: str, status: int) -> None:
        super().__init__(f"the gateway does not give {path} to this login (status {status})")
        self.path = path
        self.status = status


class SessionExpiredError(GatewayError):
    """401 on an endpoint that used to work: the session is gone, the token may still be good."""


class LoginPostponedError(GatewayError):
    """There is no token yet, and the service that gives one cannot now: try again later."""


class PersonNeededError(GatewayError):
    """Logins stop until somebody acts."""


class LoginRejectedError(PersonNeededError):
    """The gateway does not accept the password or token."""


class CertificateChangedError(PersonNeededError):
    """The gateway's certificate is not the pinned one."""


class WrongGatewayError(PersonNeededError):
    """Another serial answers at this address."""


class CloudError(ScraperError):
    """The account or token service, or the API of the cloud source."""


class CloudUnavailableError(CloudError):
    """Try again later.

    Attributes:
        retry_after_s: Not sooner than in so many seconds, if it said so.
    """

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CloudRefusedError(CloudError):
    """The service refused, and would again: a person is needed, or another question.

    Attributes:
        status: Of the API's reply; None where logins or tokens were refused.
        code: What the API's document calls it; None if it has none.
        details: The API's words, without anything that is secret.
    """

    def __init__(self, message: str, status: int | None = None, code: int | None = None, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details


class OutboxError(ScraperError):
    """The durable queue."""


class OutboxInUseError(OutboxError):
    """Another running scraper has this file."""


class OutboxUnavailableError(OutboxError):
    """The disk is full, read-only or broken: try again."""


class OutboxVersionError(OutboxError):
    """A newer release wrote the file."""
