"""Who is asking: Firebase ID tokens. Every refusal has the same words, so that nothing can be learnt from it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from floyd.errors import NotAdmittedError, NotAuthenticatedError, VendorError
from floyd.settings import Settings

T = TypeVar("T")

# Clocks of clients' token issuer and ours may differ by this much.
SKEW_S = 30
CERTS_URL = "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
CERTS_DEADLINE_S = 5.0
# If Google does not say how long its keys hold, ask again after an hour: tokens live as long.
CERTS_KEPT_S = 3600
LONGEST_TOKEN = 8192
_MAX_AGE = re.compile(r"max-age=(\d+)")


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in, admitted person. `number` is the one that Firebase has verified, if any."""

    uid: str
    name: str = ""
    number: str = ""


class Tokens:
    """Checks ID tokens for one project."""

    def __init__(self, settings: Settings, *, certs_url: str = CERTS_URL) -> None:
        self._settings = settings
        self._certs_url = certs_url
        self._certs: dict[str, str] = {}
        self._certs_until = 0.0
        self._fetching = asyncio.Lock()

    async def verify(self, token: str, *, check_revoked: bool = False) -> Identity:
        """The person behind a token.

        `check_revoked` also asks whether the sign-in was withdrawn: for what costs money, shows all or removes it.
        Raises NotAuthenticatedError, NotAdmittedError, and VendorError when Google's keys cannot be had.
        """
        settings = self._settings
        if not token or len(token) > LONGEST_TOKEN:
            raise _refused()
        # Settings refuse the emulator's address in production, so an unsigned token can never count there.
        if settings.local and settings.firebase_auth_emulator_host:
            claims = _unsigned_claims(token)
        else:
            claims = await self._signed_claims(token)
        _check(claims, settings.google_cloud_project)
        if not settings.open_signup and claims.get("floyd") is not True:
            raise NotAdmittedError("This account has not been admitted. Ask the operator of this deployment.")
        if check_revoked and not settings.firebase_auth_emulator_host:
            await self._refuse_revoked(claims)
        return Identity(claims["sub"], str(claims.get("name") or ""), str(claims.get("phone_number") or ""))

    async def _signed_claims(self, token: str) -> dict[str, Any]:
        from google.auth import exceptions, jwt  # noqa: PLC0415 - needed only by processes that face clients

        certs = await self._current_certs()
        try:
            header = jwt.decode_header(token)  # type: ignore[no-untyped-call]
            if header.get("alg") != "RS256" or header.get("kid") not in certs:
                raise _refused()
            key = {header["kid"]: certs[header["kid"]]}
            claims = jwt.decode(token, certs=key, clock_skew_in_seconds=SKEW_S)  # type: ignore[no-untyped-call]
        except (ValueError, exceptions.GoogleAuthError) as error:
            raise _refused() from error
        return dict(claims)

    async def _current_certs(self) -> dict[str, str]:
        """Google's public keys, kept as long as Google says."""
        async with self._fetching:
            if time.monotonic() < self._certs_until:
                return self._certs
            import httpx2  # noqa: PLC0415 - slow import

            try:
                async with httpx2.AsyncClient(timeout=CERTS_DEADLINE_S) as client:
                    answer = await client.get(self._certs_url)
                    answer.raise_for_status()
                    self._certs = {str(kid): str(pem) for kid, pem in answer.json().items()}
            except (httpx2.HTTPError, ValueError) as error:
                raise VendorError("Firebase", "the signing keys could not be fetched", retryable=True) from error
            age = _MAX_AGE.search(answer.headers.get("cache-control", ""))
            self._certs_until = time.monotonic() + (int(age[1]) if age else CERTS_KEPT_S)
            return self._certs

    async def _refuse_revoked(self, claims: dict[str, Any]) -> None:
        """Ask Firebase whether this person's sign-ins were withdrawn or the account disabled."""

        def withdrawn() -> bool:
            auth, app = _firebase(self._settings)
            try:
                user = auth.get_user(claims["sub"], app=app)
            except auth.UserNotFoundError:
                return True
            return bool(user.disabled or user.tokens_valid_after_timestamp > claims["auth_time"] * 1000)

        if await _ask_firebase(withdrawn):
            raise _refused()


async def delete_account(uid: str, settings: Settings) -> None:
    """Remove the sign-in itself; one that is gone already counts as removed. Raises VendorError."""

    def delete() -> None:
        auth, app = _firebase(settings)
        try:
            auth.delete_user(uid, app=app)
        except auth.UserNotFoundError:
            return

    await _ask_firebase(delete)


async def _ask_firebase(work: Callable[[], T]) -> T:
    try:
        async with asyncio.timeout(CERTS_DEADLINE_S):
            return await asyncio.to_thread(work)
    except Exception as error:
        # Whatever the vendor's client raises: an unanswered question must not pass as a yes.
        raise VendorError("Firebase", "the account could not be asked about", retryable=True) from error


def _firebase(settings: Settings) -> tuple[Any, Any]:
    """The vendor's auth module and this project's app; blocking, for use in a thread."""
    import firebase_admin  # type: ignore[import-untyped]  # noqa: PLC0415 - slow vendor import
    from firebase_admin import auth  # noqa: PLC0415 - slow vendor import

    try:
        app = firebase_admin.get_app()
    except ValueError:
        app = firebase_admin.initialize_app(options={"projectId": settings.google_cloud_project})
    return auth, app


def _refused() -> NotAuthenticatedError:
    return NotAuthenticatedError("Sign in and send a valid Firebase ID token as a bearer token.")


def _unsigned_claims(token: str) -> dict[str, Any]:
    """What a token of the Auth emulator says: it has no signature, and must say so."""
    from google.auth import exceptions, jwt  # noqa: PLC0415 - needed only by processes that face clients

    try:
        header, claims = jwt.decode_header(token), jwt.decode(token, verify=False)  # type: ignore[no-untyped-call]
    except (ValueError, RecursionError, exceptions.GoogleAuthError) as error:
        raise _refused() from error
    if header.get("alg") != "none" or not token.endswith("."):
        raise _refused()
    return dict(claims)


def _check(claims: dict[str, Any], project: str) -> None:
    """Audience, issuer, subject and times, whoever signed."""
    now = time.time()
    subject, expires, issued = claims.get("sub"), claims.get("exp"), claims.get("iat", 0)
    times = all(isinstance(moment, int | float) and not isinstance(moment, bool) for moment in (expires, issued))
    good = (
        claims.get("aud") == project
        and claims.get("iss") == f"https://securetoken.google.com/{project}"
        and isinstance(subject, str)
        and re.fullmatch(r"[A-Za-z0-9_.:@-]{1,128}", subject) is not None
        and not re.fullmatch(r"\.{1,2}|__.*__", subject)
        and times
    )
    if not good or expires <= now - SKEW_S or issued > now + SKEW_S:  # type: ignore[operator]  # numbers: checked above
        raise _refused()
