"""URLs of git upstreams, split strictly: what has two readings, or could become an option, is refused.

Not ``urllib.parse``: that drops line breaks and keeps what it does not understand; git and ssh read the
same text after us (CVE-2017-1000117: a host that begins with a dash is an option of ssh; ``ext::COMMAND`` runs
a command, gitremote-helpers(7)).
"""

from __future__ import annotations

import re

from bot_bottle.gitgate.config import UrlScheme
from bot_bottle.manifest.fields import fail, string
from bot_bottle.manifest.schema import Upstream
from bot_bottle.manifest.tree import Node

_SHAPES = "ssh://[user@]host[:port]/path, user@host:path or https://host[:port]/path"
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}\Z")
_V6 = re.compile(r"\[[0-9A-Fa-f:.]{2,45}\]\Z")
_PORT = re.compile(r"[0-9]{1,5}\Z")
_PATH = re.compile(r"[!-~\u00a1-\uffff]+\Z")
_NOT_IN_PATHS = frozenset("?#\\\"'`$;|&<>")
MAX_URL_CHARS = 2048


def upstream(node: Node) -> Upstream:
    """The upstream at *node*. CR, LF and other controls are refused: they would add lines to the agent's
    gitconfig."""
    text = string(node)
    if len(text) > MAX_URL_CHARS:
        fail(node, f"must be at most {MAX_URL_CHARS} characters")
    if text.startswith("ssh://"):
        return _standard(node, text, UrlScheme.SSH)
    if text.startswith("https://"):
        return _standard(node, text, UrlScheme.HTTPS)
    if "://" in text or ":" not in text.partition("/")[0]:
        fail(node, f"must be {_SHAPES}, not {text!r}")
    return _scp(node, text)


def alias(node: Node) -> str:
    """A ``Host`` alias of an ssh configuration."""
    name = string(node)
    if not _NAME.match(name):
        fail(node, f"must be a host alias of letters, digits, '.', '_' and '-', not {name!r}")
    return name


def _standard(node: Node, text: str, scheme: UrlScheme) -> Upstream:
    authority, slash, path = text[len(scheme) + 3 :].partition("/")
    user, at, hostport = authority.rpartition("@")
    if scheme is UrlScheme.HTTPS and at:
        fail(
            node,
            "must not hold a credential: remove what stands before '@' and use key: "
            "{provider: token, token_ref: HOST_VARIABLE}",
        )
    if not slash:
        fail(node, f"must end with the repository's path ({_SHAPES})")
    if hostport.startswith("["):
        host, closed, rest = hostport.partition("]")
        if not closed or (rest and (not rest.startswith(":") or rest == ":")):
            fail(node, f"must be {_SHAPES}, not {text!r}")
        host, port = f"{host}]", rest.removeprefix(":")
    else:
        host, colon, port = hostport.partition(":")
        if colon and not port:
            fail(node, "must have a port after ':': add one or remove the colon")
    number = _port(node, port) if port else None
    return _made(node, text, scheme, user if at else None, host, number, path, scp=False)


def _scp(node: Node, text: str) -> Upstream:
    authority, _, path = text.partition(":")
    user, at, host = authority.rpartition("@")
    return _made(node, text, UrlScheme.SSH, user if at else None, host, None, path, scp=True)


def _port(node: Node, text: str) -> int:
    if not _PORT.match(text) or not 1 <= int(text) <= 65535:
        fail(node, f"must have a port between 1 and 65535, not {text!r}")
    return int(text)


def _made(
    node: Node,
    text: str,
    scheme: UrlScheme,
    user: str | None,
    host: str,
    port: int | None,
    path: str,
    *,
    scp: bool,
) -> Upstream:
    if user is not None and not _USER.match(user):
        fail(node, f"must have a user of letters, digits, '.', '_' and '-' before '@', not {user!r}")
    if not (_NAME.match(host) or _V6.match(host)) or ".." in host:
        fail(node, f"must have a host name, not {host!r}")
    steps = path.split("/")
    if not _PATH.match(path) or path.startswith(("-", ":")) or ".." in steps or set(path) & _NOT_IN_PATHS:
        fail(node, f"must have a plain path without '..', quotes or shell characters, not {path!r}")
    return Upstream(text, scheme, host.lower(), path, user or "", port, scp)
