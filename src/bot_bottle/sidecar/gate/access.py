"""How one upstream is reached: its key or token as files that two commands alone can read, its address judged and
pinned. Speaks to nobody but the resolver.

A secret is never in an argument or an environment: ssh reads the key from a file, git reads the token's header from
its global configuration file. Both lie in memory of the gate's own. What a name resolves to is checked here and given
as an address, so that the name isn't resolved a second time.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.egress.address import Address, check_address, check_connect_to, fixed_addresses
from bot_bottle.egress.hosts import ip_literal
from bot_bottle.gitgate.config import GateRepo, UrlScheme
from bot_bottle.sidecar.proxy.lookup import Resolver, system_resolver

LOOKUP_S = 10.0
"""a name that takes longer has no address"""
TRY_ADDRESS_S = 3.0
"""one address of several, as the proxy has it: a dead IPv6 route must not make a fetch fail"""
CONNECT_S = 10
TOKEN_USER = "x-access-token"  # noqa: S105
"""the user beside a token where the URL names none: GitHub's, and any will do at GitLab, Gitea and Forgejo"""

_PORTS = {UrlScheme.SSH: 22, UrlScheme.HTTPS: 443}
_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")

# ssh_config(5). Nothing is read besides: no system-wide file, no agent, no other key, no other known host.
_SSH_CONFIG = """\
BatchMode yes
CheckHostIP no
ClearAllForwardings yes
ConnectTimeout {connect_s}
ControlMaster no
ControlPath none
EnableSSHKeysign no
EscapeChar none
ForwardAgent no
ForwardX11 no
GlobalKnownHostsFile /dev/null
HashKnownHosts no
HostKeyAlias {alias}
IdentitiesOnly yes
IdentityAgent none
IdentityFile {place}/key
KbdInteractiveAuthentication no
LogLevel ERROR
PasswordAuthentication no
PermitLocalCommand no
PreferredAuthentications publickey
ProxyCommand none
ProxyJump none
RequestTTY no
ServerAliveCountMax 3
ServerAliveInterval 5
StrictHostKeyChecking yes
UpdateHostKeys no
UserKnownHostsFile {place}/known_hosts
VerifyHostKeyDNS no
"""


class UpstreamFailed(BotBottleError):
    """Upstream could not be asked, or said no; the message is its own where it has one, without credentials."""


@dataclass(frozen=True)
class Access:
    """One command's way to an upstream."""

    url: str
    env: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    readable: Sequence[Path] = ()


class Door:
    """Of one repository."""

    def __init__(
        self,
        repo: GateRepo,
        secret: Secret | None,
        place: Path,
        *,
        roots: Path,
        connect_to: Mapping[tuple[str, int], tuple[str, int]],
        refuse_ports: Collection[int] = (),
        resolver: Resolver = system_resolver,
    ) -> None:
        """*place*: a directory of its own that doesn't exist yet. *roots*: a file of certificates (PEM).
        Raises OSError."""
        self._repo, self._place, self._roots = repo, place, roots
        self._connect_to, self._refuse_ports, self._resolver = connect_to, refuse_ports, resolver
        self._port = repo.port or _PORTS[repo.scheme]
        self._hidden: tuple[str, ...] = ()
        place.mkdir(mode=0o700)
        if repo.scheme is UrlScheme.SSH:
            self._write_ssh(secret)
        else:
            self._write_https(secret)

    def mask(self, text: str) -> str:
        """*text* without the token, whole or as the header has it."""
        for value in self._hidden:
            text = text.replace(value, "***")
        return text

    async def open(self) -> Access:
        """Raises :class:`UpstreamFailed` when there is no address that may be dialled."""
        addresses, port = await self._addresses()
        repo = self._repo
        if repo.scheme is UrlScheme.SSH:
            address = await _answering(addresses, port)
            command = f"ssh -F {self._place}/config -o HostName={address} -o Port={port}"
            return Access(
                repo.url,
                env={
                    "GIT_SSH_COMMAND": command,
                    "GIT_SSH_VARIANT": "ssh",
                    "GIT_ALLOW_PROTOCOL": "ssh",
                },
                readable=(self._place,),
            )
        at = "" if port == 443 else f":{port}"
        shown = ",".join(f"[{each}]" if each.version == 6 else str(each) for each in addresses)
        pinned = (
            {}
            if ip_literal(repo.host.strip("[]"))
            else {"http.curloptResolve": f"{repo.host}:{port}:{shown}"}
        )
        return Access(
            f"https://{repo.host}{at}/{repo.path}",
            env={"GIT_CONFIG_GLOBAL": f"{self._place}/config", "GIT_ALLOW_PROTOCOL": "https"},
            settings={
                **pinned,
                "http.followRedirects": "false",
                "http.proxy": "",
                "http.sslVerify": "true",
                "http.sslCAInfo": str(self._roots),
                "http.lowSpeedLimit": "1",
                "http.lowSpeedTime": "60",
                "http.emptyAuth": "false",
                "http.postBuffer": "1048576",
            },
            readable=(self._place, self._roots),
        )

    def _write_ssh(self, secret: Secret | None) -> None:
        key = (secret.reveal() if secret is not None else "").rstrip("\n") + "\n"
        alias = self._repo.host.strip("[]")
        known = "".join(f"{alias} {line}\n" for line in self._repo.host_keys)
        config = _SSH_CONFIG.format(place=self._place, alias=alias, connect_s=CONNECT_S)
        for name, text in {"key": key, "known_hosts": known, "config": config}.items():
            _write(self._place / name, text)

    def _write_https(self, secret: Secret | None) -> None:
        config = ""
        if secret is not None:
            pair = f"{self._repo.user or TOKEN_USER}:{secret.reveal()}".encode()
            header = base64.b64encode(pair).decode()
            self._hidden = (secret.reveal(), header)
            config = f'[http]\n\textraHeader = "Authorization: Basic {header}"\n'
        _write(self._place / "config", config)

    async def _addresses(self) -> tuple[list[Address], int]:
        host = self._repo.host.strip("[]")  # as canonical hosts are
        named = self._connect_to.get((host, self._port))
        if named is not None:
            address, port = ip_address(named[0]), named[1]
            reason = check_connect_to(address, port, refuse_ports=self._refuse_ports)
            if reason is not None:
                raise UpstreamFailed(f"{host!r} may not be dialled: --connect-to leads to {reason}")
            return [address], port
        found = fixed_addresses(host) or await self._resolve(host)
        judged = {address: self._judge(address) for address in found}
        allowed = [address for address, reason in judged.items() if reason is None]
        if not allowed:
            reasons = ", ".join(sorted({reason for reason in judged.values() if reason})) or "no address"
            raise UpstreamFailed(f"{host!r} may not be dialled: it is {reasons}")
        return allowed, self._port

    def _judge(self, address: Address) -> str | None:
        return check_address(
            address,
            self._port,
            allow_private=True,  # the operator's manifest names the upstream
            explicit_ports=self._repo.port is not None,
            refuse_ports=self._refuse_ports,
        )

    async def _resolve(self, host: str) -> Sequence[Address]:
        try:
            async with asyncio.timeout(LOOKUP_S):
                return [ip_address(text) for text in await self._resolver(host, self._port)]
        except TimeoutError:
            raise UpstreamFailed(f"could not resolve host {host!r} within {LOOKUP_S:g} s") from None
        except (OSError, ValueError) as error:
            raise UpstreamFailed(f"could not resolve host {host!r}: {error}") from error


async def _answering(addresses: Sequence[Address], port: int) -> Address:
    """The first of *addresses* that takes a connection; of a single one, or where none does, the first."""
    if len(addresses) > 1:
        for address in addresses:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(TRY_ADDRESS_S):
                    _, writer = await asyncio.open_connection(str(address), port)
                writer.close()
                return address
    return addresses[0]


def certificate_roots() -> str:
    """The certificate roots of the machine, in one text."""
    cafile = ssl.get_default_verify_paths().cafile
    for path in (*([cafile] if cafile else []), *_ROOTS):
        with contextlib.suppress(OSError):
            return Path(path).read_text(encoding="utf-8").rstrip("\n") + "\n"
    return ""


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
