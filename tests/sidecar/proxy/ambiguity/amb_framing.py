"""Changes to how a body is delimited: lengths, transfer codings, chunks, trailers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from amb_draft import SMUGGLED, Change, Draft, Mutation

LENGTHS = [
    b"5", b"0", b"1", b"3", b"4", b"6", b"05", b"005", b"0005", b"0" * 20 + b"5", b"00", b"+5", b"-5",
    b"-1", b"+0", b"-0", b"5 ", b" 5", b"  5  ", b"\t5", b"5\t", b"5 5", b"5,5", b"5, 5", b"5,", b",5",
    b"5,6", b"5, 0", b"0, 5", b"5;", b"5;q=1", b"5.0", b"5.", b".5", b"5e0", b"5e+0", b"1e1", b"0x5",
    b"0X5", b"0b101", b"0o5", b"5h", b"5L", b"h5", b"five", b"", b" ", b"\t", b'"5"', b"'5'", b"(5)",
    b"5 (five)", b"5\0", b"\x005", b"5\x0b", b"5\x0c", b"\x0b5", b"5\r", b"\r5", b"5\x7f", b"1_0", b"5_",
    b"\xd9\xa5", b"\xef\xbc\x95", b"\xb5", b"5\xa0", b"\xa05", b"5\xc2\xa0", b"5\xe2\x80\x8b",
    b"\xef\xbb\xbf5", b"2147483647", b"2147483648", b"2147483653", b"4294967295", b"4294967296",
    b"4294967301", b"9223372036854775807", b"9223372036854775808", b"18446744073709551615",
    b"18446744073709551621", b"9" * 15, b"1" + b"0" * 15, b"9" * 40, b"5\\r\\n", b"44",
    b"%d" % (5 + len(SMUGGLED)), b"chunked", b"NaN", b"Infinity", b"null", b"true", b"5%00", b"%35",
    b"&#53;", b"5/1", b"5:5", b"5=5", b"5-5", b"5+0", b"5\n", b"5\r\n 6", b"5\r\n\t", b"5 bytes",
    b"bytes 5", b"5\xff", b"5#", b"5*1",
]  # fmt: skip
CODINGS = [
    b"chunked", b"Chunked", b"CHUNKED", b"cHuNkEd", b"chunked ", b" chunked", b"  chunked", b"\tchunked",
    b"chunked\t", b"chunked,", b",chunked", b", chunked", b"chunked, chunked", b"chunked,chunked,chunked",
    b"identity", b"identity, chunked", b"chunked, identity", b"gzip, chunked", b"chunked, gzip", b"gzip",
    b"deflate", b"compress", b"br, chunked", b"trailers", b"xchunked", b"chunkedx", b"x-chunked", b"chunke",
    b"hunked", b"chunked;q=1", b"chunked;q=0", b"chunked; foo=bar", b"chunked;", b";chunked", b'"chunked"',
    b"'chunked'", b"chunked\0", b"\0chunked", b"chunked\x0b", b"\x0bchunked", b"\x0cchunked",
    b"chunked\x0c", b"chun ked", b"chun\tked", b"chun\0ked", b"chunked\xa0", b"\xa0chunked", b"\xffchunked",
    b"chunked\xff", b"chunked\x7f", b"chun\xe2\x84\xaaed", b"chunked/1", b"chunked=1", b"chunked\\",
    b"%63hunked", b"[chunked]", b"(chunked)", b"chunked(a)", b"chunked (a)", b"", b" ", b",", b", ,",
    b"chunked\r", b"\rchunked", b"null", b"cow", b"cow, chunked", b"chunked, cow", b"identity;q=1, chunked",
    b"chunked, ", b"close", b"5", b"x=chunked", b"chunked\xc2\xa0", b"\xef\xbb\xbfchunked", b"chunked:",
    b":chunked", b"chunked: chunked", b"chunked\xad", b"\r\n chunked", b"\r\n\tchunked", b"chunked\r\n ",
    b"chunked\r\n , identity", b"\n chunked", b"chunked\n", b"chunked chunked", b"chunked\x85",
]  # fmt: skip
LENGTH_NAMES = [
    b"content-length", b"CONTENT-LENGTH", b"cOnTeNt-LeNgTh", b"Content-Length ", b"Content-Length\t",
    b" Content-Length", b"\tContent-Length", b"Content_Length", b"CONTENT_LENGTH", b"Content Length",
    b"Content--Length", b"Content-Length\0", b"\0Content-Length", b"Content-Length\x0b",
    b"\x0bContent-Length", b"Content-Length\xa0", b"Content\xe2\x80\x90Length", b"Content-Len\xc4\xa1th",
    b"X-Content-Length", b"Content-Lengths", b"Content.Length", b'"Content-Length"', b"Content-Length:",
    b"Content-Length,", b"Content-Length\r", b"Content-Length\r\n ", b"Content-Length\r\n",
    b"\rContent-Length", b"Content-Length\x7f", b"HTTP_CONTENT_LENGTH", b"Content-Length;",
    b"Content-Length=", b"Content/Length", b"Content-L\xe4ngth", b"Content-Length[]", b"$Content-Length",
]  # fmt: skip
CODING_NAMES = [name.replace(b"Content", b"Transfer").replace(b"Length", b"Encoding") for name in LENGTH_NAMES] + [
    b"TRANSFER_ENCODING", b"transfer-encoding", b"TRANSFER-ENCODING", b"Transfer-Encod\xc4\xb1ng",
    b"TransferEncoding", b"Content-Transfer-Encoding", b"TE", b"Transfer-Coding", b"Content-Encoding",
    b"Transfer+Encoding",
]  # fmt: skip


def length(lines: list[bytes], body: bytes | None = None, version: bytes = b"HTTP/1.1") -> Change:
    """These lines instead of the framing that a draft has, in front of and behind the others."""

    def change(draft: Draft) -> Draft:
        bare = draft.without(b"content-length").without(b"transfer-encoding")
        out = bare.with_line(lines[0], at=0)
        for line in lines[1:]:
            out = out.with_line(line)
        return replace(out, body=draft.body if body is None else body, version=version)

    return change


def lengths() -> Iterator[Mutation]:
    right = b"Content-Length: 5"
    for value in LENGTHS:
        line = b"Content-Length: " + value
        arrangements = {
            "alone": [line],
            "twice": [line, line],
            "behind the right one": [right, line],
            "before the right one": [line, right],
            "other case": [right, b"content-length:" + value],
            "behind zero": [b"Content-Length: 0", line],
        }
        for where, lines in arrangements.items():
            yield Mutation("length", f"{value!r} {where}", length(lines), ("post",))
        yield Mutation("length", f"{value!r} 1.0", length([line], version=b"HTTP/1.0"), ("post",))
        yield Mutation("length", f"{value!r} on GET", length([line], b""), ("get",))
    for name in LENGTH_NAMES:
        for lines in (
            [name + b": 5"],
            [name + b": 5", b"Content-Length: 0"],
            [b"Content-Length: 5", name + b": 0"],
        ):
            yield Mutation("length", f"name {name!r} {len(lines)}", length(lines), ("post",))
    yield Mutation("length", "missing", lambda draft: draft.without(b"content-length"), ("post",))


def codings() -> Iterator[Mutation]:
    right = b"Transfer-Encoding: chunked"
    for value in CODINGS:
        line = b"Transfer-Encoding: " + value
        arrangements = {
            "alone": [line],
            "before a length": [line, b"Content-Length: 5"],
            "behind a length": [b"Content-Length: 15", line],
            "behind zero": [b"Content-Length: 0", line],
            "behind the right one": [right, line],
            "before the right one": [line, right],
        }
        for where, lines in arrangements.items():
            yield Mutation("coding", f"{value!r} {where}", length(lines), ("chunked",))
        yield Mutation("coding", f"{value!r} 1.0", length([line], version=b"HTTP/1.0"), ("chunked",))
        yield Mutation("coding", f"{value!r} with no chunks", length([line], b"hello"), ("post",))
    for name in CODING_NAMES:
        alone, with_length = [name + b": chunked"], [b"Content-Length: 15", name + b": chunked"]
        yield Mutation("coding", f"name {name!r}", length(alone), ("chunked",))
        yield Mutation("coding", f"name {name!r} and a length", length(with_length), ("chunked",))
        yield Mutation("coding", f"name {name!r} twice", length([right, name + b": identity"]), ("chunked",))


SIZES = [
    b"5", b"05", b"005", b"0000000005", b"0" * 16 + b"5", b"0" * 300 + b"5", b"+5", b"-5", b"-1", b" 5",
    b"5 ", b"5\t", b"\t5", b"0x5", b"0X5", b"x5", b"5h", b"5_", b"_5", b"0_5", b"5,", b"5.0", b"5;", b"5;a",
    b"5;a=b", b'5;a="b"', b'5;a="b\\"c"', b"5 ;a=b", b"5; a = b", b"5\t;a", b"5;\0", b"5;a\nb",
    b'5;a="\r\n"', b"5;" + b"a" * 300, b"5;;;", b"5\0", b"\x005", b"5\x0b", b"5\x0c", b"5\x85", b"5\xa0",
    b"5\xff", b"\xef\xbc\x95", b"\xd9\xa5", b"", b" ", b"g", b"5g", b"0b5", b"0o5", b"'5'", b'"5"', b"5\r",
    b"\r5", b"\n5", b"5 5", b"5 0", b"5,5", b"ffffffff", b"fffffffff", b"7fffffff", b"80000000",
    b"100000005", b"f" * 16, b"10000000000000005", b"FFFFFFFFFFFFFFFB", b"1" + b"0" * 32 + b"5", b"4", b"6",
    b"3", b"a", b"A", b"0", b"00", b"5#x", b"5//", b"5%", b"(5)", b"5(c)", b"5:5", b"5\\", b"%35", b"5-",
    b"5+", b"5e0", b"5\xe2\x80\xa8", b"\xef\xbb\xbf5", b"5&", b"5=5", b"five",
    b"5;GET /no/smuggled HTTP/1.1",
]  # fmt: skip
LAST_SIZES = [
    b"0", b"00", b"000", b"0" * 9, b"0" * 40, b"-0", b"+0", b"0x0", b"0;", b"0;a=b", b'0;a="b"', b"0 ",
    b" 0", b"0\t", b"0\0", b"", b"0_0", b"0.0", b"o", b"O", b"0\x0b", b"0\r", b"0h", b"0,0", b"1", b"-1",
    b"\xef\xbc\x90", b"0\xa0",
]  # fmt: skip
CHUNK_ENDS = [
    b"\n", b"\r", b"", b"\r\r\n", b"\n\r", b"\r\n\r\n", b" \r\n", b"\t\r\n", b"\0\r\n", b"\r\0\n", b"\x0b",
    b"\x85", b"X\r\n", b"XX", b"\r\n\n", b"\n\n", b"\r\n ", b"\r\x0b\n", b";\r\n", b"\\r\\n",
    b"\xe2\x80\xa8", b"0\r\n", b"\rX", b"\r\nX", b"\nX",
]  # fmt: skip
TRAILERS = [
    b"X-T: y", b"x-t:y", b"X-T:", b"X-T: y\r\nX-U: z", b"Content-Length: 3", b"Content-Length: 48",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", b"Host: evil.example",
    b"Host: amb.example", b"Authorization: Bearer x", b"Connection: close", b"Connection: X-A",
    b"Content-Type: text/html", b"Trailer: X-T", b"Upgrade: h2c", b"Expect: 100-continue", b": y", b":",
    b"X T: y", b"X-T : y", b"X-T\t: y", b" X-T: y", b"\tX-T: y", b"X-T: y\r\n folded",
    b"X-T: y\r\n\tfolded", b"X-T", b"X-T: \0", b"X\0T: y", b"X-T: a\rb", b"X-T: a\nb", b"X-T: a\n\nb",
    b"X-T: \x7f", b"X-T: \xff", b"X\xff: y", b"GET /no/smuggled HTTP/1.1",
    b"GET /no/smuggled HTTP/1.1\r\nHost: amb.example", b"X-T: " + b"a" * 5000, b"X-T: " + b"a" * 9000,
    b"\r\n".join([b"X-%d: y" % n for n in range(120)]), b"\0", b" ", b"\r", b"0", b"X-T: y\r", b"X-T: y\n",
    b"{}: y", b"X(T): y", b"X-T=y", b"HTTP/1.1 200 OK", b"X-Forwarded-Host: evil.example",
]  # fmt: skip


def body_of(body: bytes) -> Change:
    return lambda draft: replace(draft, body=body)


def chunks() -> Iterator[Mutation]:
    def case(name: str, body: bytes) -> Mutation:
        return Mutation("chunk", name, body_of(body), ("chunked",))

    for size in SIZES:
        yield case(f"size {size!r} first", size + b"\r\nhello\r\n0\r\n\r\n")
        yield case(f"size {size!r} second", b"3\r\nabc\r\n" + size + b"\r\nhello\r\n0\r\n\r\n")
        yield case(f"size {size!r} LF", size + b"\nhello\r\n0\r\n\r\n")
        yield case(f"size {size!r} before a request", size + b"\r\nhello\r\n0\r\n\r\n" + SMUGGLED)
    for size in LAST_SIZES:
        yield case(f"last {size!r}", b"5\r\nhello\r\n" + size + b"\r\n\r\n")
        yield case(f"only {size!r}", size + b"\r\n\r\n")
        yield case(f"last {size!r} and no empty line", b"5\r\nhello\r\n" + size + b"\r\n")
    for end in CHUNK_ENDS:
        yield case(f"{end!r} behind the size", b"5" + end + b"hello\r\n0\r\n\r\n")
        yield case(f"{end!r} behind the data", b"5\r\nhello" + end + b"0\r\n\r\n")
        yield case(f"{end!r} behind the last size", b"5\r\nhello\r\n0" + end + b"\r\n")
        yield case(f"{end!r} at the end", b"5\r\nhello\r\n0\r\n" + end)
        yield case(f"{end!r} behind a trailer", b"5\r\nhello\r\n0\r\nX-T: y" + end + b"\r\n")
        yield case(f"{end!r} in front", end + b"5\r\nhello\r\n0\r\n\r\n")
    for trailer in TRAILERS:
        yield case(f"trailer {trailer[:40]!r}", b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n")
        yield case(f"only trailer {trailer[:40]!r}", b"0\r\n" + trailer + b"\r\n\r\n")
        yield case(f"trailer {trailer[:40]!r} LF", b"5\r\nhello\r\n0\r\n" + trailer + b"\n\r\n")
        yield case(f"trailer {trailer[:40]!r}, then no end", b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n")
    for cut in range(1, 16):
        yield case(f"cut after {cut}", b"5\r\nhello\r\n0\r\n\r\n"[:cut])
