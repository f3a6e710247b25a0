"""The environment of everything inside a bottle: one table, nothing inherited from the host.

Sources: spec egress, environment of the agent; rulings 6 and 7; what each client reads is measured
(``docs/providers.md``). Programs that ignore these are carried by the shim or reach nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot_bottle.providers.contract import GUEST_HOME

PROXY_PORT = 9099
PROXY_URL = f"http://127.0.0.1:{PROXY_PORT}"
GATE_PORT = 9418
"""Where a bottle with repositories reaches its git gate; git's own port, so nobody else's (gitprotocol-pack(5))"""
GATE_URL = f"http://127.0.0.1:{GATE_PORT}"
GATE_VARIABLE = "GIT_GATE_URL"
"""Set to that where there is one"""
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""The host's roots and the bottle's own CA, bound over the host's file."""

BASE = {
    "HOME": str(GUEST_HOME),
    "USER": "node",
    "LOGNAME": "node",
    "SHELL": "/bin/sh",
    "PATH": f"{GUEST_HOME}/.local/bin:/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",  # noqa: S108 - the bottle's own tmpfs
}

PROXY = (
    {name: PROXY_URL for stem in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for name in (stem, stem.lower())}
    | dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1")
    | {
        "NODE_USE_ENV_PROXY": "1",  # node's own fetch ignores the proxy without it (node 22.21 and 24)
    }
)

TRUST = dict.fromkeys(
    (
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "PIP_CERT",
        "CARGO_HTTP_CAINFO",
        "DENO_CERT",
        "AWS_CA_BUNDLE",
        "CODEX_CA_CERTIFICATE",
    ),
    CA_BUNDLE,
)

RESERVED = frozenset(PROXY) | frozenset(TRUST) | {"HOME", "USER", "LOGNAME", GATE_VARIABLE}
"""What a manifest or ``--env`` can't set: the way out would be "configured but not happening"."""


def agent_environment(
    provider: Mapping[str, str], literals: Mapping[str, str], forwarded: Mapping[str, str], term: str | None
) -> dict[str, str]:
    """All variables of a bottle's processes; the provider's stand above literals, ours above all."""
    env = dict(BASE)
    if term:
        env["TERM"] = term
    env.update(literals)
    env.update(forwarded)
    env.update(provider)
    env.update(PROXY)
    env.update(TRUST)
    return env
