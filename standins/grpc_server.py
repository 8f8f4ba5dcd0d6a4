"""What a stand-in's gRPC server needs beside the calls it answers: a port, and refusals in the vendor's form."""

from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio


class RefusalError(Exception):
    """The call ends with this status: the vendor's own, or one that a fault asks for."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> RefusalError:
    """The vendor's answer to a request that can never succeed."""
    return RefusalError(grpc.StatusCode.INVALID_ARGUMENT, message)


async def open_server(
    service: str, handlers: "Mapping[str, grpc.RpcMethodHandler[Any, Any]]", host: str, port: int
) -> tuple[grpc.aio.Server, int]:
    """A started plain-text server for *service* and the port it got. OSError when the port is taken."""
    # Without this two servers may share a port, and each gets a part of the calls.
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, dict(handlers)),))
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise OSError(str(error)) from error
    await server.start()
    return server, bound
