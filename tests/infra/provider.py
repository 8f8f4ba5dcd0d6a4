"""A schema-only stand-in for the Google providers, so that Terraform checks infra/ with no registry and no cloud.

Terraform starts it as a plugin (protocol 6 over gRPC and TLS). It answers what the schema is and finds every
configuration valid; `mock_provider` then needs nothing else, and Terraform itself does all checking of arguments.
Real plans, provider-side validation and anything in a cloud are beyond it. It offers version 6.50.0.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VERSION = "6.50.0"
SCHEMA = Path(__file__).parent / "schema.json"
# Terraform's plugin handshake: refuses to run outside Terraform.
COOKIE = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")

# Of the arguments of `provider` blocks, those that a root may need.
PROVIDER = {
    "attributes": {name: ["string", "o"] for name in ("billing_project", "project", "region")}
    | {"user_project_override": ["bool", "o"]},
    "blocks": {},
}


def number(value: int) -> bytes:
    """A protobuf varint."""
    head = b""
    while value > 127:
        head, value = head + bytes([value & 127 | 128]), value >> 7
    return head + bytes([value])


def field(tag: int, value: bytes | str | int) -> bytes:
    """One protobuf field: an integer, or bytes with their length."""
    if isinstance(value, int):
        return number(tag << 3) + number(value)
    data = value.encode() if isinstance(value, str) else value
    return number(tag << 3 | 2) + number(len(data)) + data


def attributes(known: dict[str, Any]) -> Iterator[bytes]:
    """Schema.Attribute: 1 name, 2 type, 4 required, 5 optional, 6 computed.

    What is not required counts as computed, so that an unset value is unknown in a plan, as with the real provider.
    """
    for name, (kind, mode) in known.items():
        flags = {"r": field(4, 1), "o": field(5, 1) + field(6, 1), "c": field(6, 1)}[mode]
        yield field(1, name) + field(2, json.dumps(kind)) + flags


def block(known: dict[str, Any]) -> bytes:
    """Schema.Block: 2 attributes, 3 nested blocks (1 name, 2 block, 3 nesting list, 4 least, 5 most)."""
    body = b"".join(field(2, each) for each in attributes(known["attributes"]))
    for name, (many, required, inner) in known["blocks"].items():
        most = b"" if many else field(5, 1)
        body += field(3, field(1, name) + field(2, block(inner)) + field(3, 2) + field(4, int(required)) + most)
    return body


def provider_schema() -> bytes:
    """GetProviderSchema.Response: 1 provider, 2 resources, 3 data sources, both by name; a Schema's 2 is its block."""
    known = json.loads(SCHEMA.read_text())
    answer = field(1, field(2, block(PROVIDER)))
    for tag, kind in ((2, "resource"), (3, "data")):
        for name, arguments in known[kind].items():
            answer += field(tag, field(1, name) + field(2, field(2, block(arguments))))
    return answer


def certificate() -> tuple[bytes, bytes, bytes]:
    """(key, certificate, certificate as DER) of this process, for an hour; loopback only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number()).add_extension(use, critical=False)
    built = built.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(hours=1))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = built.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret, signed.public_bytes(pem), signed.public_bytes(serialization.Encoding.DER)


class Plugin(grpc.GenericRpcHandler):
    """Answers by method name; what is not listed gets an empty message, which means "no complaint"."""

    def __init__(self, ended: threading.Event) -> None:
        self.ended = ended
        self.answers = {"GetProviderSchema": provider_schema(), "Check": field(1, 1)}  # health: 1 serving

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        method = str(call.method).rsplit("/", 1)[-1]

        def answer(_request: bytes, _context: grpc.ServicerContext) -> bytes:
            if method == "Shutdown":
                self.ended.set()
            return self.answers.get(method, b"")

        return grpc.unary_unary_rpc_method_handler(answer)


def main() -> None:
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        sys.exit("This is a Terraform plugin; Terraform starts it.")
    ended = threading.Event()
    key, pem, der = certificate()
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Plugin(ended),))
    # The client's certificate is not asked for: with that on, every call fails.
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, pem)]))
    server.start()
    encoded = base64.b64encode(der).decode().rstrip("=")
    sys.stdout.write(f"1|6|tcp|127.0.0.1:{port}|grpc|{encoded}\n")
    sys.stdout.flush()
    ended.wait(300)  # longer than any check; a plugin that Terraform forgot ends by itself
    server.stop(grace=1).wait()  # Shutdown itself is answered first


if __name__ == "__main__":
    main()
