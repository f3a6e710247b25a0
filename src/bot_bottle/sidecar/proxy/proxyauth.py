"""Proxy-Authorization (Basic, RFC 7617) for a proxy on an address that others reach (threats A8)."""

from __future__ import annotations

import base64
import binascii

from bot_bottle.base.secret import Secret
from bot_bottle.egress.request import RequestHead


class ProxyAuth:
    """Holds ``user:password``; compares in constant time (``Secret``'s equality)."""

    def __init__(self, user_and_password: Secret) -> None:
        self._wanted = user_and_password

    def admits(self, head: RequestHead) -> bool:
        """Whether *head* has exactly one ``Proxy-Authorization`` and it is the right one."""
        values = [value for name, value in head.headers if name.lower() == b"proxy-authorization"]
        if len(values) != 1:
            return False
        scheme, _, encoded = values[0].partition(b" ")
        try:
            given = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == b"basic" and Secret(given) == self._wanted
