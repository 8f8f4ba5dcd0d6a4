"""ID tokens as the Auth emulator makes them: no signature."""

from __future__ import annotations

import base64
import json
import time
from typing import Any


def claims(project: str, uid: str = "tom", **changes: Any) -> dict[str, Any]:
    """What a good token for this project says."""
    now = int(time.time())
    issuer = f"https://securetoken.google.com/{project}"
    good = {"aud": project, "iss": issuer, "sub": uid, "iat": now, "exp": now + 3600, "auth_time": now}
    return {name: value for name, value in (good | changes).items() if value is not None}


def unsigned(content: dict[str, Any], header: dict[str, Any] | None = None, signature: str = "") -> str:
    parts = (header or {"alg": "none", "typ": "JWT"}, content)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join((*encoded, signature))
