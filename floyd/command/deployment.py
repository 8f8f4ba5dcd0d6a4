"""A deployment as its operator changes it: the kill switch, asked before every call, and who may use it: people whose
account carries the claim `floyd: true`, as `api`, relays and rules demand."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from google.api_core.retry import Retry, if_transient_error
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud import firestore

from floyd.command import running
from floyd.command.arguments import AsJson, Project, show
from floyd.errors import ConfigError, InvalidInputError, VendorError
from floyd.store.operations import Switch

SIGN_IN = "Sign in first: gcloud auth application-default login"
CLAIM = "floyd"
DEADLINE_S = 30
# Left to themselves the libraries try for minutes where there is no network.
PATIENCE: Mapping[str, Any] = {"timeout": DEADLINE_S, "retry": Retry(if_transient_error, timeout=DEADLINE_S)}

Email = Annotated[str, typer.Argument(help="The address they sign in with.", show_default=False)]
users = typer.Typer(help="Who may use a deployment.", no_args_is_help=True)


def connect(project: str) -> firestore.Client:
    """The documents of a Google Cloud project, or of the stack on this machine when `project` is empty."""
    try:
        return firestore.Client(project=project) if project else running.find().documents()
    except DefaultCredentialsError as error:
        raise ConfigError(SIGN_IN) from error


def stop(
    reason: Annotated[str, typer.Option(help="Shown to people who wait.")] = "stopped by the operator",
    project: Project = "",
) -> None:
    """The kill switch: from now on nothing is dialled."""
    _throw(Switch(dialling=False, reason=reason), project)
    typer.echo(f"Dialling is stopped. Start it again: floyd start{project and f' --project {project}'}")


def start(project: Project = "") -> None:
    """Allow dialling again."""
    _throw(Switch(dialling=True), project)
    typer.echo("Dialling is on.")


def _throw(switch: Switch, project: str) -> None:
    connect(project).document("system", "switch").set(switch.to_store(), **PATIENCE)


@contextmanager
def _accounts(project: str) -> Iterator[tuple[Any, Any]]:
    """Firebase's auth module and its client for the project's accounts; its errors become sentences."""
    emulated = os.environ.get("FIREBASE_AUTH_EMULATOR_HOST")
    project = project or (os.environ.get("GOOGLE_CLOUD_PROJECT", "") if emulated else "")
    if not project:
        raise ConfigError("The stack on this machine admits everybody. Name a deployment: --project PROJECT")
    import firebase_admin  # type: ignore[import-untyped]  # noqa: PLC0415 - slow vendor import
    from firebase_admin import auth, exceptions  # noqa: PLC0415 - slow vendor import

    app = firebase_admin.initialize_app(options={"projectId": project, "httpTimeout": DEADLINE_S}, name="users")
    try:
        yield auth, auth.Client(app)
    except GoogleAuthError as error:
        raise ConfigError(SIGN_IN) from error
    except ValueError as error:  # how Firebase refuses what is no address
        raise InvalidInputError(str(error)) from error
    except auth.UserNotFoundError as error:
        raise InvalidInputError("Nobody has the address that you gave. See: floyd users list") from error
    except exceptions.FirebaseError as error:
        raise VendorError("Firebase", str(error), retryable=False) from error
    finally:
        firebase_admin.delete_app(app)


@users.command()
def add(email: Email, project: Project = "") -> None:
    """Admit a person; they may sign in afterwards, or sign out and in."""
    with _accounts(project) as (auth, accounts):
        try:
            user = accounts.get_user_by_email(email)
        except auth.UserNotFoundError:
            user = accounts.create_user(email=email)
        accounts.set_custom_user_claims(user.uid, {**(user.custom_claims or {}), CLAIM: True})
    typer.echo(f"{user.uid}   {email} may use Floyd")


@users.command()
def remove(email: Email, project: Project = "") -> None:
    """Shut a person out; what they stored stays until they delete their account."""
    with _accounts(project) as (_, accounts):
        user = accounts.get_user_by_email(email)
        kept = {name: value for name, value in (user.custom_claims or {}).items() if name != CLAIM}
        accounts.set_custom_user_claims(user.uid, kept or None)
        accounts.revoke_refresh_tokens(user.uid)  # sign-ins end within the hour a token lives
    typer.echo(f"{user.uid}   {email} is shut out within an hour")


@users.command("list")
def admitted(project: Project = "", as_json: AsJson = False) -> None:
    """Everybody who may use the deployment."""
    with _accounts(project) as (_, accounts):
        known = list(accounts.list_users().iterate_all())
    found = sorted((each.email or "", each.uid) for each in known if (each.custom_claims or {}).get(CLAIM) is True)
    lines = (f"{uid}   {email}" for email, uid in found)
    show([{"email": email, "uid": uid} for email, uid in found], as_json, *lines)
