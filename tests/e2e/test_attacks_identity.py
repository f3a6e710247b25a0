"""Whose request is it: names that disagree, that lie (threats C1, C3, C4).

One name is judged, asked for, dialled, shown in TLS, given the credential and written into the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import attacks_ground
import pytest
from attacks_support import (
    API,
    EVIL,
    KEY,
    LONG,
    NAMES,
    OPEN,
    WILD,
    Row,
    absolute,
    carried,
    client_hello,
    connect_line,
    everyway,
    get,
    play,
    tunnelled,
)

pytestmark = pytest.mark.slow

# -- C1

_HOSTS_REFUSED = {
    "another": b"Host: evil.example.net",
    "two, the second another": b"Host: {h}\r\nHost: evil.example.net",
    "two, the first another": b"Host: evil.example.net\r\nHost: {h}",
    "the same twice": b"Host: {h}\r\nHost: {h}",
    "two in one": b"Host: {h}, evil.example.net",
    "two with a space": b"Host: {h} evil.example.net",
    "userinfo": b"Host: {h}@evil.example.net",
    "userinfo with a port": b"Host: {h}:443@evil.example.net",
    "userinfo of another": b"Host: evil.example.net@{h}",
    "tab behind": b"Host: {h}\t",
    "tab inside": b"Host: {h}\tevil.example.net",
    "another port": b"Host: {h}:8443",
    "port with a zero": b"Host: {h}:0443",
    "port with a plus": b"Host: {h}:+443",
    "no port behind the colon": b"Host: {h}:",
    "two dots behind": b"Host: {h}..",
    "path": b"Host: {h}/evil.example.net",
    "fragment": b"Host: {h}#evil.example.net",
    "backslash": b"Host: {h}\\.evil.example.net",
    "as a URL": b"Host: http://{h}/",
    "empty": b"Host: ",
    "none": b"X-Host: {h}",
    "space before the colon": b"Host : {h}",
    "folded": b"Host:\r\n {h}",
    "folded, another behind": b"Host: {h}\r\n evil.example.net",
    "behind a bare LF": b"X: y\nHost: evil.example.net\r\nHost: {h}",
    "behind a bare CR": b"X: y\rHost: evil.example.net\r\nHost: {h}",
    "NUL": b"Host: {h}\0evil.example.net",
}

_HOSTS_TAKEN = {
    "as it is": b"Host: {h}",
    "upper case": b"HOST: OPEN.Example.COM",
    "dot behind": b"Host: {h}.",
    "spaces around": b"Host:   {h}  ",
}


def _disagreements() -> Iterator[Row]:
    for name, lines in _HOSTS_REFUSED.items():
        request = b"GET {p}/{m} HTTP/1.1\r\n" + lines + b"\r\nConnection: close\r\n\r\n"
        yield from everyway(f"Host: {name}", OPEN, request, wants=(403,))
    for name, lines in _HOSTS_TAKEN.items():
        request = b"GET {p}/{ok} HTTP/1.1\r\n" + lines + b"\r\nConnection: close\r\n\r\n"
        yield from everyway(f"Host: {name}", OPEN, request, wants=(200,))
    for one in (API, EVIL):
        for two in (API, EVIL, None):
            for three in (API, EVIL):
                if (one, two or API, three) == (API, API, API):
                    continue
                names = f"{one}, {two}, {three}"
                yield tunnelled(f"CONNECT, SNI, Host: {names}", one, two, get(three), wants=(403,))
                yield carried(f"look-up, SNI, Host: {names}", one, two, get(three), wants=(403,))
    for sni, host, mark, wants in (
        *((API, EVIL, "/{m}", (403,)), (EVIL, API, "/{m}", (403,)), (EVIL, EVIL, "/{m}", (403,))),
        *((API, API, "/{ok}", (200,)), (None, API, "/{m}", ()), (None, EVIL, "/{m}", ())),
    ):
        yield carried(f"no look-up, SNI, Host: {sni}, {host}", "127.0.0.1", sni, get(host, mark), wants=wants)
    yield tunnelled("no SNI, one name", API, None, get(API, "/{ok}"), wants=(200,))
    yield tunnelled("upper case and dots", "API.Example.COM.", "API.example.com", get("aPi.example.com.", "/{ok}"),
                    wants=(200,))  # fmt: skip
    yield carried("carried, upper case and a dot", "API.Example.COM.", "API.example.com",
                  get("aPi.example.com.:443", "/{ok}"), wants=(200,))  # fmt: skip
    for name, url, host in (
        ("another URL", f"https://{EVIL}/{{m}}", API),
        ("another Host", f"https://{API}/{{m}}", EVIL),
        ("another scheme", f"http://{API}/{{m}}", API),
        ("another port", f"https://{API}:8443/{{m}}", API),
        ("userinfo", f"https://{API}@{EVIL}/{{m}}", API),
        ("own userinfo", f"https://user:word@{API}/{{m}}", API),
        ("two slashes", f"//{EVIL}/{{m}}", EVIL),
    ):
        yield tunnelled(f"absolute form in a tunnel: {name}", API, API, get(host, url), wants=(403,))
        yield carried(f"absolute form, carried: {name}", API, API, get(host, url), wants=(403,))
    for name, url, host in (
        ("another Host", f"http://{OPEN}/{{m}}", EVIL),
        ("another URL", f"http://{EVIL}/{{m}}", OPEN),
        ("userinfo", f"http://{OPEN}@{EVIL}/{{m}}", EVIL),
        ("userinfo, open in front", f"http://{OPEN}:80@{EVIL}/{{m}}", OPEN),
        ("userinfo with a slash", f"http://{EVIL}\\@{OPEN}/{{m}}", OPEN),
        ("no authority", "/{m}", EVIL),
        ("https without TLS", f"https://{EVIL}/{{m}}", EVIL),
        ("another scheme", f"ftp://{EVIL}/{{m}}", EVIL),
    ):
        yield absolute(f"to the proxy: {name}", get(host, url), wants=(403,))
    for name, one, two in (
        ("another", f"{API}:443", f"{EVIL}:443"),
        ("the allowed one in Host", f"{EVIL}:443", f"{API}:443"),
        ("another port", f"{API}:443", f"{API}:22"),
        ("userinfo", f"{API}:443@{EVIL}:443", f"{EVIL}:443"),
        ("no port", API, API),
        ("port 0", f"{API}:0", f"{API}:0"),
        ("a path", f"{API}:443/", f"{API}:443"),
        ("a URL", f"https://{API}:443", f"{API}:443"),
    ):
        yield Row(f"CONNECT's own: {name}", (get(API),), connect_line(one, two), tls=({"sni": EVIL},),
                  connected=403, path="explicit")  # fmt: skip


# -- C3, C4

_MALFORMED = {
    "NUL, the open one first": b"open.example.com\0.evil.example.net",
    "NUL, the open one last": b"evil.example.net\0.open.example.com",
    "NUL encoded": b"open.example.com%00.evil.example.net",
    "control": b"evil.example.net\x01",
    "delete": b"open.example.com\x7f.evil.example.net",
    "encoded dots": b"evil%2eexample%2enet",
    "encoded letter": b"%65vil.example.net",
    "ideographic dots": "evil\u3002example\u3002net".encode(),
    "full-width dots": "evil\uff0eexample\uff0enet".encode(),
    "full-width letters": "\uff45vil.example.net".encode(),
    "U-label": "\u00e9vil.example.net".encode(),
    "latin-1": b"\xe9vil.example.net",
    "zero width": "open.example.com\u200b.evil.example.net".encode(),
    "no A-label": b"xn--\xe9.example.net",
    "an A-label that is none": b"xn--a.example.net",
    "an A-label of ASCII": b"xn--open-.example.com",
    "overlong label": b"a" * 64 + b".example.net",
    "overlong": b".".join([b"a" * 50] * 6) + b".example.net",
    "empty label": b"open..example.com",
    "dot in front": b".open.example.com",
    "two dots behind": b"evil.example.net..",
    "a dot alone": b".",
    "hyphen in front": b"-evil.example.net",
    "hyphen behind": b"evil-.example.net",
    "underscore": b"_evil.example.net",
    "a star": b"*.wild.example.org",
    "backslash": b"evil.example.net\\.open.example.com",
    "semicolon": b"evil.example.net;.open.example.com",
    "quotation mark": b'"evil.example.net"',
    "comma": b"evil.example.net,open.example.com",
    "brackets": b"[evil.example.net]",
    "a bracket": b"[evil.example.net",
}

_FOREIGN = {
    "the wildcard's apex": "wild.example.org",
    "a letter in front": "evilwild.example.org",
    "another suffix": "wild.example.org.evil.example.net",
    "below another": "x.wild.example.org.example.net",
    "a hyphen for the dot": "x-wild.example.org",
    "below an exact route": "x.open.example.com",
    "above an exact route": "example.com",
    "an exact route's letters": "xopen.example.com",
    "a look-alike of another script": "xn--pen-emc.example.com",
    "ours, never a route": "egress.local",
}


def _spelled() -> Iterator[Row]:
    for name, host in _MALFORMED.items():
        yield Row(f"CONNECT {name}", (get(EVIL),), connect_line(host + b":443"), tls=({"sni": EVIL},),
                  connected=403, path="explicit")  # fmt: skip
        yield absolute(f"URL {name}", get(host, b"http://" + host + b"/{m}"), wants=(403,))
        yield absolute(f"URL {name}, Host of another", get(OPEN, b"http://" + host + b"/{m}"), wants=(403,))
        yield tunnelled(f"Host {name}", OPEN, OPEN, get(host), wants=(403,))
        yield Row(f"Host {name}, carried 80", (get(host),), dial=(OPEN, 80), wants=(403,), path="transparent")
        yield Row(f"Host {name}, carried 80, no look-up", (get(host),), dial=("127.0.0.1", 80), wants=(403,),
                  or_closed=True, path="transparent")  # fmt: skip
        sni = LONG + b"." + host
        hello = client_hello(sni)
        yield Row(
            f"SNI {name}", (hello, b"garbage"), connect_line(f"{OPEN}:443"), turns=True, path="explicit"
        )
        yield Row(
            f"SNI {name}, carried", (hello, b"garbage"), dial=(OPEN, 443), turns=True, path="transparent"
        )
        yield Row(
            f"SNI {name}, no look-up", (hello, b"x"), dial=("127.0.0.1", 443), turns=True, path="transparent"
        )
        if max(map(len, host.split(b"."))) < 64:
            yield _query(f"query {name}", LONG + b"." + host)


def _query(name: str, host: bytes, kind: int = 1) -> Row:
    labels = b"".join(bytes([len(label)]) + label for label in host.split(b".") if label)
    packet = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0" + labels + b"\0" + kind.to_bytes(2, "big") + b"\0\x01"
    return Row(name, (packet,), dial=("127.0.0.1", 53), datagram=True, path="transparent")


def _foreign() -> Iterator[Row]:
    for name, host in _FOREIGN.items():
        yield from everyway(
            name, host, b"GET {p}/{m} HTTP/1.1\r\nHost: {h}\r\nConnection: close\r\n\r\n", wants=(403,)
        )
    for host in (f"x.{WILD}", f"a.b.{WILD}", f"X.{WILD}."):
        request = b"GET {p}/{ok} HTTP/1.1\r\nHost: {h}\r\nConnection: close\r\n\r\n"
        yield from everyway(f"below the wildcard: {host}", host, request, wants=(200,))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_names_that_lie(person):
    """C3, C4: what is no name, or another's, is refused, and not even asked for.

    The attacker's machine is Python's ssl, which complains of names that are not ASCII.
    """
    with attacks_ground.internet(person, names=NAMES) as world:
        play(person, world, [*_spelled(), *_foreign()])
    assert any(record["event"] == "egress_block" for record in _log(person)), "each line is one record"


def test_names_that_disagree(person) -> None:
    """C1: whichever two of CONNECT, look-up, SNI, Host and URL differ; what passes has one name everywhere."""
    with attacks_ground.internet(person, names=NAMES) as world:
        play(person, world, _disagreements())
        passed = [request for request in world.upstream.requests if request.target[7:8] == "y"]
        assert passed
        for request in passed:
            own = API if request.sni == API else OPEN
            assert request.sni in (None, own) and request.all("host") == [own], request
            assert request.all("authorization") == ([f"Bearer {KEY}"] if own == API else []), request
        assert KEY.encode() not in world.evil.raw
    blocked = [record for record in _log(person) if record["event"] == "egress_block"]
    ours = [host for record in blocked if not _of_the_self_test(host := record.get("host", ""))]
    assert len(ours) > 100 and set(ours) <= {API, OPEN, EVIL, ""}, "the log writes the name that was judged"


def _of_the_self_test(host: str) -> bool:
    return host.endswith(".invalid") or host.replace(".", "").isdigit() or ":" in host


def _log(person) -> list[dict]:
    (path,) = (person.home / ".bot-bottle/logs").rglob("*.egress.log")
    return [json.loads(line) for line in path.read_text().splitlines()]
