"""The SSH host keys of an upstream: pinned by the manifest, or out of the operator's ``known_hosts``.

Read by ``ssh-keygen -F`` (ssh-keygen(1)), which knows hashed names, patterns and markers as ``ssh`` does
(sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). The operator's ssh configuration is not read: an alias stands in the
manifest.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.process import ProcessFailed, find_program, run

FILES = ("known_hosts", "known_hosts2")
"""Below ``~/.ssh``: the defaults of ``UserKnownHostsFile`` (ssh_config(5))"""
KEY_TYPES = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
    "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
)  # fmt: skip
LOOKUP_TIMEOUT_S = 10.0
"""Milliseconds for a file of thousands of hashed names."""
SSH_PORT = 22


class HostKeyUnknown(BotBottleError):
    """Nothing says which key the upstream has; the message has the fix."""


def parse_host_key(text: str) -> str:
    """``TYPE BASE64`` of a pinned key; a comment behind it is left out. Raises :class:`HostKeyUnknown`."""
    words = text.split()
    if len(words) < 2 or words[0] not in KEY_TYPES or not _is_of_type(words[0], words[1]):
        raise HostKeyUnknown(
            f"must be a public host key, as 'ssh-ed25519 AAAA…', not {text[:40]!r}: take the second and third "
            "word of a line that ssh-keyscan prints, once you have compared its fingerprint"
        )
    return f"{words[0]} {words[1]}"


def find_host_keys(ssh_directory: Path, host: str, port: int | None) -> tuple[str, ...]:
    """``TYPE BASE64`` of every key that *ssh_directory* says *host* has, without those that are revoked.

    Raises :class:`HostKeyUnknown` when there is none, ``ProcessFailed`` without ``ssh-keygen``.
    """
    name = lookup_name(host, port)
    if find_program("ssh-keygen") is None:
        raise ProcessFailed("ssh-keygen is not on PATH: install openssh-client")
    found: list[str] = []
    revoked: set[str] = set()
    for file in FILES:
        path = ssh_directory / file
        if not path.is_file():
            continue
        # Status 1: the name is not in it; the output says the same.
        done = run(["ssh-keygen", "-F", name, "-f", str(path)], timeout_s=LOOKUP_TIMEOUT_S, check=False)
        _read(done.stdout.decode("utf-8", "replace"), found, revoked)
    keys = tuple(dict.fromkeys(key for key in found if key not in revoked))
    if not keys:
        raise HostKeyUnknown(_unknown(ssh_directory, host, port, name, marked=bool(found or revoked)))
    return keys


def lookup_name(host: str, port: int | None) -> str:
    """As ``known_hosts`` names it: ``host``, or ``[host]:port`` where the port is another than 22."""
    bare = host.removeprefix("[").removesuffix("]")
    return bare if port in (None, SSH_PORT) else f"[{bare}]:{port}"


def _read(output: str, found: list[str], revoked: set[str]) -> None:
    for line in output.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0].startswith("@") else ""
        if len(words) < 3 or not _is_of_type(words[1], words[2]):
            continue
        key = f"{words[1]} {words[2]}"
        if marker == "@revoked":
            revoked.add(key)
        elif not marker and words[1] in KEY_TYPES:  # a host's own key; @cert-authority is another's
            found.append(key)


def _unknown(directory: Path, host: str, port: int | None, name: str, *, marked: bool) -> str:
    option: Sequence[str] = () if port in (None, SSH_PORT) else ("-p", str(port))
    scan = " ".join(["ssh-keyscan", *option, host.removeprefix("[").removesuffix("]")])
    path = directory / FILES[0]
    text = (
        f"every key of {name!r} in {str(path)!r} is revoked"
        if marked
        else f"no key of {name!r} is in {str(path)!r}"
    )
    return (
        f"{text}, so the upstream can't be told from somebody else: run '{scan} >> {path}' and compare the "
        "fingerprint (ssh-keygen -lf) with the one that the forge publishes, or pin it with host_key"
    )


def _is_of_type(kind: str, encoded: str) -> bool:
    """Whether the base64 of a public key says that it is of *kind* (RFC 4253, section 6.6)."""
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    size = int.from_bytes(blob[:4], "big")
    return len(blob) > 4 + size and blob[4 : 4 + size] == kind.encode()
