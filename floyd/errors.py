"""Every error Floyd raises on purpose. The type says who is to blame, the message says what to do."""

from __future__ import annotations

from typing import ClassVar


class FloydError(Exception):
    """Root of all errors raised on purpose."""


class ConfigError(FloydError):
    """The operator must change a setting; the message names every wrong one and never shows a secret."""


class RefusedError(FloydError):
    """The client asked for something that cannot be done; carries the HTTP answer to give.

    `code` is a stable machine word, `status` the HTTP status, `retry_after_s` the wait for 429 and 503.
    """

    status: ClassVar[int]
    code: ClassVar[str]

    def __init_subclass__(cls, status: int, code: str) -> None:
        cls.status, cls.code = status, code

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


class InvalidInputError(RefusedError, status=400, code="invalid"):
    """The body or a field is not what the API takes."""


class NotAuthenticatedError(RefusedError, status=401, code="unauthenticated"):
    """No token, or one that is not good. Same words for every reason."""


class NotAdmittedError(RefusedError, status=403, code="not_admitted"):
    """Signed in, but the operator has not admitted this person."""


class NotFoundError(RefusedError, status=404, code="not_found"):
    """Not there, or not yours. Same words for both, so existence does not leak."""


class SlowError(RefusedError, status=408, code="too_slow"):
    """The body did not come in time."""


class ConflictError(RefusedError, status=409, code="conflict"):
    """The state does not allow it, or an idempotency key was reused with other content."""


class TooLargeError(RefusedError, status=413, code="too_large"):
    """The body exceeds the limit."""


class TooManyError(RefusedError, status=429, code="too_many"):
    """Wait `retry_after_s` seconds."""


class UnavailableError(RefusedError, status=503, code="unavailable"):
    """Nothing is wrong with what was asked; try again."""


class VendorError(FloydError):
    """An outside service failed. `retryable` is true when the same request may succeed later."""

    def __init__(self, vendor: str, message: str, *, retryable: bool, code: str = "") -> None:
        super().__init__(f"{vendor}: {message}")
        self.vendor = vendor
        self.retryable = retryable
        self.code = code


class LostGuardError(FloydError):
    """Somebody else changed the document first. A normal result: read again and decide again."""
