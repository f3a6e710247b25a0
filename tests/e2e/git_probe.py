"""Pushes of git's smart HTTP, byte for byte as ordered, from inside a bottle or from outside: no git needed.

Standard input holds one JSON list of orders (see :func:`push`), standard output one list of results.
"""

from __future__ import annotations

import base64
import json
import ssl
import sys
import urllib.error
import urllib.request
from typing import Any

NULL = "0" * 40
TIMEOUT_S = 120


def line(data: bytes) -> bytes:
    return f"{len(data) + 4:04x}".encode() + data


def lines(data: bytes) -> list[bytes | None]:
    """Of pkt-lines; None: a flush. What is no such line ends the list."""
    found: list[bytes | None] = []
    at = 0
    while at + 4 <= len(data):
        try:
            size = int(data[at : at + 4], 16)
        except ValueError:
            break
        if size < 4:
            found.append(None)
            at += 4
        else:
            found.append(data[at + 4 : at + size])
            at += size
    return found


def ask(url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body; status 0: the connection ended."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unchecked)]
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(urllib.request.Request(url, body, headers), timeout=TIMEOUT_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, ValueError) as error:
        return 0, f"{type(error).__name__}: {error}".encode()


def advertised(url: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    """The refs that a push may start from."""
    status, body = ask(f"{url}/info/refs?service=git-receive-pack", None, headers)
    refs = {}
    for one in lines(body):
        words = (one or b"").partition(b"\0")[0].rstrip(b"\n").split(b" ", 1)
        if len(words) == 2 and len(words[0]) == 40:
            refs[words[1].decode("latin-1")] = words[0].decode()
    return status, refs


def push(order: dict[str, Any]) -> dict[str, Any]:
    """*order*: ``url, refs, pack`` (base64), and ``headers, shallow, options, capabilities, old``.

    The result: ``advertised`` and ``status`` of HTTP, ``report`` (lines ``ok REF``, ``ng REF why``, ``unpack …``) and
    ``said`` (what came beside it).
    """
    headers = order.get("headers", {})
    status, have = advertised(order["url"], headers)
    if status != 200:
        return {"advertised": status, "status": 0, "report": [], "said": ""}
    words = ["report-status", "side-band-64k", "ofs-delta", *order.get("capabilities", [])]
    options = order.get("options", [])
    if options:
        words.append("push-options")
    body = b"".join(line(f"shallow {oid}".encode()) for oid in order.get("shallow", []))
    for number, (ref, new) in enumerate(order["refs"].items()):
        old = order.get("old", {}).get(ref, have.get(ref, NULL))
        told = f"{old} {new} ".encode() + ref.encode("latin-1")
        body += line(told + (b"\0 " + " ".join(words).encode() if number == 0 else b""))
    body += b"0000"
    if options:
        body += b"".join(line(option.encode()) for option in options) + b"0000"
    body += base64.b64decode(order["pack"])
    kind = {"Content-Type": "application/x-git-receive-pack-request", **headers}
    status, answer = ask(f"{order['url']}/git-receive-pack", body, kind)
    result, said = bytearray(), bytearray()
    for one in lines(answer):
        if one is not None:
            (result if one[:1] == b"\1" else said).extend(one[1:])
    report = [(one or b"").rstrip(b"\n").decode("latin-1") for one in lines(bytes(result)) if one]
    return {"advertised": 200, "status": status, "report": report, "said": said.decode("utf-8", "replace")}


if __name__ == "__main__":
    print(json.dumps([push(one) for one in json.load(sys.stdin)]))
