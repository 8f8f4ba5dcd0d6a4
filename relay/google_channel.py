"""Connections to Google's gRPC services, one per service and process."""

from __future__ import annotations

from typing import Any

import grpc.aio

EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined]  # the stubs lack it
"""What `read` of a stream returns at its end."""
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# A dead peer must be noticed between calls, not by a callee: ping when idle (gRPC keepalive guide; Google allows 30 s).
_OPTIONS = (("grpc.keepalive_time_ms", 30_000), ("grpc.keepalive_timeout_ms", 5_000))


def open_channel(host: str, plain_endpoint: str) -> grpc.aio.Channel:
    """A channel to `host` with the process's own credentials, or to a plain-text `host:port` of a local stack.

    It begins to connect at once, so that no callee waits for it. It belongs to the event loop that runs now.
    """
    if plain_endpoint:
        channel = grpc.aio.insecure_channel(plain_endpoint, options=_OPTIONS)
    else:
        from google.api_core import grpc_helpers_async  # noqa: PLC0415 - finds credentials; a local stack has none

        channel = grpc_helpers_async.create_channel(f"{host}:443", default_scopes=(_SCOPE,), options=_OPTIONS)
    channel.get_state(try_to_connect=True)
    return channel
