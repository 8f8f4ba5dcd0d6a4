"""Who may use a deployment: people whose account carries the claim `floyd: true`, as `api`, relays and rules demand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from floyd.errors import ConfigError, InvalidInputError, VendorError

CLAIM = "floyd"
DEADLINE_S = 15


@contextmanager
def _accounts(project: str) -> Iterator[tuple[Any, Any]]:
    """Firebase's auth module and an app for the project; its errors become sentences."""
    emulated = os.environ.get("FIREBASE_AUTH_EMULATOR_HOST")
    project = project or (os.environ.get("GOOGLE_CLOUD_PROJECT", "") if emulated else "")
    if not project:
        raise ConfigError("The stack on this machine admits everybody. Name a deployment: --project PROJECT")
    import firebase_admin  # type: ignore[import-untyped]  # noqa: PLC0415 - slow vendor import
    from firebase_admin import auth, exceptions  # noqa: PLC0415 - slow vendor import
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - slow vendor import

    app = firebase_admin.initialize_app(options={"projectId": project, "httpTimeout": DEADLINE_S}, name="users")
    try:
        yield auth, app
    except GoogleAuthError as error:
        raise ConfigError("Sign in first: gcloud auth application-default login") from error
    except ValueError as error:  # how Firebase refuses what is no address
        raise InvalidInputError(str(error)) from error
    except exceptions.FirebaseError as error:
        raise VendorError("Firebase", str(error), retryable=False) from error
    finally:
        firebase_admin.delete_app(app)


def add(email: str, project: str) -> str:
    """Admit a person, who need not have signed in yet; their uid."""
    with _accounts(project) as (auth, app):
        try:
            user = auth.get_user_by_email(email, app=app)
        except auth.UserNotFoundError:
            user = auth.create_user(email=email, app=app)
        auth.set_custom_user_claims(user.uid, {**(user.custom_claims or {}), CLAIM: True}, app=app)
        return str(user.uid)


def remove(email: str, project: str) -> str:
    """Shut a person out. Their account and documents stay; sign-ins end within the hour a token lives."""
    with _accounts(project) as (auth, app):
        try:
            user = auth.get_user_by_email(email, app=app)
        except auth.UserNotFoundError as error:
            raise InvalidInputError(f"Nobody has the address {email}. See: floyd users list") from error
        kept = {name: value for name, value in (user.custom_claims or {}).items() if name != CLAIM}
        auth.set_custom_user_claims(user.uid, kept or None, app=app)
        auth.revoke_refresh_tokens(user.uid, app=app)
        return str(user.uid)


def admitted(project: str) -> list[tuple[str, str]]:
    """(address, uid) of everybody admitted, by address."""
    with _accounts(project) as (auth, app):
        users = auth.list_users(app=app).iterate_all()
        return sorted((user.email or "", user.uid) for user in users if (user.custom_claims or {}).get(CLAIM) is True)
