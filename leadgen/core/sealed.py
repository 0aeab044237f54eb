"""Sealed tokens: signed ones that nobody but us can read, for what must not tell whether an address is known."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from leadgen.core import clock, settings
from leadgen.core.errors import TokenInvalid
from leadgen.core.tokens import Purpose

_NONCE_BYTES = 12
_BLOCK = 48  # contents are padded to whole blocks, so that the length of a number does not show


@lru_cache(maxsize=8)
def _ciphers(keys: tuple[str, ...]) -> list[AESGCM]:
    return [AESGCM(hashlib.sha256(b"sealed.v1" + key.encode()).digest()) for key in keys]


def seal(purpose: Purpose, payload: Any) -> str:
    """A URL-safe token that carries `payload` (JSON) for `purpose`, readable only by `unseal`."""
    contents = json.dumps([int(clock.now().timestamp()), payload], separators=(",", ":")).encode()
    contents += b" " * (-len(contents) % _BLOCK)
    nonce = os.urandom(_NONCE_BYTES)
    cipher = _ciphers(settings.get().secret_keys)[0]
    return (
        base64.urlsafe_b64encode(nonce + cipher.encrypt(nonce, contents, purpose.value.encode())).decode().rstrip("=")
    )


def unseal(purpose: Purpose, token: str, *, max_age: int) -> Any:
    """The payload of a token that we sealed for `purpose` at most `max_age` seconds ago. Raises TokenInvalid."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise TokenInvalid("not a token") from error
    for cipher in _ciphers(settings.get().secret_keys):
        try:
            contents = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.value.encode())
        except (InvalidTag, ValueError):
            continue
        sealed_at, payload = json.loads(contents)
        if clock.now().timestamp() - sealed_at > max_age:
            raise TokenInvalid("too old")
        return payload
    raise TokenInvalid("not sealed by us")
