"""A private key file of the operator's, read for the git gate; every mistake has its own sentence and fix.

The gate gets the text alone, so the file's permissions matter to the operator only. Formats: OpenSSH's own
(PROTOCOL.key of OpenSSH) and PEM (RFC 7468); what is needed is that ``ssh`` signs with it without asking.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from msgspec import Struct

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret

MAX_KEY_BYTES = 64 * 1024
"""An RSA key of 16,384 bits has 13 KB."""

_ENOUGH_BITS = 2048
_ARMOUR = "-----BEGIN "
_PUBLIC = (
    "ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2 PUBLIC KEY", "-----BEGIN PUBLIC KEY",
    "-----BEGIN RSA PUBLIC KEY",
)  # fmt: skip
_SEALED = ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED")


class KeyUnusable(BotBottleError):
    """The file is no private key that the gate can sign with; the message names it and the fix."""


class PrivateKey(Struct, frozen=True):
    """One that works."""

    text: Secret
    """with the line ends that ``ssh`` wants"""
    kind: str
    """``ed25519``, ``ecdsa`` or ``rsa``"""
    warnings: tuple[str, ...] = ()


def read_private_key(path: Path) -> PrivateKey:
    """The key in *path*; raises :class:`KeyUnusable`."""
    data, mode = _contents(path)
    try:
        text = data.decode("ascii").replace("\r\n", "\n").strip() + "\n"
    except UnicodeDecodeError:
        raise KeyUnusable(f"{str(path)!r} is no private key: name an OpenSSH or PEM file") from None
    _refuse_by_shape(path, text)
    warnings = []
    if mode & 0o077:
        warnings.append(f"{str(path)!r} can be read by others (mode {mode:04o}): chmod 600 it")
    return PrivateKey(Secret(text), _kind(path, text), tuple(warnings))


def _contents(path: Path) -> tuple[bytes, int]:
    """The file's bytes and permission bits. It is the operator's, so links are followed; nothing is waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyUnusable(
            f"{str(path)!r} is not there: make it (ssh-keygen -t ed25519 -N '' -f {path}) and give its "
            "public half to the upstream, or name another file"
        ) from None
    except OSError as error:
        raise KeyUnusable(
            f"{str(path)!r} can't be read ({error.strerror}): let your user read it, or name another file"
        ) from error
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise KeyUnusable(f"{str(path)!r} is no regular file: name the private key file itself")
        data = b""
        while len(data) <= MAX_KEY_BYTES and (block := os.read(fd, MAX_KEY_BYTES + 1)):
            data += block
    except OSError as error:
        raise KeyUnusable(f"{str(path)!r} can't be read: {error.strerror}") from error
    finally:
        os.close(fd)
    if len(data) > MAX_KEY_BYTES:
        raise KeyUnusable(
            f"{str(path)!r} has more than {MAX_KEY_BYTES} bytes, which no key has: name another"
        )
    return data, stat.S_IMODE(found.st_mode)


def _refuse_by_shape(path: Path, text: str) -> None:
    if text.startswith(_PUBLIC):
        private = str(path).removesuffix(".pub")
        fix = f"name {private!r}" if private != str(path) else "name the file without .pub"
        raise KeyUnusable(f"{str(path)!r} is a public key: {fix}, which is its private half")
    if text.startswith("PuTTY-User-Key-File"):
        raise KeyUnusable(
            f"{str(path)!r} is in PuTTY's format: write it as OpenSSH's (puttygen {path} -O private-openssh)"
        )
    if not text.startswith(_ARMOUR):
        raise KeyUnusable(f"{str(path)!r} is no private key: name an OpenSSH or PEM file")
    if any(mark in text for mark in _SEALED):
        raise _passphrase(path)


def _passphrase(path: Path) -> KeyUnusable:
    return KeyUnusable(
        f"{str(path)!r} is protected by a passphrase, which nobody is there to type for the gate: make a key "
        "for this repository without one (ssh-keygen -t ed25519 -N '' -f FILE) and name that, or let the gate "
        "make deploy keys (key: {provider: gitea, github or gitlab, …})"
    )


def _kind(path: Path, text: str) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm  # 30 ms that only a bottle with a key pays
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    openssh = text.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    try:
        key = (load_ssh_private_key if openssh else load_pem_private_key)(text.encode(), None)
    except TypeError:  # "Password was not given but private key is encrypted"; "Key is password-protected"
        raise _passphrase(path) from None
    except UnsupportedAlgorithm:
        raise KeyUnusable(
            f"{str(path)!r} is of a kind that the gate can't sign with (on a security token, or DSA): use an "
            "ed25519 key in a file"
        ) from None
    except ValueError as error:
        if openssh and "password" in str(error).lower():
            raise _passphrase(path) from None
        raise KeyUnusable(
            f"{str(path)!r} is damaged: it begins like a private key and can't be read as one; copy it again"
        ) from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return "ecdsa"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _ENOUGH_BITS:
        return "rsa"
    raise KeyUnusable(f"{str(path)!r} is of a kind that upstreams refuse: use an ed25519 key")
