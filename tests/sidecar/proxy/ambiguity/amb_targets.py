"""Changes to what a request is for: forms of target, hosts, ports, IP literals, names, paths, queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from amb_draft import Draft, Mutation

NAMES = [
    b"amb.example", b"AMB.EXAMPLE", b"Amb.Example", b"amb.example.", b"amb.example..", b".amb.example",
    b"amb..example", b"amb.example:80", b"amb.example:443", b"amb.example:", b"amb.example:0",
    b"amb.example:080", b"amb.example:+80", b"amb.example:-80", b"amb.example: 80", b"amb.example:80 ",
    b"amb.example :80", b"amb.example:8080", b"amb.example:65616", b"amb.example:4294967376",
    b"amb.example:80:80", b"amb.example:http", b"amb.example:8o", b"amb.example:0x50",
    b"amb.example:\xd9\xa8\xd9\xa0", b"amb.example:80/", b"amb.example:80@evil.example", b"evil.example",
    b"evil.example:80", b"user@amb.example", b"user:pass@amb.example", b"@amb.example",
    b"amb.example@evil.example", b"evil.example@amb.example", b"amb.example:80@evil.example:80",
    b"amb.example%40evil.example", b"amb.example#@evil.example", b"amb.example\\@evil.example",
    b"amb.example/@evil.example", b"amb.example?@evil.example", b"evil.example#amb.example",
    b"evil.example\\amb.example", b"evil.example/amb.example", b"evil.example?amb.example",
    b"evil.example;amb.example", b"amb.example,evil.example", b"amb.example, evil.example",
    b"amb.example evil.example", b"evil.example\tamb.example", b"amb.example;", b"amb.example.evil.example",
    b"evilamb.example", b"evil-amb.example", b"a.amb.example", b"example", b"amb", b"", b".", b"..", b"*",
    b"*.example", b"amb%2eexample", b"amb%2Eexample", b"%61mb.example", b"amb.example%00",
    b"amb.example%00.evil.example", b"amb.example\0.evil.example", b"evil.example\0amb.example",
    b"evil.example%00.amb.example", b"amb.example%20", b"amb.example%0d%0aX:%20y",
    b"amb\xe3\x80\x82example", b"amb\xef\xbc\x8eexample", b"amb\xef\xbd\xa1example", b"\xd0\xb0mb.example",
    b"amb.ex\xc3\xa4mple", b"amb.example\xc2\xad", b"amb\xe2\x80\x8b.example", b"\xef\xbd\x81mb.example",
    b"amb.example\xff", b"amb_.example", b"_amb.example", b"amb-.example", b"-amb.example",
    b"xn--amb.example", b"xn--amb-.example", b"xn--.example", b"amb.xn--example", b"xn--bcher-kva.example",
    b"XN--BCHER-KVA.EXAMPLE", b"b\xc3\xbccher.example", b"bu\xcc\x88cher.example", b"B\xc3\x9cCHER.example",
    b"xn--bcher-KVA.example", b"b%C3%BCcher.example", b"xn--bcher-kv.example", b"b\xfccher.example",
    b"xn--bcher-kva.example.", b"xn--bcher-kva.xn--example-", b"[amb.example]", b"(amb.example)",
    b"'amb.example'", b'"amb.example"', b"<amb.example>", b"amb.example'", b"amb.example!", b"amb.example$",
    b"amb.example&", b"amb.example~", b"http://amb.example", b"//amb.example", b"amb.example//",
    b"_egress.local", b"localhost", b"localhost.", b"metadata.google.internal", b"host.bot-bottle.internal",
    b"a" * 64 + b".example", b"a." * 127 + b"example", b"amb.example" + b"." * 5,
    b"amb.example:" + b"0" * 100 + b"80", b"amb.example\x7f", b"amb\x85.example", b"amb.example|",
    b"amb^.example", b"amb`.example", b"amb+.example", b"amb=.example", b"amb{}.example",
]  # fmt: skip
LITERALS = [
    b"192.0.2.7", b"192.0.2.7.", b"192.0.2.7:80", b"192.0.2.07", b"192.0.2.007", b"192.0.02.7",
    b"0192.0.2.7", b"0300.0.2.7", b"0300.0.2.07", b"0xc0.0.2.7", b"0xC0.0x0.0x2.0x7", b"0xc0000207",
    b"0XC0000207", b"3221225991", b"030000001007", b"192.519", b"192.0.519", b"192.0.0x207", b"192.0.2.7.0",
    b"192.0.2", b"192.0.2.263", b"192.0.2.-249", b"192.0.2.7a", b"192.0.2.+7", b"192.0.2. 7", b"192..2.7",
    b"192.0.2.\xef\xbc\x97", b"\xe2\x91\xa0\xe2\x91\xa8\xe2\x91\xa1.0.2.7",
    b"192\xe3\x80\x820\xe3\x80\x822\xe3\x80\x827", b"192%2e0%2e2%2e7", b"%31%39%32.0.2.7", b"[192.0.2.7]",
    b"4294967296", b"18446744072635812359", b"127.0.0.1", b"127.1", b"127.0.1", b"0", b"0.0.0.0",
    b"0x7f000001", b"2130706433", b"017700000001", b"127.0.0.1.", b"169.254.169.254", b"2852039166",
    b"0xa9fea9fe", b"[2001:db8::7]", b"[2001:DB8::7]", b"[2001:db8::7]:80", b"[2001:db8::0007]",
    b"[2001:db8:0::7]", b"[2001:db8:0:0:0:0:0:7]", b"[2001:0db8::7]", b"[2001:db8::0.0.0.7]",
    b"2001:db8::7", b"[2001:db8::7", b"2001:db8::7]", b"[[2001:db8::7]]", b"[2001:db8::7%eth0]",
    b"[2001:db8::7%25eth0]", b"[2001:db8::7]x", b"[2001:db8::7].", b"[2001:db8::7]:", b"[2001:db8::7]:080",
    b"[2001:db8::7]@evil.example", b"[2001:db8:::7]", b"[::2001:db8::7]", b"[2001:db8::7/64]", b"[::1]",
    b"[::]", b"[::ffff:192.0.2.7]", b"[::ffff:c000:207]", b"[::192.0.2.7]", b"[::c000:207]",
    b"[64:ff9b::192.0.2.7]", b"[64:ff9b::c000:207]", b"[2002:c000:207::]", b"[::ffff:0:192.0.2.7]",
    b"[0:0:0:0:0:ffff:192.0.2.7]", b"[::169.254.169.254]", b"[::ffff:a9fe:a9fe]", b"[64:ff9b::a9fe:a9fe]",
    b"[fd00:ec2::254]", b"[fe80::1]", b"[v1.192.0.2.7]", b"[vF.2001:db8::7]", b"[2001:db8::7\0]",
    b"[2001:db8::%37]", b"[ 2001:db8::7]", b"[\xef\xbc\x92001:db8::7]", b"[]",
]  # fmt: skip


def hosts() -> Iterator[Mutation]:
    for kind, names in (("host", NAMES), ("literal", LITERALS)):
        for name in names:
            yield Mutation(
                kind, f"Host {name[:40]!r}", lambda d, n=name: d.with_host(b"Host: " + n), ("get", "post")
            )
            yield Mutation(
                kind, f"target {name[:40]!r}", lambda d, n=name: at(d, b"http://" + n + b"/ok/h"), ("get",)
            )
            yield Mutation(
                kind,
                f"both {name[:40]!r}",
                lambda d, n=name: at(d, b"http://" + n + b"/ok/b").with_host(b"Host: " + n),
                ("get",),
            )
            yield Mutation(
                kind, f"second Host {name[:40]!r}", lambda d, n=name: d.with_line(b"Host: " + n), ("get",)
            )
            yield Mutation(
                kind, f"first Host {name[:40]!r}", lambda d, n=name: d.with_line(b"host:" + n, at=0), ("get",)
            )
            if name and not set(b"\r\n") & set(name):
                yield Mutation(kind, f"CONNECT {name[:40]!r}", lambda d, n=name: tunnel(d, n), ("get",))


def tunnel(draft: Draft, name: bytes) -> Draft:
    """Through a CONNECT to *name*, with a Host that says the same."""
    host = name if b":" in name[name.find(b"]") + 1 :] else name + b":80"
    return replace(draft.with_host(b"Host: " + name), connect=host)


def at(draft: Draft, target: bytes) -> Draft:
    return replace(draft, target=target, whole_target=True)


FORMS = [
    b"", b"*", b"/", b"//", b"/*", b"amb.example:80", b"amb.example:443", b"amb.example",
    b"amb.example/ok/p", b"//amb.example/ok/p", b"///ok/p", b"http:/ok/p", b"http:ok/p", b"http:///ok/p",
    b"http:////amb.example/ok/p", b"http:amb.example/ok/p", b"http:/amb.example/ok/p",
    b"http:\\\\amb.example\\ok\\p", b"http://amb.example", b"http://amb.example?x",
    b"http://amb.example?/ok/p", b"http://amb.example#/ok/p", b"http://amb.example/",
    b"HTTP://amb.example/ok/p", b"hTTp://amb.example/ok/p", b"https://amb.example/ok/p",
    b"HTTPS://AMB.EXAMPLE/ok/p", b"httpx://amb.example/ok/p", b"ftp://amb.example/ok/p",
    b"ws://amb.example/ok/p", b"wss://amb.example/ok/p", b"file:///ok/p", b"javascript:/ok/p",
    b"data:,/ok/p", b"mailto:a@amb.example", b"urn:ok", b"h2c://amb.example/ok/p",
    b" http://amb.example/ok/p", b"http ://amb.example/ok/p", b"http: //amb.example/ok/p",
    b"http://amb.example /ok/p", b"http%3a//amb.example/ok/p", b"http://amb.example\\ok\\p",
    b"http://amb.example\\@evil.example/ok/p", b"http://user@amb.example/ok/p",
    b"http://user:p%40w@amb.example/ok/p", b"http://@amb.example/ok/p", b"http://:@amb.example/ok/p",
    b"http://amb.example:80@evil.example/ok/p", b"http://evil.example@amb.example/ok/p",
    b"http://amb.example/ok/p@evil.example", b"http://amb.example/http://evil.example/", b"/ok/p#",
    b"/ok/p#frag", b"/ok/p#?x", b"/ok/p?x#y", b"/ok/p?", b"/ok/p??", b"/ok/p?x?y", b"?/ok/p", b"#", b"ok/p",
    b"./ok/p", b"../ok/p", b"\\ok\\p", b"/\\evil.example/ok/p", b"/ok\\p", b"/%6fk/p", b"/OK/p", b"/Ok/p",
    b"/%4f%4b/p", b"/ok", b"/okay", b"/ok/", b"/ok;/p", b"/ok%3b/p", b"/o%00k/p", b"@amb.example/ok/p",
    b"%2fok/p", b"%2Fok%2Fp", b"/%2fok/p", b"/ok/p HTTP/1.0\r\nX: y", b"/ok/p\thttp", b"/ok/p%20HTTP/1.0",
    b"http://amb.example/ok/p http://evil.example/", b"/ok/p /no/smuggled", b"/http://evil.example/ok/p",
    b"/ok/" + b"a" * 3000, b"/ok/" + b"a" * 16400, b"/ok?" + b"a" * 16500, b"/ok/" + b"%61" * 5000,
    b"/ok/" + b"../ok/" * 2000, b"/ok/" + b"/" * 8000, b"/ok/" + b"a/" * 4000,
]  # fmt: skip
PARTS = [
    b"/", b"//", b".", b"..", b"/./", b"/../", b"%2e", b"%2E", b"%2e%2e", b".%2e", b"%2e.", b"%252e",
    b"%2f", b"%2F", b"%252f", b"%5c", b"%5C", b"%255c", b"\\", b"%00", b"%2500", b"\0", b"%0a", b"%0d%0a",
    b"%20", b"+", b"%09", b"%7f", b"%80", b"%c0%ae", b"%c0%af", b"%e0%80%af", b"%c3%a9", b"%ff", b"%u002e",
    b"%u2215", b"%ef%bc%8f", b"%e2%88%95", b";", b";a=b", b"..;", b"..;/", b"..%3b/", b"%3b", b"%3f",
    b"%23", b"#", b"?", b"&", b"=", b"'", b'"', b"<", b">", b"`", b"{", b"}", b"|", b"^", b"[", b"]", b"~",
    b"!", b"$", b"(", b")", b"*", b",", b":", b"@", b"%", b"%%", b"%4", b"%zz", b"%+1", b"%25", b"%41",
    b"%6f%6b", b"no", b"ok", b"a", b"...", b". ", b"..%00", b"..%0a", b"\xc3\xa9", b"\xff", b"\xef\xbc\x8f",
    b"%E2%80%8B", b"%C2%A0", b"_method=DELETE", b"index.php", b"%1f", b"%0b", b"%85",
]  # fmt: skip


def paths(seed: int) -> Iterator[Mutation]:
    """Every piece in five places, then seeded strings of two to six pieces."""
    for form in FORMS:
        yield Mutation("target form", repr(form[:50]), lambda d, f=form: at(d, f), ("get", "post"))
        yield Mutation(
            "target form", f"{form[:50]!r} as usual", lambda d, f=form: replace(d, target=f), ("get",)
        )
    for part in PARTS:
        for template in (b"/ok/a%sb", b"/ok/%s/b", b"/ok%s/b", b"/%sok/b", b"/ok/b%s", b"/ok/b?a%sb=c"):
            target = template.replace(b"%s", part)
            yield Mutation("path", repr(target), lambda d, t=target: replace(d, target=t), ("get",))
    random = Random(seed)
    for _ in range(700):
        pieces = b"".join(random.choices(PARTS, k=random.randint(2, 6)))
        target = random.choice((b"/ok/", b"/ok", b"/", b"/ok/x?", b"/no/../ok/", b"/ok/../no/")) + pieces
        yield Mutation("path", repr(target), lambda d, t=target: replace(d, target=t), ("get",))
