"""A route's credential, to and from plain data, in both dialects.

Manifest: ``auth: {scheme, token_ref, header?}``, a list of such, or ``{scheme: passthrough}``.
Routes file: ``auth_scheme`` with ``token_env`` for the plain form, else ``auth`` as a list of ``{scheme,
token_env, header?}`` or ``{scheme: passthrough}``; never both.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot_bottle.base.yamltext import KeyPath, dotted
from bot_bottle.egress import fields
from bot_bottle.egress.config import Auth, ConfigError, Dialect, Inject, Passthrough, Scheme
from bot_bottle.egress.headers import FRAMING

MAX_CREDENTIALS = 8
"""in one route; clients are known to need two"""

PASSTHROUGH = "passthrough"
DEFAULT_HEADER = "Authorization"

_PLAIN_SCHEMES = (Scheme.BEARER, Scheme.TOKEN, Scheme.BASIC)
TOKEN_KEY = {Dialect.MANIFEST: "token_ref", Dialect.ROUTES_FILE: "token_env"}
"""the key that names a host variable (manifest) or a slot of the sidecar (routes file)"""


def auth_keys(dialect: Dialect) -> tuple[str, ...]:
    """The keys of a route that make its credential."""
    return ("auth",) if dialect is Dialect.MANIFEST else ("auth", "auth_scheme", "token_env")


def decode_auth(raw: Mapping[str, object], dialect: Dialect, path: KeyPath) -> Auth:
    """The credential of the route *raw*."""
    plain = [key for key in ("auth_scheme", "token_env") if key in raw]
    if plain and "auth" in raw:
        raise ConfigError(
            f"{dotted(path)} has both 'auth' and {plain[0]!r}: write the credential in one form",
            (*path, "auth"),
        )
    if plain:
        scheme_raw = fields.required(raw, "auth_scheme", path)
        token_raw = fields.required(raw, "token_env", path)
        scheme = fields.choice(Scheme, scheme_raw, (*path, "auth_scheme"))
        if scheme not in _PLAIN_SCHEMES:
            raise ConfigError(
                "auth_scheme must be Bearer, token or Basic: write others under 'auth'",
                (*path, "auth_scheme"),
            )
        return (Inject(scheme, fields.variable(token_raw, (*path, "token_env"))),)
    if "auth" not in raw:
        return ()
    return _decode_auth_value(raw["auth"], dialect, (*path, "auth"))


def _decode_auth_value(raw: object, dialect: Dialect, path: KeyPath) -> Auth:
    if isinstance(raw, Mapping):
        if raw.get("scheme") == PASSTHROUGH:
            fields.mapping(raw, ("scheme",), path)
            return Passthrough()
        if dialect is Dialect.MANIFEST:
            return (_decode_inject(raw, dialect, path),)
        raise ConfigError(f"{dotted(path)} must be a list of credentials, or {{scheme: passthrough}}", path)
    injects = tuple(
        _decode_inject(item, dialect, where) for item, where in fields.items(raw, path, limit=MAX_CREDENTIALS)
    )
    fields.unique((inject.header.lower() for inject in injects), path)
    return injects


def _decode_inject(raw: object, dialect: Dialect, path: KeyPath) -> Inject:
    token_key = TOKEN_KEY[dialect]
    entry = fields.mapping(raw, ("scheme", "header", token_key), path)
    scheme_raw = fields.required(entry, "scheme", path)
    if scheme_raw == PASSTHROUGH:
        raise ConfigError("passthrough stands alone: auth: {scheme: passthrough}", (*path, "scheme"))
    scheme = fields.choice(Scheme, scheme_raw, (*path, "scheme"))
    token = fields.variable(fields.required(entry, token_key, path), (*path, token_key))
    header = DEFAULT_HEADER
    if "header" in entry:
        header = fields.header_name(entry["header"], (*path, "header"))
        if header.lower() in FRAMING:
            raise ConfigError(f"{header!r} is the proxy's own header: name another", (*path, "header"))
    return Inject(scheme, token, header)


def encode_auth(auth: Auth, dialect: Dialect) -> dict[str, object]:
    """The keys of a route that make *auth*; none when there is no credential."""
    if isinstance(auth, Passthrough):
        return {"auth": {"scheme": PASSTHROUGH}}
    if not auth:
        return {}
    entries = [_encode_inject(inject, dialect) for inject in auth]
    if len(auth) > 1:
        return {"auth": entries}
    if dialect is Dialect.MANIFEST:
        return {"auth": entries[0]}
    only = auth[0]
    if only.header == DEFAULT_HEADER and only.scheme in _PLAIN_SCHEMES:
        return {"auth_scheme": only.scheme.value, "token_env": only.token}
    return {"auth": entries}


def _encode_inject(inject: Inject, dialect: Dialect) -> dict[str, object]:
    entry: dict[str, object] = {"scheme": inject.scheme.value}
    if inject.header != DEFAULT_HEADER:
        entry["header"] = inject.header
    entry[TOKEN_KEY[dialect]] = inject.token
    return entry
