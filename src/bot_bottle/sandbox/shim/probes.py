"""The self-test's inner half: try every way out as a program of the bottle would, and say what happened.

Runs in a child of init's, before anything of the agent's. Each probe answers ``held`` (with what stopped
it) or ``open``; one that raises or takes too long is open. The host judges, and looks at its own listeners
as well (``sandbox.selftest``): an answer from here alone proves nothing.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import errno
import fcntl
import os
import stat
import termios

from .native import unshare_user_errno

TYPE_CHECKING = False  # as in typing, which takes 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TIMEOUT_S = 0.5
"""Of one probe. With loopback only, every refusal is at once: whatever hangs has a route."""
PROXY_TIMEOUT_S = 5.0
"""The proxy may be busy for a moment; it must answer."""
FORBIDDEN_NAME = "self-test.bot-bottle.invalid"
"""No route can name it (RFC 2606)."""

_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_REFUSALS = _UNREACHABLE | frozenset(
    {
        errno.ECONNREFUSED,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOENT,
    }
)
_LOOPBACK = ("127.0.0.1", "::1")
"""As a connection's own address: it can't leave."""


class Order:
    """What the host asked for: ``nonce, tcp port, udp port, abstract name, relay port, carried ports (every
    or few), gateways…``."""

    def __init__(self, fields: Sequence[bytes]) -> None:
        self.nonce = fields[0]
        self.tcp_port, self.udp_port = int(fields[1]), int(fields[2])
        self.abstract = fields[3]
        self.relay_port = int(fields[4])
        self.every_port = fields[5] == b"every"
        self.gateways = [field.decode() for field in fields[6:]]


class _Open(Exception):
    """A way out, with what was seen."""


def run(order: Order) -> list[bytes]:
    """``name, held|open, detail`` for every probe."""
    report: list[bytes] = []
    for name, probe in _probes(order):
        try:
            verdict, detail = b"held", probe()
        except Exception as error:
            verdict, detail = b"open", f"{error}" if isinstance(error, _Open) else repr(error)
        report += [name.encode(), verdict, detail.encode("utf-8", "replace")[:200]]
    return report


def _probes(order: Order) -> list[tuple[str, Callable[[], str]]]:
    def tcp(host: str, port: int) -> Callable[[], str]:
        dialled = _Dialled(host, port)  # all of them now: what answers does so while others are looked at
        return lambda: _connect(order, dialled)

    def udp(host: str, port: int) -> Callable[[], str]:
        return lambda: _datagram(host, port)

    probes: list[tuple[str, Callable[[], str]]] = [
        ("tcp to the host's loopback", tcp("127.0.0.1", order.tcp_port)),
        ("tcp to a public address", tcp("192.0.2.1", 443)),
        ("tcp to the metadata address", tcp("169.254.169.254", 80)),
        ("tcp over ipv6", tcp("2001:db8::1", 443)),
        ("udp to the host's loopback", udp("127.0.0.1", order.udp_port)),
        ("udp dns to a public address", udp("192.0.2.1", 53)),
        ("udp over ipv6", udp("2001:db8::1", 53)),
    ]
    for gateway in order.gateways:
        probes.append((f"tcp to the host at {gateway}", tcp(gateway, order.tcp_port)))
        probes.append((f"udp dns to the host at {gateway}", udp(gateway, 53)))
    probes += [
        ("abstract socket of the host", lambda: _abstract(order.abstract)),
        ("raw socket", _raw),
        ("interfaces", _interfaces),
        ("sockets of the host", _host_sockets),
        ("host sysctl", _sysctl),
        ("processes of the host", _processes),
        ("identity", _identity),
        ("privileges", _privileges),
        ("nested user namespace", _nested),
        ("terminal injection", _terminal),
        ("names", _names),
        ("carriage", lambda: _carriage(order)),
        ("refusal", lambda: _refusal(order)),
        ("introspection", lambda: _introspection(order)),
    ]
    return probes


def _refused(attempt: Callable[[], object], refusals: frozenset[int] = _REFUSALS) -> str:
    try:
        attempt()
    except OSError as error:
        if error.errno in refusals:
            return errno.errorcode[error.errno]
        raise
    raise _Open("it answered")


def _family(host: str) -> int:
    return _socket.AF_INET6 if ":" in host else _socket.AF_INET


class _Dialled:
    """A connection to *address* (for *host*) that was tried, and asked something where it came about."""

    def __init__(self, host: str, port: int, address: str | None = None) -> None:
        self.host, self.port = host, port
        self.trouble: OSError | None = None
        try:  # making one, too: a kernel without IPv6 has no such sockets
            self.sock = _socket.socket(_family(address or host), _socket.SOCK_STREAM)
            self.sock.settimeout(TIMEOUT_S)
            self.sock.connect((address or host, port))
        except OSError as error:
            self.trouble = error
            return
        self.inside = self.sock.getsockname()[0] in _LOOPBACK
        try:
            self.sock.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        except OSError:
            pass  # closed at once, as reading it will show


def _connect(order: Order, dialled: _Dialled) -> str:
    """On loopback a refusal is right. From anywhere else it would be an answer: right is that there is no
    route, or, where everything is carried, that the one who answers is our proxy, and it refuses."""
    own = dialled.host == "127.0.0.1"
    if dialled.trouble is not None:
        if dialled.trouble.errno in (_REFUSALS if own else _UNREACHABLE):
            return errno.errorcode[dialled.trouble.errno]
        raise dialled.trouble
    if own or not order.every_port or not dialled.inside:
        raise _Open("it answered")
    return _carried(order, dialled)


def _carried(order: Order, dialled: _Dialled) -> str:
    """What became of a connection that nobody but our proxy may have got."""
    if dialled.trouble is not None:
        raise dialled.trouble
    dialled.sock.settimeout(PROXY_TIMEOUT_S)
    try:
        reply = _read_to_end(dialled.sock)
    except ConnectionResetError:
        reply = b""
    if dialled.port == 80:
        _ours(order, reply, b"403")
        return "403 of this launch"
    if reply:
        raise _Open("it answered")
    return "closed"


def _datagram(host: str, port: int) -> str:
    """A query goes out; on loopback nobody must take it, elsewhere there must be no route but loopback's."""
    sock: _socket.socket | None = None

    def exchange() -> None:
        nonlocal sock
        sock = _socket.socket(_family(host), _socket.SOCK_DGRAM)
        sock.settimeout(TIMEOUT_S)
        sock.connect((host, port))
        sock.send(b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01")
        sock.recv(512)

    try:
        return _refused(exchange, _UNREACHABLE)
    except ConnectionRefusedError:
        if sock is not None and sock.getsockname()[0] in _LOOPBACK:
            return "ECONNREFUSED"
        raise


def _abstract(name: bytes) -> str:
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    sock.settimeout(TIMEOUT_S)
    return _refused(lambda: sock.connect(b"\0" + name))


def _raw() -> str:
    one = _refused(lambda: _socket.socket(_socket.AF_INET, _socket.SOCK_RAW, _socket.IPPROTO_ICMP))
    two = _refused(lambda: _socket.socket(_socket.AF_PACKET, _socket.SOCK_RAW))
    return f"{one}, {two}"


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 1 << 16)
    finally:
        os.close(fd)


def _interfaces() -> str:
    names = [line.partition(b":")[0].strip() for line in _read("/proc/net/dev").splitlines()[2:]]
    if names != [b"lo"]:
        raise _Open(b", ".join(names).decode("ascii", "replace"))
    return "only lo"


def _host_sockets() -> str:
    """The sockets of the host's that are in view are the proxy's and the git gate's."""
    ours = ("proxy.sock", "gate.sock")
    for directory, allowed in (("/run", ()), ("/tmp", ()), ("/run/bot-bottle", ours)):  # noqa: S108
        for entry in os.scandir(directory):
            if entry.name not in allowed and stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
                raise _Open(entry.path)
    return "only those of its sidecars"


def _sysctl() -> str:
    return ", ".join(
        _refused(lambda path=path: os.open(path, os.O_WRONLY))  # type: ignore[misc]
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/net/ipv4/ip_forward")
    )


def _processes() -> str:
    others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
    if others or os.getppid() != 1:
        raise _Open(f"{len(others)} processes")
    return "own process namespace"


def _identity() -> str:
    lines = _read("/proc/self/uid_map").split(b"\n")
    fields = lines[0].split()
    if os.getresuid() != (1000,) * 3 or len(lines) != 2 or fields[0] != b"1000" or fields[2] != b"1":
        raise _Open(f"uid {os.getuid()}, map {lines!r}")
    return "uid 1000, alone in its map"


def _privileges() -> str:
    status = dict(line.split(b":\t", 1) for line in _read("/proc/self/status").splitlines() if b":\t" in line)
    for name in (b"CapInh", b"CapPrm", b"CapEff", b"CapBnd", b"CapAmb"):
        if int(status[name], 16):
            raise _Open(f"{name.decode()} {status[name].decode()}")
    if status[b"NoNewPrivs"] != b"1" or status[b"Seccomp"] != b"2":
        raise _Open("no filter, or privileges can be gained")
    return "no capabilities, no new privileges, filtered"


def _nested() -> str:
    number = unshare_user_errno()
    if not number:
        raise _Open("made one")
    return errno.errorcode.get(number, str(number))


def _terminal() -> str:
    master, slave = os.openpty()
    _signal.signal(_signal.SIGHUP, _signal.SIG_IGN)  # the terminal hangs up when it is closed again
    try:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        return _refused(lambda: fcntl.ioctl(slave, termios.TIOCSTI, b"x"))
    finally:
        os.close(slave)
        os.close(master)


def _names() -> str:
    return f"stand-ins only: {_stand_in()}"


def _stand_in() -> str:
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    sock.settimeout(PROXY_TIMEOUT_S)
    sock.connect(("127.0.0.1", 53))
    labels = b"".join(bytes([len(label)]) + label.encode() for label in FORBIDDEN_NAME.split("."))
    sock.send(b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01")
    reply = sock.recv(512)
    if reply[-4:-2] != b"\x7f\x01":
        raise _Open(f"an answer that is no stand-in: {reply[-4:].hex()}")
    return _socket.inet_ntoa(reply[-4:])


def _carriage(order: Order) -> str:
    """Names are carried to our proxy, on the ports that the host counts on and no others; where that is every
    port, addresses are too, also on one where the shim does not listen itself."""
    address = _stand_in()
    http, other = (_Dialled(FORBIDDEN_NAME, port, address) for port in (80, order.tcp_port))
    _carried(order, http)
    if order.every_port:
        _carried(order, other)
        _carried(order, _Dialled("192.0.2.1", order.tcp_port))
        return "every port"
    if other.trouble is None or other.trouble.errno != errno.ECONNREFUSED:
        raise _Open(f"port {order.tcp_port} is carried, or worse")
    return "ports 80 and 443 of names"


def _fetch(order: Order, host: str, path: str) -> bytes:
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    sock.settimeout(PROXY_TIMEOUT_S)
    sock.connect(("127.0.0.1", order.relay_port))
    sock.sendall(f"GET http://{host}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    return _read_to_end(sock)


def _read_to_end(sock: _socket.socket) -> bytes:
    data = b""
    while len(data) < 1 << 20 and (got := sock.recv(1 << 16)):
        data += got
    return data


def _ours(order: Order, reply: bytes, status: bytes) -> None:
    head = reply.partition(b"\r\n\r\n")[0].split(b"\r\n")
    launch = [
        line.partition(b":")[2].strip() for line in head if line.lower().startswith(b"x-bot-bottle-launch:")
    ]
    if launch != [order.nonce]:
        raise _Open("an answer that is not of this launch's proxy")
    if head[0][9:12] != status:
        raise _Open(f"status {head[0][9:12].decode('ascii', 'replace')}")


def _refusal(order: Order) -> str:
    _ours(order, _fetch(order, FORBIDDEN_NAME, "/"), b"403")
    return "403 of this launch"


def _introspection(order: Order) -> str:
    _ours(order, _fetch(order, "_egress.local", "/allowlist"), b"200")
    return "the routes in force"
