"""``bot-bottle explain``: what would happen to a request, by the very code that enforces (threats O2)."""

from __future__ import annotations

from dataclasses import dataclass

from bot_bottle.egress.config import PathType, Route
from bot_bottle.egress.decide import decide, may_connect
from bot_bottle.egress.headers import Headers, end_to_end
from bot_bottle.egress.hosts import BadHost, canonical_route_host
from bot_bottle.egress.match import CompiledPolicy
from bot_bottle.egress.request import RequestHead, RequestIdentity, Tunnel, build_identity, parse_connect
from bot_bottle.egress.verdict import Allow, Deny, Introspect, Verdict

SHOWN_PATHS = 3


@dataclass(frozen=True)
class Explanation:
    """A verdict and what led to it."""

    url: str
    """canonical, as it would be judged; as given where it could not be read"""
    method: str
    verdict: Verdict
    rule: str
    """one line: which rule decided"""
    route: Route | None = None
    credentials: tuple[str, ...] = ()
    """variables or slots by name, each ``NAME in HEADER``; never a value"""

    @property
    def allowed(self) -> bool:
        return not isinstance(self.verdict, Deny)


def explain(policy: CompiledPolicy, url: str, method: str = "GET", *, headers: Headers = ()) -> Explanation:
    """What :func:`decide` says to a well-behaved client's request for *url* (scheme optional: https).

    The address guard is not asked: it needs a resolver.
    """
    identity = _identity(policy, url if "://" in url else f"https://{url}", method, headers)
    if isinstance(identity, Deny):
        return Explanation(url, method, identity, identity.reason)
    verdict = decide(policy, identity)
    canonical = f"{identity.scheme}://{identity.authority}{identity.target}"
    route = policy.find(identity.host)
    if isinstance(verdict, Deny):
        return Explanation(canonical, method, verdict, verdict.reason, route)
    if isinstance(verdict, Introspect):
        return Explanation(canonical, method, verdict, "introspection: answered by the proxy itself")
    return Explanation(canonical, method, verdict, _rule(policy, identity), route, _credentials(verdict))


def _identity(policy: CompiledPolicy, url: str, method: str, headers: Headers) -> RequestIdentity | Deny:
    scheme, _, rest = url.partition("://")
    cut = min((rest.index(char) for char in "/?#" if char in rest), default=len(rest))
    authority = rest[:cut]
    if not authority.isascii():
        try:
            authority = canonical_route_host(authority)  # as a client writes an internationalised name
        except BadHost:
            return Deny(403, "egress: target: the host is not a name")
        url = f"{scheme}://{authority}{rest[cut:]}"
    sent = [("Host", authority), *headers]
    try:
        fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in sent)
        target = url.encode("ascii")
        verb = method.encode("ascii")
    except UnicodeEncodeError:
        return Deny(403, "egress: target: the URL is not ASCII")
    tunnel = None
    if scheme.lower() == "https":
        bare = authority.rpartition("]")[2]
        connect = parse_connect(f"{authority if ':' in bare else authority + ':443'}".encode("ascii"))
        if isinstance(connect, Deny):
            return connect
        refused = may_connect(policy, *connect)
        if refused is not None:
            return refused
        tunnel = Tunnel(*connect, tls=True)
    return build_identity(RequestHead(verb, target, b"HTTP/1.1", fields), tunnel=tunnel)


def _rule(policy: CompiledPolicy, identity: RequestIdentity) -> str:
    found = policy.lookup(identity.host)
    assert found is not None
    index = found.matching(identity.method, identity.path, end_to_end(identity.headers))
    owner = f" of the provider {found.route.provider}" if found.route.provider else ""
    assert index is not None
    rule = (
        "no matches given: everything" if index == -1 else f"matches[{index}] ({_told(found.route, index)})"
    )
    return f"route {found.route.host}{owner}, {rule}"


def _told(route: Route, index: int) -> str:
    """One entry of ``matches`` in short."""
    match = route.matches[index]
    methods = " ".join(match.methods) or "any method"
    paths = [
        path.value if path.type is PathType.PREFIX else f"{path.type.value} {path.value}"
        for path in match.paths
    ]
    shown = ", ".join(paths[:SHOWN_PATHS]) or "any path"
    more = f" and {len(paths) - SHOWN_PATHS} more" if len(paths) > SHOWN_PATHS else ""
    return f"{methods}; {shown}{more}{'; with headers' if match.headers else ''}"


def _credentials(verdict: Allow) -> tuple[str, ...]:
    return tuple(f"{inject.token} in {inject.header}" for inject in verdict.inject)
