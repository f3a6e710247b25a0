"""May this request leave, and with what: one pure function in the order of ruling 1.

Deny is the default: only the last line allows. It reads no clock, file or network.
"""

from __future__ import annotations

from dataclasses import replace

from bot_bottle.base.memo import Memo
from bot_bottle.egress.config import Route
from bot_bottle.egress.forge_writes import writes_code
from bot_bottle.egress.git_http import GitUse, git_use
from bot_bottle.egress.headers import Headers, end_to_end, injections
from bot_bottle.egress.hosts import INTROSPECTION_HOST, ip_literal
from bot_bottle.egress.identity_keys import identity_in_path, identity_key
from bot_bottle.egress.labels import NEW_NAMES, WINDOW_S, carries_data
from bot_bottle.egress.match import CompiledPolicy, CompiledRoute
from bot_bottle.egress.paths import query_pairs
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow, Deny, Hint, Introspect, Verdict
from bot_bottle.egress.websocket import SUBPROTOCOL_FIELD, BadHandshake, parse_handshake

_BY_ITS_NAME = "this host needs a route of its own"

_METHOD_KEYS = frozenset({"_method", "x_http_method", "x_http_method_override"})
"""Parameters that frameworks read as the method (threats D4)."""


def may_connect(policy: CompiledPolicy, host: str, port: int) -> Deny | None:
    """Whether a CONNECT is answered 200 (None) or refused at once: a port that no route of any host opens
    (ruling 63). 80 and 443 are always taken up, so that the refusal can be shown inside."""
    if port in policy.ports:
        return None
    return on_host(policy, host, Deny(403, f"egress: target: no route opens port {port}", Hint.ASK))


def decide(policy: CompiledPolicy, identity: RequestIdentity, *, cut_off: bool = False) -> Verdict:
    """Judge one request. Order: cut-off, introspection, target, host, git, matches, credentials."""
    verdict = _judge(policy, identity, cut_off)
    if isinstance(verdict, Deny) and verdict.provider not in (None, "claude") and _upgrades(identity):
        # Codex goes over to POST on 426 alone, and shows the refusal that it gets there.
        return replace(verdict, status=426)
    return verdict


def too_many_names(policy: CompiledPolicy, host: str) -> Deny:
    """The refusal for what :class:`labels.NameBudget` does not admit: the proxy keeps one for its bottle."""
    many = f"more than {NEW_NAMES} new names within {WINDOW_S / 60:.0f} minutes"
    return on_host(
        policy, host, Deny(403, f"egress: route: {many} below the wildcard: {_BY_ITS_NAME}", Hint.ASK)
    )


def on_host(policy: CompiledPolicy, host: str, deny: Deny) -> Deny:
    """*deny* as it is told on *host*: where a provider owns it, in the API's shape, and 403 becomes 400,
    since clients take 403 there for a failed login (ruling 5). For refusals that the proxy makes itself."""
    return _shaped(policy.find(host), deny)


def _judge(policy: CompiledPolicy, identity: RequestIdentity, cut_off: bool) -> Verdict:
    found = policy.lookup(identity.host)
    if cut_off:
        return _deny(found, "cut off: this bottle may send nothing", Hint.CUT_OFF)
    if identity.host == INTROSPECTION_HOST:
        return _introspect(identity)
    if found is None:
        if ip_literal(identity.host) is not None:
            return _deny(None, "target: no route names this address", Hint.ASK)
        return _deny(None, "route: no route for this host", Hint.ASK)
    if found.route.host.startswith("*."):
        what = carries_data(found.route.host, identity.host)
        if what is not None:
            return _deny(found, f"route: {what} below the wildcard: {_BY_ITS_NAME}", Hint.ASK)
    if identity.port not in found.ports:
        return _deny(found, f"target: the route does not open port {identity.port}", Hint.ASK)
    upgrades = _upgrades(identity)
    if upgrades - {"websocket"}:  # would leave judgement behind, h2c above all (threats D4)
        return _deny(found, "target: an upgrade to another protocol", Hint.NO_UPGRADE)
    if not upgrades and "sec-websocket-version" in identity.judged:
        return _deny(found, "target: the handshake of a WebSocket without Upgrade", Hint.MALFORMED)
    refused = _refuse_git(found, identity)
    if refused is not None:
        return refused
    headers = end_to_end(identity.headers)
    names = _parameter_names(identity) if found.guarded or found.judges_method else frozenset()
    if found.matching(identity.method, identity.path, headers) is None:
        status = 404 if found.route.provider is not None else 403
        hint = Hint.GIT_GATE if found.forge and writes_code(identity.method, identity.path) else Hint.ASK
        return _deny(found, "match: the route does not open this method and path", hint, status=status)
    if names & _METHOD_KEYS:
        return _deny(found, "match: the URL names another method", Hint.MALFORMED)
    verdict = _credentials(found, identity, headers)
    return _opening(found, identity, verdict) if upgrades and isinstance(verdict, Allow) else verdict


def _introspect(identity: RequestIdentity) -> Verdict:
    plain = identity.scheme == "http" and identity.port == 80 and identity.query is None
    if plain and identity.path == "/allowlist" and identity.method in ("GET", "HEAD"):
        return Introspect()
    return Deny(404, f"egress: target: only http://{INTROSPECTION_HOST}/allowlist is here")


def _refuse_git(found: CompiledRoute, identity: RequestIdentity) -> Deny | None:
    use = git_use(identity.path, identity.query, identity.judged.get("content-type", ""))
    if use is GitUse.PUSH:
        return _deny(found, "git: pushing over HTTPS is never allowed", Hint.GIT_GATE)
    if use is GitUse.FETCH and not found.route.git_fetch:
        return _deny(found, "git: the route does not allow fetching", Hint.GIT_FETCH)
    return None


def _upgrades(identity: RequestIdentity) -> set[str]:
    told = identity.judged.get("upgrade")
    return set() if told is None else {protocol.strip().lower() for protocol in told.split(",")}


def _credentials(found: CompiledRoute, identity: RequestIdentity, headers: Headers) -> Verdict:
    route = found.route
    inject = injections(route)
    if inject and identity.scheme != "https":
        return _deny(found, "credential: this host's credential goes over TLS only", Hint.HTTPS)
    if found.guarded:
        named = _identity_named(identity)
        if named is not None:
            what = f"the URL carries a credential or identity ({named})"
            if not inject:
                return _deny(found, f"credential: {what}: requests to this host name no account", Hint.NONE)
            return _deny(found, f"credential: {what}", Hint.CREDENTIAL)
    sent = (("Host", identity.authority), *found.headers.forwarded(headers))
    return Allow(route, sent, inject, found.headers.keeps_cookies)


def _opening(found: CompiledRoute, identity: RequestIdentity, allow: Allow) -> Verdict:
    """*allow* for a request that opens a WebSocket. Its subprotocols go on where their field does."""
    try:
        handshake = parse_handshake(identity)
    except BadHandshake as error:
        return _deny(found, f"target: WebSocket: {error}", Hint.MALFORMED)
    if not any(name.lower() == SUBPROTOCOL_FIELD for name, _ in allow.headers):
        handshake = replace(handshake, protocols=())
    return replace(allow, websocket=handshake)


def _identity_named(identity: RequestIdentity) -> str | None:
    """The key or form by which the URL names an account, as it is documented."""
    named = _KEY_IN_QUERY[identity.query] if identity.query else None
    if named is None and ";" in identity.path:
        named = _first_key(_names_in_path(identity.path))
    return named or _IN_PATH[identity.path]


def _first_key(names: frozenset[str]) -> str | None:
    return next((key for name in sorted(names) if (key := identity_key(name))), None)


def _parameter_names(identity: RequestIdentity) -> frozenset[str]:
    """Names of the parameters in query and path."""
    names = _NAMES[identity.query] if identity.query else frozenset()
    return names | _names_in_path(identity.path) if ";" in identity.path else names


def _names_in_path(path: str) -> frozenset[str]:
    return frozenset().union(*(_names(segment.partition(";")[2]) for segment in path.split("/")))


def _names(parameters: str) -> frozenset[str]:
    """Their names, each as words parted by underscores and as letters and digits alone; of ``a[b]`` both ``a``
    and ``b``; a name ends at NUL, too, where C reads it."""
    names: set[str] = set()
    for name, _ in query_pairs(parameters):
        for part in name.lower().replace("]", "").replace("\0", "[").split("["):
            words = [char if char.isascii() and char.isalnum() else "_" for char in part.strip()]
            names.add("".join(words))
            names.add("".join(char for char in words if char != "_"))
        names.add("".join(char for char in name.lower() if char.isascii() and char.isalnum()))
    return frozenset(names)


_NAMES = Memo(_names)
_KEY_IN_QUERY: Memo[str, str | None] = Memo(lambda query: _first_key(_NAMES[query]))
_IN_PATH: Memo[str, str | None] = Memo(identity_in_path)


def _deny(found: CompiledRoute | None, reason: str, hint: Hint, *, status: int = 403) -> Deny:
    return _shaped(None if found is None else found.route, Deny(status, f"egress: {reason}", hint))


def _shaped(route: Route | None, deny: Deny) -> Deny:
    if route is None or route.provider is None:
        return deny
    return replace(deny, status=400 if deny.status == 403 else deny.status, provider=route.provider)
