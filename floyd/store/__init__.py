"""Firestore, and nothing but Firestore: every query and every write of the product is in this package.

`Store(client)` takes a `google.cloud.firestore.AsyncClient`. Writers never read-then-write blindly: a first claim is a
create, a later one is guarded by the update time it was decided on, and a lost guard is a normal result.
"""

from floyd.store.connection import name_of
from floyd.store.lines import Lines, line_holder
from floyd.store.operations import Callee, InboxCommand, Line, Speech, StreamToken, Switch
from floyd.store.requests import Taken, request_path


class Store(Lines):
    """All documents of a deployment."""


__all__ = [
    "Callee",
    "InboxCommand",
    "Line",
    "Speech",
    "Store",
    "StreamToken",
    "Switch",
    "Taken",
    "line_holder",
    "name_of",
    "request_path",
]
