"""Every error Floyd raises on purpose. The type says who is to blame, the message says what to do."""

from __future__ import annotations


class FloydError(Exception):
    """Root of all errors raised on purpose."""


class ConfigError(FloydError):
    """The operator must change a setting; the message names every wrong one and never shows a secret."""


class RefusedError(FloydError):
    """The client asked for something that cannot be done; carries the HTTP answer to give.

    `code` is a stable machine word, `status` the HTTP status, `retry_after_s` the wait for 429.
    """

    status, code = 400, "invalid"

    def __init__(self, message: str, *, code: str | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.retry_after_s = retry_after_s


class InvalidInputError(RefusedError):
    """400: the body or a field is not what the API takes."""


class NotAuthenticatedError(RefusedError):
    """401: no token, or one that is not good. Same words for every reason."""

    status, code = 401, "unauthenticated"


class NotAdmittedError(RefusedError):
    """403: signed in, but the operator has not admitted this person."""

    status, code = 403, "not_admitted"


class NotFoundError(RefusedError):
    """404: not there, or not yours. Same words for both, so existence does not leak."""

    status, code = 404, "not_found"


class ConflictError(RefusedError):
    """409: the state does not allow it, or an idempotency key was reused with other content."""

    status, code = 409, "conflict"


class TooLargeError(RefusedError):
    """413: the body exceeds the limit."""

    status, code = 413, "too_large"


class TooManyError(RefusedError):
    """429: wait `retry_after_s` seconds."""

    status, code = 429, "too_many"


class SlowError(RefusedError):
    """408: the body did not come in time."""

    status, code = 408, "too_slow"


class UnavailableError(RefusedError):
    """503: nothing is wrong with what was asked; try again."""

    status, code = 503, "unavailable"


class VendorError(FloydError):
    """An outside service failed. `retryable` is true when the same request may succeed later."""

    def __init__(self, vendor: str, message: str, *, retryable: bool, code: str = "") -> None:
        super().__init__(f"{vendor}: {message}")
        self.vendor = vendor
        self.retryable = retryable
        self.code = code


class LostGuardError(FloydError):
    """Somebody else changed the document first. A normal result: read again and decide again."""
