"""Stream tokens: 256 random bits that open one media stream. Only their digest is ever stored."""

from __future__ import annotations

import secrets
from hashlib import sha256

TOKEN_BYTES = 32


def new_token() -> str:
    """A fresh token, 43 characters, safe in XML and JSON."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_digest(token: str) -> str:
    """The document name under which a token is kept."""
    return sha256(token.encode()).hexdigest()
