"""A Java program without a Java compiler: fetch the URL of the first argument, print its first byte.

A JRE alone runs it, so that no JDK (four times the size) has to be installed. Class file format: the Java
Virtual Machine Specification, chapter 4; version 49 needs no stack maps.
"""

from __future__ import annotations

import struct

CLASS_NAME = "Get"
ACCESS_PUBLIC_STATIC, ACCESS_PUBLIC_SUPER = 0x0009, 0x0021


class _Pool:
    """The constant pool: each entry once, numbered from 1."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []

    def _add(self, entry: bytes) -> int:
        if entry not in self.entries:
            self.entries.append(entry)
        return self.entries.index(entry) + 1

    def utf8(self, text: str) -> int:
        return self._add(struct.pack(">BH", 1, len(text)) + text.encode())

    def type(self, name: str) -> int:
        return self._add(struct.pack(">BH", 7, self.utf8(name)))

    def member(self, kind: int, owner: str, name: str, descriptor: str) -> int:
        pair = self._add(struct.pack(">BHH", 12, self.utf8(name), self.utf8(descriptor)))
        return self._add(struct.pack(">BHH", kind, self.type(owner), pair))

    def field(self, owner: str, name: str, descriptor: str) -> int:
        return self.member(9, owner, name, descriptor)

    def method(self, owner: str, name: str, descriptor: str) -> int:
        return self.member(10, owner, name, descriptor)


def _code(pool: _Pool) -> bytes:
    """``System.out.println(new URL(args[0]).openStream().read())``."""
    url, stream, printer = "java/net/URL", "java/io/InputStream", "java/io/PrintStream"
    return b"".join(
        [
            struct.pack(">BH", 0xB2, pool.field("java/lang/System", "out", f"L{printer};")),  # getstatic
            struct.pack(">BHB", 0xBB, pool.type(url), 0x59),  # new, dup
            b"\x2a\x03\x32",  # aload_0, iconst_0, aaload
            struct.pack(">BH", 0xB7, pool.method(url, "<init>", "(Ljava/lang/String;)V")),  # invokespecial
            struct.pack(">BH", 0xB6, pool.method(url, "openStream", f"()L{stream};")),  # invokevirtual
            struct.pack(">BH", 0xB6, pool.method(stream, "read", "()I")),
            struct.pack(">BH", 0xB6, pool.method(printer, "println", "(I)V")),
            b"\xb1",  # return
        ]
    )


def get_class() -> bytes:
    """The bytes of ``Get.class``. An exception of Java's ends the program with status 1."""
    pool = _Pool()
    code = _code(pool)
    attribute = struct.pack(">HHI", 5, 1, len(code)) + code + struct.pack(">HH", 0, 0)  # stack 5, locals 1
    main = struct.pack(
        ">HHHH", ACCESS_PUBLIC_STATIC, pool.utf8("main"), pool.utf8("([Ljava/lang/String;)V"), 1
    ) + struct.pack(">HI", pool.utf8("Code"), len(attribute)) + attribute  # fmt: skip
    own, parent = pool.type(CLASS_NAME), pool.type("java/lang/Object")
    head = struct.pack(">IHHH", 0xCAFEBABE, 0, 49, len(pool.entries) + 1) + b"".join(pool.entries)
    kind = struct.pack(
        ">HHHHHH", ACCESS_PUBLIC_SUPER, own, parent, 0, 0, 1
    )  # no interface or field, 1 method
    return head + kind + main + struct.pack(">H", 0)
