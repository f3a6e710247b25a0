"""Every escape that is tried, in the order of the table. Names are those of the attempts in ``inside``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Evidence(StrEnum):
    """What an escape leaves when it works, and so what its verdict is read from."""

    ARRIVES = "arrives"
    """its token, at a listener of the attacker's or as a request at an upstream"""
    FINDS = "finds"
    """a value that only the harness knows, in the report"""
    CHANGES = "changes"
    """an effect on the host that the harness looks for"""
    ANSWERS = "answers"
    """the kernel's answer, in the report: nothing outside could tell"""


@dataclass(frozen=True)
class Escape:
    name: str
    threat: str
    """class of the attack in the threat model"""
    tried: str
    evidence: Evidence
    sinks: tuple[str, ...] = ()
    """where it would arrive"""
    forgoable: str = ""
    """why a host may lack this way altogether, so that the control fails and the row says "not proven";
    empty: it exists on every host, and a control that fails is a failure of the trial"""


_A, _F, _C, _K = Evidence.ARRIVES, Evidence.FINDS, Evidence.CHANGES, Evidence.ANSWERS

ESCAPES: tuple[Escape, ...] = (
    Escape("forbidden-host", "A11", "a forbidden host, by CONNECT and TLS", _A, ("tls",)),
    Escape("forbidden-http", "D5", "a forbidden host, plain http by the proxy", _A, ("http",)),
    Escape("no-proxy-settings", "A1", "a forbidden host, proxy settings ignored", _A, ("tls", "http")),
    Escape("other-protocol", "A9", "ssh to an allowed host, in a tunnel", _A, ("tcp", "api")),
    Escape("address-forms", "C6", "the host's loopback as an address, in 7 spellings", _A, ("http",)),
    Escape("name-to-loopback", "B5", "an allowed name that resolves to loopback", _A, ("tls",)),
    Escape("metadata", "C7", "the cloud's metadata service", _A, ("http",)),
    Escape("fronting-host", "C1", "allowed CONNECT and SNI, forbidden Host", _A, ("tls", "api")),
    Escape("fronting-sni", "C5", "allowed CONNECT, forbidden SNI and Host", _A, ("tls", "api")),
    Escape("redirect", "C8", "a redirect from an allowed host, followed", _A, ("tls",)),
    Escape("own-key", "E1", "the attacker's own key on an allowed host", _A, ("api",)),
    Escape("path", "D3", "a path of an allowed host that no rule names", _A, ("api",)),
    Escape("path-tricks", "D3", "the same path in 6 disguises", _A, ("api",)),
    Escape("method", "D4", "methods that no rule names", _A, ("api",)),
    Escape("credential-over-http", "C8", "the key's own host, unencrypted", _A, ("api-http",)),
    Escape("smuggling", "D1", "a request hidden between two lengths", _A, ("api",)),
    Escape("pipelining", "D2", "a forbidden request behind an allowed one", _A, ("api",)),
    Escape("upgrade", "D4", "an upgrade to HTTP/2 without TLS", _A, ("api",)),
    Escape("git-push", "H2", "git push where only fetching is allowed", _A, ("code",)),
    Escape("tcp", "A2", "TCP to a service on the host", _A, ("tcp",)),
    Escape("udp", "A3", "UDP to a service on the host", _A, ("udp",)),
    Escape("dns", "B1", "data in DNS names, over UDP and TCP", _A, ("dns",)),
    Escape("ipv6", "A4", "TCP over IPv6 to a service on the host", _A, ("tcp6",), "the host has no IPv6"),
    Escape("abstract-socket", "J2", "an abstract Unix socket of the host", _A, ("abstract",)),
    Escape("path-socket", "J2", "a container engine's socket", _A, ("path",)),
    Escape("daemon-socket", "K1", "the control socket of bot-bottle's daemon", _K),
    Escape("credential", "F4", "read the credential: env, argv, files, memory", _F),
    Escape("ca-key", "F5", "read the CA's private key: the same places", _F),
    Escape("home-file", "J1", "a file in the operator's home", _F),
    Escape("host-files", "J1", "the host's accounts and machine id", _F),
    Escape("host-processes", "J5", "see a process of the host", _F),
    Escape("ptrace", "J5", "get into another process", _K, (), "the host forbids it to everybody (Yama)"),
    Escape("signal", "J5", "kill a process of the host", _C),
    Escape("namespaces", "A5", "make namespaces and mount", _K),
    Escape("sysctl", "J1", "open kernel settings for writing", _K),
    Escape("raw-sockets", "A3", "packet and raw sockets", _K),
    Escape("io-uring", "J5", "system calls through io_uring", _K, (), "the host has io_uring switched off"),
    Escape("keyring", "J5", "the kernel's keyring", _K, (), "the host's own filter forbids it"),
    Escape("terminal", "L1", "type into a terminal (TIOCSTI)", _K, (), "the host has it switched off"),
    Escape("persistence", "J1", "leave a program in the host's directories", _C),
    Escape("processes-limit", "J6", "a fork bomb", _K, (), "the host enforces no limit of processes"),
)

LEFT_OUT: tuple[tuple[str, str], ...] = (
    (
        "bpf, perf, kernel modules",
        "an ordinary user may not call them outside either: no control could succeed",
    ),
    (
        "exhausting memory and disk",
        "it would disturb the host that it is tried on; the test suite does it in small",
    ),
)
"""What is not in the table, and why."""
