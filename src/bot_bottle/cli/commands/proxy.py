"""``proxy``: the egress proxy alone, without a sandbox (ruling 61)."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import re
import signal
import socket
from pathlib import Path

import click
import uvloop

from bot_bottle.base import messages
from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.cli import options
from bot_bottle.cli.spool import Spool
from bot_bottle.dlp import databases
from bot_bottle.dlp.known import Kind
from bot_bottle.egress.codec import dump_policy, effective_routes
from bot_bottle.egress.config import ConfigError, Policy
from bot_bottle.launch.known import known_values
from bot_bottle.launch.policy import flag_routes, parse_connect_to
from bot_bottle.launch.routes_file import read_roots, read_routes_file
from bot_bottle.sidecar.proxy import arming
from bot_bottle.sidecar.proxy.arming import Extra
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.heap import keep_heap_small
from bot_bottle.sidecar.proxy.log import catch_strays
from bot_bottle.sidecar.proxy.process import raise_descriptor_limit
from bot_bottle.sidecar.proxy.server import ProxyOptions, ProxyServer, connect_map
from bot_bottle.store.layout import default_layout
from bot_bottle.store.pattern_cache import PatternCache

DEFAULT_LISTEN = "127.0.0.1:9099"

INTERRUPTED = 130

STDERR = 2


class ProxyCommandError(BotBottleError):
    """A flag, a file or a variable that the proxy can't start with."""


@click.command("proxy", short_help="run the egress proxy alone, without a sandbox")
@click.option(
    "--listen",
    metavar="HOST:PORT|unix:PATH",
    default=DEFAULT_LISTEN,
    show_default=True,
    help="Where to listen; port 0 takes a free one. Standard output's first line names it.",
)
@options.routes
@click.option(
    "--proxy-auth",
    metavar="ENV",
    help="Ask clients for the user:password in the variable ENV; needed unless loopback or a unix socket.",
)
@click.option(
    "--ca-dir", metavar="DIR", help="Reuse or make ca.pem and ca-key.pem here. Default: ~/.bot-bottle/proxy."
)
@click.option("--print-ca", is_flag=True, help="Print the path of ca.pem, for clients to trust, and exit.")
def command(
    listen: str,
    routes_file: str | None,
    allow: tuple[str, ...],
    auth: tuple[str, ...],
    connect_to: tuple[str, ...],
    extra_ca: tuple[str, ...],
    proxy_auth: str | None,
    ca_dir: str | None,
    print_ca: bool,
) -> int:
    """Run the egress proxy alone: what the routes do not allow is refused, credentials are put in.

    Blocks are JSON lines on standard error (with log: 1). SIGHUP reads the routes again, SIGTERM lets what
    is in flight finish for 5 seconds.

    \b
      bot-bottle proxy --routes routes.yaml
      bot-bottle proxy --auth api.example.com=Bearer:MY_TOKEN --listen 127.0.0.1:0
    """
    directory = Path(ca_dir) if ca_dir else default_layout().home / "proxy"
    authority = CertificateAuthority.in_directory(directory)
    if print_ca:
        click.echo(directory / "ca.pem")
        return 0
    if not (routes_file or allow or auth):
        raise click.UsageError("nothing would pass: give --routes, --allow or --auth")
    source = Source(Path(routes_file) if routes_file else None, allow, auth, extra_ca)
    text, roots = source.read()
    listener, address = _listen(listen, has_auth=proxy_auth is not None)
    spool = Spool(STDERR)
    try:
        proxy_options = ProxyOptions(
            policy_text=text,
            authority=authority,
            log_fd=spool.descriptor,
            tokens={name: Secret(value) for name, value in os.environ.items() if value},
            secrets=_sensitive(),
            connect_to=connect_map(parse_connect_to(item) for item in connect_to),
            extra_ca_pem=roots,
            proxy_auth=_proxy_auth(proxy_auth) if proxy_auth else None,
        )
        raise_descriptor_limit()
        keep_heap_small()
        databases.keep_in(PatternCache(default_layout().patterns))
        arming.preload()
        with (
            contextlib.redirect_stderr(spool),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            return runner.run(_serve(proxy_options, source, listener, address))
    except ValueError as error:
        raise ProxyCommandError(f"{error}: mend the flag or file that it came from") from error
    finally:
        spool.close()
        listener.close()
        if listen.startswith("unix:"):
            Path(listen.removeprefix("unix:")).unlink(missing_ok=True)


class Source:
    """Where the policy comes from: read at the start and at each SIGHUP."""

    def __init__(
        self, path: Path | None, allow: tuple[str, ...], auth: tuple[str, ...], extra_ca: tuple[str, ...]
    ) -> None:
        self._path = path
        self._flags = flag_routes(allow, auth)
        self._extra_ca = extra_ca

    def read(self) -> tuple[str, str]:
        """The policy as a routes file's text, and the further roots (PEM). Raises BotBottleError."""
        policy, roots = Policy(log=1), tuple[Path, ...]()
        if self._path is not None:
            policy, roots = read_routes_file(self._path)
        try:
            routes = effective_routes((), (*policy.routes, *self._flags))
        except ConfigError as error:
            raise ProxyCommandError(f"{self._path}: {error.message}") from error
        further = read_roots((*roots, *map(Path, self._extra_ca)))
        return dump_policy(Policy(routes=routes, log=policy.log, on_taint=policy.on_taint)), further


async def _serve(proxy_options: ProxyOptions, source: Source, listener: socket.socket, address: str) -> int:
    proxy = ProxyServer(proxy_options)
    await proxy.start(listener)
    loop = asyncio.get_running_loop()
    catch_strays(loop, proxy.log)
    over: asyncio.Future[int] = loop.create_future()

    def end(status: int) -> None:
        if not over.done():
            over.set_result(status)

    loop.add_signal_handler(signal.SIGTERM, end, 0)
    loop.add_signal_handler(signal.SIGINT, end, INTERRUPTED)
    loop.add_signal_handler(signal.SIGHUP, _reload, proxy, source)
    print(f"listening on {address}", flush=True)
    for warning in proxy.warnings:
        messages.warning(warning)
    status = await over
    if status == 0:
        await proxy.drain()
    await proxy.close()
    return status


def _reload(proxy: ProxyServer, source: Source) -> None:
    try:
        text, roots = source.read()
        version = proxy.reload(text, extra_ca_pem=roots)
    except (BotBottleError, ValueError) as error:
        messages.error(f"the routes stay as they were: {error}")
    else:
        messages.info(f"routes read again, version {version[:12]}")


def _sensitive() -> list[Extra]:
    """Variables of ours that the operator's list names (ruling 16)."""
    known = known_values(os.environ, {}, {}, None)
    return [Extra(item.name, item.value, Kind(item.kind)) for item in known]


def _proxy_auth(variable: str) -> Secret:
    value = os.environ.get(variable, "")
    if ":" not in value:
        raise ProxyCommandError(f"--proxy-auth {variable}: export it as user:password")
    return Secret(value)


def _listen(text: str, *, has_auth: bool) -> tuple[socket.socket, str]:
    """The bound socket, and its address as the first line of output names it."""
    if text.startswith("unix:"):
        return _listen_unix(Path(text.removeprefix("unix:"))), text
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]{2,45})\]|([^:\[\]]{1,253})):([0-9]{1,5})", text)
    if not found or int(found[3]) > 65535:
        raise click.UsageError(f"--listen {text!r}: write HOST:PORT or unix:PATH")
    host = found[1] or found[2]
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise click.UsageError(f"--listen {text!r}: HOST must be an address or localhost") from None
    if not address.is_loopback and not has_auth:
        raise click.UsageError(
            f"--listen {text!r}: others could use your credentials: add --proxy-auth ENV, or listen on loopback"
        )
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        listener = socket.create_server((str(address), int(found[3])), family=family, backlog=1024)
    except OSError as error:
        raise ProxyCommandError(
            f"{text} can't be listened on ({error.strerror}): choose another --listen"
        ) from error
    port = listener.getsockname()[1]
    return listener, f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def _listen_unix(path: Path) -> socket.socket:
    """A socket that only its owner may connect to; one that nobody listens on any more is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        if path.is_socket() and not _is_served(path):
            path.unlink()
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise ProxyCommandError(
            f"unix:{path} can't be listened on ({error}): choose another --listen"
        ) from error
    return listener


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
