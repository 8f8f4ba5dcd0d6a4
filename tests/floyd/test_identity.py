"""Signed ID tokens, with keys of our own served over a socket as Google serves its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

from floyd.errors import NotAdmittedError, NotAuthenticatedError, VendorError
from floyd.identity import Tokens
from floyd.settings import Settings
from tests.functions.tokens import claims, unsigned

PROJECT = "floyd-test"


@dataclass
class Key:
    """A signing key and the certificate that names it."""

    kid: str
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def certificate(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.private.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.private, hashes.SHA256())
        )
        return built.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, content: dict[str, Any], kid: str | None = None) -> str:
        pem = self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        signer = crypt.RSASigner.from_string(pem, kid or self.kid)  # type: ignore[no-untyped-call]
        return str(jwt.encode(signer, content).decode())  # type: ignore[no-untyped-call]


OURS, THEIRS = Key("ours"), Key("theirs")


@dataclass
class Keys:
    """Where the certificates are served, and how often they were asked for."""

    url: str = ""
    asked: int = 0
    status: int = 200


@pytest.fixture
async def keys(unused_tcp_port_factory: Callable[[], int]) -> AsyncIterator[Keys]:
    served = Keys()

    async def certificates(request: web.Request) -> web.Response:
        served.asked += 1
        headers = {"cache-control": "public, max-age=3600"}
        return web.json_response({OURS.kid: OURS.certificate}, status=served.status, headers=headers)

    app = web.Application()
    app.router.add_get("/", certificates)
    runner = web.AppRunner(app)
    await runner.setup()
    port = unused_tcp_port_factory()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    served.url = f"http://127.0.0.1:{port}/"
    yield served
    await runner.cleanup()


def tokens(keys: Keys, **environment: str) -> Tokens:
    given = {"GOOGLE_CLOUD_PROJECT": PROJECT, "FLOYD_OPEN_SIGNUP": "true"} | environment
    return Tokens(Settings.read("api", given), certs_url=keys.url)


async def test_a_signed_token_names_its_person_and_keys_are_fetched_once(keys: Keys) -> None:
    """If this fails nobody can sign in, or every request waits for Google."""
    checked = tokens(keys)
    token = OURS.sign(claims(PROJECT, name="Tom", phone_number="+12125550111"))

    person = await checked.verify(token)
    await checked.verify(token)

    assert (person.uid, person.name, person.number) == ("tom", "Tom", "+12125550111")
    assert keys.asked == 1


def forged() -> dict[str, str]:
    now = int(time.time())
    good = OURS.sign(claims(PROJECT))
    return {
        "unsigned": unsigned(claims(PROJECT)),
        "signed by another": THEIRS.sign(claims(PROJECT)),
        "signed by another under our name": THEIRS.sign(claims(PROJECT), kid="ours"),
        "changed": good[:-8] + ("A" * 8),
        "no signature": good.rpartition(".")[0] + ".",
        "other project": OURS.sign(claims(PROJECT, aud="other")),
        "other issuer": OURS.sign(claims(PROJECT, iss="https://accounts.google.com")),
        "expired": OURS.sign(claims(PROJECT, exp=now - 31)),
        "from the future": OURS.sign(claims(PROJECT, iat=now + 60)),
        "nobody": OURS.sign(claims(PROJECT, sub="")),
        "secret as key": unsigned(claims(PROJECT), {"alg": "HS256", "kid": "ours"}, "c2ln"),
    }


@pytest.mark.parametrize("name", forged())
async def test_forged_tokens_are_refused(keys: Keys, name: str) -> None:
    """If this fails a stranger speaks for any person of the deployment."""
    with pytest.raises(NotAuthenticatedError):
        await tokens(keys).verify(forged()[name])


async def test_admission_is_a_claim_that_only_the_server_sets(keys: Keys) -> None:
    """If this fails a closed deployment is open."""
    closed = tokens(keys, FLOYD_OPEN_SIGNUP="false")

    with pytest.raises(NotAdmittedError):
        await closed.verify(OURS.sign(claims(PROJECT)))
    assert (await closed.verify(OURS.sign(claims(PROJECT, floyd=True)))).uid == "tom"


async def test_without_keys_nobody_is_let_in_and_nobody_is_blamed(keys: Keys) -> None:
    """If this fails an outage at Google signs everybody out, or lets everybody in."""
    keys.status = 503

    with pytest.raises(VendorError):
        await tokens(keys).verify(OURS.sign(claims(PROJECT)))
