"""What may come instead of an answer of Enphase's API. The tree stands in `scraper.errors`."""

from scraper.errors import CloudError, CloudRefusedError, PersonNeededError

__all__ = [
    "CloudError",
    "CloudLaterError",
    "CloudPlanError",
    "CloudQuotaError",
    "CloudRefusedError",
    "GrantNeededError",
]


class CloudLaterError(CloudError):
    """No answer now: 5xx, a page instead of JSON, no connection, no time.

    Attributes:
        retry_at_ms: Not sooner than then, if that is known; milliseconds since 1970.
    """

    def __init__(self, message: str, retry_at_ms: int | None = None) -> None:
        super().__init__(message)
        self.retry_at_ms = retry_at_ms


class CloudQuotaError(CloudLaterError):
    """The calls of a minute or a month are used up: by the API's word (429), or by our own count.

    Attributes:
        period_end_ms: When new calls are given, if that is known; `retry_at_ms` is a little later.
        limit: The calls that the period has, if that is known.
        period: `minute`, `month`, or None where the API does not say.
    """

    def __init__(
        self,
        message: str,
        retry_at_ms: int | None = None,
        *,
        period_end_ms: int | None = None,
        limit: int | None = None,
        period: str | None = None,
    ) -> None:
        super().__init__(message, retry_at_ms)
        self.period_end_ms = period_end_ms
        self.limit = limit
        self.period = period


class CloudPlanError(CloudError):
    """The plan, or the access controls of the application, do not have this endpoint.

    Attributes:
        endpoint: Which, with `{id}` in the place of numbers.
    """

    def __init__(self, message: str, endpoint: str) -> None:
        super().__init__(message)
        self.endpoint = endpoint


class GrantNeededError(PersonNeededError):
    """The owner's approval is missing, has ended, or the application's keys are wrong: nothing is asked until then."""
