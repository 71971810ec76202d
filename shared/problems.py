"""The stable codes that both sides must agree on: why a request, or one row of it, was refused.

A problem reply is `application/problem+json` (RFC 9457) with `type` = `urn:envoy-relay:problem:<code>`, `status`,
`title`, `code` and `request_id`; never a value that was sent.
"""

from enum import StrEnum


class Problem(StrEnum):
    """Why a whole request was refused."""

    MALFORMED = "malformed"  # 400: not JSON, truncated gzip, duplicate keys, NaN
    UNPROCESSABLE = "unprocessable"  # 422: JSON of the wrong shape
    TOO_LARGE = "too-large"  # 413: body beyond the limit, packed or unpacked
    UNSUPPORTED_MEDIA = "unsupported-media"  # 415: not JSON, or an unknown encoding
    UNSUPPORTED_VERSION = "unsupported-version"  # 422: a wire version this receiver does not speak
    UNAUTHORISED = "unauthorised"  # 401: no token, or not a valid one
    FORBIDDEN = "forbidden"  # 403: a valid token without the right to write here
    NOT_FOUND = "not-found"  # 404: no such thing, or not for this reader
    METHOD_NOT_ALLOWED = "method-not-allowed"  # 405
    NOT_WRITABLE = "not-writable"  # 409: the receiver cannot write the file that this would change
    CHANGED_MEANWHILE = "changed-meanwhile"  # 412: it is not what it was when it was read
    TOO_MANY_REQUESTS = "too-many-requests"  # 429, with Retry-After
    STORE_UNAVAILABLE = "store-unavailable"  # 503, with Retry-After: try the same batch again
    INTERNAL = "internal"  # 500


class Rejection(StrEnum):
    """Why one row of an accepted batch was refused; it goes to the dead letters of the scraper."""

    UNKNOWN_KIND = "unknown-kind"
    TOO_OLD = "too-old"
    IN_THE_FUTURE = "in-the-future"
    QUOTA = "quota"  # more series than a gateway may have
    OUT_OF_RANGE = "out-of-range"  # a value that no house can have
    TOO_DENSE = "too-dense"  # more than a reading a second of one series
    NO_KNOWN_FIELD = "no-known-field"
    STORE_REFUSED = "store-refused"  # the store cannot hold this row, and never will


BISECT = frozenset({Problem.MALFORMED, Problem.UNPROCESSABLE})
"""The scraper halves a batch refused with one of these until the bad row is alone."""

CONTENT_TYPE = "application/problem+json"
