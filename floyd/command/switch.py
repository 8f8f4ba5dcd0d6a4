"""The kill switch of a deployment: one document, asked before every call."""

from __future__ import annotations

import os

from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import firestore

from floyd.command import running
from floyd.errors import ConfigError
from floyd.store.records import Switch

WRITE_S = 10.0


def connect(project: str) -> firestore.Client:
    """The documents of a Google Cloud project, or of the stack on this machine when `project` is empty."""
    if project:
        try:
            return firestore.Client(project=project)
        except DefaultCredentialsError as error:
            raise ConfigError("Sign in first: gcloud auth application-default login") from error
    found = running.find()
    os.environ["FIRESTORE_EMULATOR_HOST"] = found.firestore
    return firestore.Client(project=found.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]


def set_dialling(dialling: bool, reason: str, project: str) -> None:
    """Allow or forbid dialling there."""
    switch = Switch(dialling=dialling, reason=reason)
    connect(project).document("system", "switch").set(switch.to_store(), timeout=WRITE_S)
