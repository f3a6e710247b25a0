"""What the scanner finds in a request, and what its route makes of that (dlp.md §3; rulings 13, 14, 53).

One :class:`Inspector` a proxy. It decides and remembers what was approved; it sends and holds nothing. Every
exception in it is a refusal: whoever calls it catches none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from time import monotonic

from msgspec import structs

from bot_bottle.dlp.coding import Decoder
from bot_bottle.dlp.crlf import crlf_hits
from bot_bottle.dlp.dns import dns_findings
from bot_bottle.dlp.finding import Detector, Finding, Hit, Severity
from bot_bottle.dlp.known import Kind, KnownSecrets, Seen
from bot_bottle.dlp.pieces import FragmentCount, Pieces
from bot_bottle.dlp.redact import Unredactable, redact, redact_text, snippet
from bot_bottle.dlp.scan import Engine, Stream, What, form_digest
from bot_bottle.egress.config import OutboundDetector, OutboundOnMatch, Route
from bot_bottle.egress.decide import on_host
from bot_bottle.egress.headers import injections
from bot_bottle.egress.hosts import wildcard_matches
from bot_bottle.egress.match import CompiledPolicy
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow, Deny, Hint
from bot_bottle.sidecar.proxy.log import EventLog
from bot_bottle.sidecar.proxy.scanned import ScannedBody

CANARY_ALONE = What(token_patterns=False, known_secrets=False, undecoded=Severity.WARN)
"""What is looked for on a route without detectors."""

BETWEEN = b"\x1e"
"""Between the parts of a head that are scanned as one text: no part can hold it, and no rule spans it."""


@dataclass(frozen=True)
class KnownSecret:
    """What is known, beside its name, of a value that may not leave but for ``hosts`` (of ``ENV``: ruling 48;
    wildcards too)."""

    digest: bytes
    """SHA-256 of the value"""
    kind: Kind
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arms:
    """What is looked for, made together."""

    engine: Engine
    known: KnownSecrets
    secrets: Mapping[str, KnownSecret]
    """the same by name"""


@dataclass(frozen=True)
class Ask:
    """The operator may let *finding* pass."""

    finding: Finding


@dataclass(frozen=True)
class Mask:
    """What is found of ``what`` is to be replaced."""

    what: What


Judgement = Deny | Ask | Mask | None
"""None: it may go."""


def _nothing() -> None:
    pass


MAX_CLEAN = 512
MAX_CLEAN_BYTES = 2048
"""Heads that are known to be clean: 1 MiB of them"""


class Inspector:
    """See the module."""

    def __init__(
        self,
        arms: Arms,
        *,
        policy: Callable[[], CompiledPolicy],
        log: EventLog,
        cut_off: Callable[[], None] = _nothing,
    ) -> None:
        """*cut_off*: let nothing go any more."""
        self._cut_off = cut_off
        self.policy = policy
        self._log = log
        self._approved: dict[str, frozenset[bytes]] = {}
        """by host: digests of the exact forms that may go there, for this proxy's life (ruling 14)"""
        self.rearm(arms)

    def rearm(self, arms: Arms) -> None:
        """Look for other secrets, from the next request on. What was sent in pieces so far is forgotten."""
        self.engine = arms.engine
        self.known = arms.known
        self._pieces = Pieces(arms.known)
        self._fragments = FragmentCount(arms.known)
        self._clean: set[tuple[What, str, bytes]] = set()
        self._pieces_seen = 0
        """how often there was a piece of a secret in what leaves"""
        self._secrets = arms.secrets
        self._theirs = tuple(each for each in arms.secrets.values() if each.kind is Kind.ENV and each.hosts)

    # -- what is looked for, and what may pass

    def what(self, route: Route) -> What:
        """The detectors of *route*."""
        named = route.dlp.outbound_detectors
        undecoded = Severity.WARN if route.provider is not None else Severity.BLOCK
        if named is None:
            return What(undecoded=undecoded)
        if not named:
            return CANARY_ALONE
        return What(
            token_patterns=OutboundDetector.TOKEN_PATTERNS in named,
            known_secrets=OutboundDetector.KNOWN_SECRETS in named,
            entropy=OutboundDetector.ENTROPY in named,
            undecoded=undecoded,
        )

    def policy_of(self, route: Route) -> OutboundOnMatch:
        """What a match does on *route*."""
        default = OutboundOnMatch.SUPERVISE if route.provider is None else OutboundOnMatch.REDACT
        return route.dlp.outbound_on_match or default

    def approved(self, host: str) -> frozenset[bytes]:
        """Digests of what may go to *host*: approved there, or given to the bottle for it."""
        digests = self._approved.get(host, frozenset())
        for secret in self._theirs:
            if any(_covers(pattern, host) for pattern in secret.hosts):
                digests |= {secret.digest}
        return digests

    def approve(self, host: str, finding: Finding) -> None:
        """The operator lets the form that was found go to *host*."""
        if finding.match is not None:
            self._approved[host] = self._approved.get(host, frozenset()) | {form_digest(finding.match)}

    def stream(self, route: Route, host: str, *, coding: str = "") -> Stream:
        """For a body that goes to *host*. *coding*: the last one that was put on it, taken off and judged besides."""
        what = self.what(route)
        if coding:
            what = structs.replace(what, packed_as=_PACKED_AS[coding])
        pieces = self._pieces

        def note(seen: Seen) -> list[Hit]:
            self._pieces_seen += 1
            return pieces.note(route.host, seen, monotonic())

        return self.engine.stream(what, self.approved(host), note)

    def body(self, route: Route, host: str, decoder: Decoder | None, *, lenient: bool) -> ScannedBody:
        """For a request's body, which *decoder* reads if it is encoded."""
        return ScannedBody(
            lambda: self.stream(route, host),
            decoder,
            encoded=lambda: self.stream(route, host, coding="" if decoder is None else decoder.outermost),
            lenient=lenient,
        )

    # -- looking

    def head(self, identity: RequestIdentity, allow: Allow) -> list[Finding]:
        """What is in the way in that part of the head that will be forwarded. Offsets mean nothing outside."""
        route, host = allow.route, identity.host
        parts = [identity.path, identity.query or "", *(value for _, value in allow.headers)]
        target = BETWEEN.join([part.encode("latin-1") for part in parts])
        found = tuple(_structural(hit.reason) for hit in crlf_hits(target))
        if route.host.startswith("*."):
            found += dns_findings(self.engine, host, is_wildcard=True)
        names = "\x1e".join([name for name, _ in allow.headers]).encode("latin-1")
        found += self._scanned(target + BETWEEN + names, route, host)
        return self.blocking(found, identity, route, "head") if found else []

    def _scanned(self, text: bytes, route: Route, host: str) -> tuple[Finding, ...]:
        """Findings in *text*. A client sends most of its heads again and again: those in which there was nothing
        at all, not even a piece of a secret, are known by themselves."""
        what = self.what(route)
        key = (what, host, text)  # what was approved is by host
        if key in self._clean:
            return ()
        seen = self._pieces_seen
        stream = self.stream(route, host)
        found = stream.feed(text) + stream.finish()
        if not found and seen == self._pieces_seen and len(text) <= MAX_CLEAN_BYTES:
            if len(self._clean) >= MAX_CLEAN:
                self._clean.clear()
            self._clean.add(key)
        return found

    def blocking(
        self, found: Iterable[Finding], identity: RequestIdentity, route: Route, where: str
    ) -> list[Finding]:
        """Those of *found* that are in the way; what is only warned of is logged."""
        return [finding for finding in found if self._counts(finding, route, identity, where)]

    def has_spied(self, blocking: Iterable[Finding]) -> bool:
        """Whether *blocking* findings of one request bring the third part of an injected credential, which nobody
        in the bottle can have by chance: it is cut off (ruling 54)."""
        hits = [
            Hit(finding.rule.partition("#")[0], finding.start, finding.end, finding.reason, exact=False)
            for finding in blocking
            if finding.detector is Detector.KNOWN_SECRETS and finding.match is None
        ]
        reached = self._fragments.note(hits) if hits else ()
        if reached:
            self._log.incident(
                "egress_cut_off", reason="parts of a credential were sent", slots=sorted(reached)
            )
            self._cut_off()
        return bool(reached)

    def cut_off_deny(self, host: str) -> Deny:
        deny = Deny(403, "egress: cut off: parts of a credential were sent", Hint.CUT_OFF)
        return on_host(self.policy(), host, deny)

    def judge(
        self, blocking: list[Finding], route: Route, identity: RequestIdentity, where: str
    ) -> Judgement:
        """What *blocking* findings in the request's *where* (``head``, ``body``, ``message``) lead to."""
        host = identity.host
        if not blocking:
            return None
        policy = self.policy_of(route)
        for finding in blocking:
            if finding.detector is Detector.CANARY and route.provider is None:
                path = self.shown(identity).path
                self._log.incident("egress_canary", host=host, method=identity.method, path=path, where=where)
                return self.deny(finding, host, where, Hint.TAKE_OUT)
        for finding in blocking:
            if finding.detector is Detector.DNS_EXFIL:
                return self.deny(finding, host, "host", Hint.TAKE_OUT)
            if finding.detector is Detector.CRLF and policy is not OutboundOnMatch.REDACT:
                return self.deny(finding, host, where, Hint.MALFORMED)
        return self._by_policy(blocking, policy, route, host, where)

    def _by_policy(
        self, blocking: list[Finding], policy: OutboundOnMatch, route: Route, host: str, where: str
    ) -> Judgement:
        if policy is OutboundOnMatch.REDACT:
            return Mask(self.what(route))
        others = [finding for finding in blocking if finding.detector is not Detector.CANARY]
        if not others:  # the agent printed its environment to its own model: no crime (egress.md §8)
            return Mask(CANARY_ALONE)
        if policy is OutboundOnMatch.BLOCK:
            return self.deny(others[0], host, where, Hint.TAKE_OUT)
        for finding in others:
            if not self._may_be_approved(finding, host):
                hint = Hint.UNREADABLE if finding.detector is Detector.UNDECODED else Hint.TAKE_OUT
                return self.deny(finding, host, where, hint)
        return Ask(others[0])

    def _may_be_approved(self, finding: Finding, host: str) -> bool:
        """Only a value can be, an injected credential only for its own host (rulings 13, 14)."""
        if finding.match is None or finding.detector is Detector.UNDECODED:
            return False
        secret = self._secrets.get(finding.rule) if finding.detector is Detector.KNOWN_SECRETS else None
        if secret is None:
            return True
        return secret.kind is not Kind.CANARY and (
            secret.kind is not Kind.INJECTED or host in self._hosts_of_slot(finding.rule)
        )

    def _hosts_of_slot(self, slot: str) -> list[str]:
        slot = slot.partition("#")[0]  # an earlier value of it
        routes = self.policy().policy.routes
        return [route.host for route in routes if any(inject.token == slot for inject in injections(route))]

    def _counts(self, finding: Finding, route: Route, identity: RequestIdentity, where: str) -> bool:
        """Whether it is in the way; what is only warned of is logged here."""
        if finding.severity is Severity.BLOCK:
            secret = self._secrets.get(finding.rule) if finding.detector is Detector.KNOWN_SECRETS else None
            return secret is None or not any(_covers(pattern, identity.host) for pattern in secret.hosts)
        self._log.note(
            "egress_dlp_warn",
            host=identity.host,
            method=identity.method,
            detector=finding.detector.value,
            rule=finding.rule,
            reason=finding.reason,
            where=where,
            route=route.host,
        )
        return False

    # -- saying it

    def deny(self, finding: Finding, host: str, where: str, hint: Hint, detail: str = "") -> Deny:
        """The refusal, in the shape of *host*'s API. It says the same of the canary as of any known secret."""
        kind = f" ({finding.rule})" if finding.detector is Detector.TOKEN_PATTERNS else ""
        place = "" if finding.detector is Detector.INJECTION else f", in the request's {where}"
        reason = f"egress DLP: {finding.reason}{kind}{place}"
        return on_host(self.policy(), host, Deny(403, reason, hint, detail=detail))

    def shown(self, identity: RequestIdentity) -> RequestIdentity:
        """*identity* as a refusal, log or question may show it."""
        path = redact_text(self.engine, identity.path)
        host = redact_text(self.engine, identity.host)
        if path == identity.path and host == identity.host:
            return identity
        return replace(identity, path=path, host=host)

    def snippet(self, text: bytes, finding: Finding) -> str:
        """The surroundings of *finding*, for the operator: without it, or any other."""
        return snippet(self.engine, text, finding.start, finding.end)

    def plain(self, text: str) -> str:
        """*text* of somebody else's, without secrets."""
        return redact_text(self.engine, text)

    # -- messages of a WebSocket

    def message(self, data: bytes, identity: RequestIdentity, route: Route) -> bytes | Deny:
        """A client's message, whole and uncompressed: what may go instead of it, or why nothing may (ruling 10).
        Nobody is asked: what was approved passes."""
        approved = self.approved(identity.host)
        stream = self.stream(route, identity.host)
        found = self.blocking(stream.feed(data) + stream.finish(), identity, route, "message")
        if self.has_spied(found):
            return self.cut_off_deny(identity.host)
        judged = self.judge(found, route, identity, "message")
        if judged is None or isinstance(judged, Deny):
            return data if judged is None else judged
        if isinstance(judged, Ask):
            return self.deny(judged.finding, identity.host, "message", Hint.TAKE_OUT)
        try:
            clean = redact(self.engine, data, judged.what, approved)
        except Unredactable:
            return self.deny(found[0], identity.host, "message", Hint.UNREDACTABLE)
        self.note_redacted(found, identity, "message")
        return clean

    def note_redacted(self, found: Iterable[Finding], identity: RequestIdentity, where: str) -> None:
        """``egress_redacted``, once for each rule."""
        for detector, rule in dict.fromkeys((finding.detector, finding.rule) for finding in found):
            self._log.note(
                "egress_redacted",
                host=identity.host,
                method=identity.method,
                path=self.shown(identity).path,
                detector=detector.value,
                rule=rule,
                where=where,
            )


_PACKED_AS = {
    "gzip": frozenset({"gzip"}),
    "deflate": frozenset({"zlib", "deflate"}),
    "br": frozenset({"br"}),
    "zstd": frozenset({"zstd"}),
}


def _structural(reason: str) -> Finding:
    return Finding(Detector.CRLF, Detector.CRLF.value, Severity.BLOCK, reason, 0, 0)


def _covers(pattern: str, host: str) -> bool:
    return pattern == host or wildcard_matches(pattern, host)
