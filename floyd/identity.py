"""Who is asking: Firebase ID tokens. Every refusal has the same words, so that nothing can be learnt from it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from floyd.errors import NotAdmittedError, NotAuthenticatedError, VendorError
from floyd.settings import Settings

# Clocks of clients' token issuer and ours may differ by this much.
SKEW_S = 30
CERTS_URL = "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
CERTS_DEADLINE_S = 5.0
# If Google does not say how long its keys hold, ask again after an hour: tokens live as long.
CERTS_KEPT_S = 3600
LONGEST_TOKEN = 8192
# What Firestore takes as a document's name, too.
_UID = re.compile(r"(?!\.{1,2}$|__.*__$)[A-Za-z0-9_.:@-]{1,128}")


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
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - needed only by processes that face clients

        if not token or len(token) > LONGEST_TOKEN:
            raise _refused()
        settings = self._settings
        # Settings refuse the emulator's address in production, so an unsigned token can never count there.
        emulated = settings.local and settings.firebase_auth_emulator_host
        certs = None if emulated else await self._current_certs()
        try:
            claims = _claims(token, certs, settings.google_cloud_project)
        except (ValueError, KeyError, RecursionError, GoogleAuthError) as error:
            raise _refused() from error
        if not settings.open_signup and claims.get("floyd") is not True:
            raise NotAdmittedError("This account has not been admitted. Ask the operator of this deployment.")
        if check_revoked and not settings.firebase_auth_emulator_host:
            user = await _ask_firebase(settings, lambda auth, app: auth.get_user(claims["sub"], app=app))
            if user is None or user.disabled or user.tokens_valid_after_timestamp > claims["auth_time"] * 1000:
                raise _refused()
        return Identity(claims["sub"], str(claims.get("name") or ""), str(claims.get("phone_number") or ""))

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
            age = re.search(r"max-age=(\d+)", answer.headers.get("cache-control", ""))
            self._certs_until = time.monotonic() + (int(age[1]) if age else CERTS_KEPT_S)
            return self._certs


async def delete_account(uid: str, settings: Settings) -> None:
    """Remove the sign-in itself; one that is gone already counts as removed. Raises VendorError."""
    await _ask_firebase(settings, lambda auth, app: auth.delete_user(uid, app=app))


async def _ask_firebase(settings: Settings, work: Callable[[Any, Any], Any]) -> Any:
    """`work` is given the vendor's auth module and this project's app, in a thread. None: there is no such user."""

    def ask() -> Any:
        import firebase_admin  # type: ignore[import-untyped]  # noqa: PLC0415 - slow vendor import
        from firebase_admin import auth  # noqa: PLC0415 - slow vendor import

        try:
            app = firebase_admin.get_app()
        except ValueError:
            app = firebase_admin.initialize_app(options={"projectId": settings.google_cloud_project})
        try:
            return work(auth, app)
        except auth.UserNotFoundError:
            return None

    try:
        async with asyncio.timeout(CERTS_DEADLINE_S):
            return await asyncio.to_thread(ask)
    except Exception as error:
        # Whatever the vendor's client raises: an unanswered question must not pass as a yes.
        raise VendorError("Firebase", "the account could not be asked about", retryable=True) from error


def _refused() -> NotAuthenticatedError:
    return NotAuthenticatedError("Sign in and send a valid Firebase ID token as a bearer token.")


def _claims(token: str, certs: dict[str, str] | None, project: str) -> dict[str, Any]:
    """What a good token says; audience, issuer, subject and times are checked whoever signed. Without `certs` it is one
    of the Auth emulator: it has no signature, and must say so. Raises ValueError or what Google's library raises."""
    from google.auth import jwt  # noqa: PLC0415 - needed only by processes that face clients

    header = jwt.decode_header(token)  # type: ignore[no-untyped-call]
    if certs is None:
        signed = header.get("alg") == "none" and token.endswith(".")
        claims = jwt.decode(token, verify=False)  # type: ignore[no-untyped-call]
    else:
        signed = header.get("alg") == "RS256"
        key = {header["kid"]: certs[header["kid"]]}
        claims = jwt.decode(token, certs=key, clock_skew_in_seconds=SKEW_S)  # type: ignore[no-untyped-call]
    now, uid, expires, issued = time.time(), claims.get("sub"), claims.get("exp"), claims.get("iat", 0)
    ours = claims.get("aud") == project and claims.get("iss") == f"https://securetoken.google.com/{project}"
    named = isinstance(uid, str) and _UID.fullmatch(uid)
    timed = all(type(moment) in (int, float) for moment in (expires, issued))
    if not (signed and ours and named and timed) or expires <= now - SKEW_S or issued > now + SKEW_S:
        raise ValueError("not a good token of this project")
    return dict(claims)
