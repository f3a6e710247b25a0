"""What the name of a variable, key or header says about its value: a secret, a password, or no secret at all. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_HUMP = re.compile(rb"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+")

SECRET = frozenset(
    b"secret secrets token tokens password passwd passphrase passcode pass pwd apikey apitoken apisecret credential "
    b"credentials creds cred auth authorization bearer accesskey secretkey privatekey authkey authtoken accesstoken "
    b"clientsecret signingkey encryptionkey masterkey sharedkey accountkey servicekey appkey licensekey dsn "
    b"userpassword dbpassword rootpassword adminpassword authn passwort secretaccesskey".split()
)
PASSWORD = frozenset(
    b"password passwd passphrase passcode pass pwd userpassword dbpassword rootpassword".split()
)
BEFORE_KEY = frozenset(
    b"api access secret private auth account signing sign encryption encrypt encrypting master shared service app "
    b"application license licence client admin root user app session jwt hmac aes server write ingest ingestion "
    b"integration webhook deploy project org organization team bot master storage subscription consumer oauth sdk "
    b"security rest merchant live prod production test staging".split()
)
"""Words that make a secret of the ``key`` behind them."""

PUBLIC = frozenset(
    b"public pub publishable pubkey site anon cache cached primary foreign partition sort shard idempotency i18n "
    b"translation translations locale page paging next prev previous continuation cursor sync csrf xsrf nonce count "
    b"counts limit limits max min num number usage input output prompt completion total budget id ids kid name names "
    b"type types file filename files path paths url uri href link endpoint dir hash hashes hashed digest checksum sha "
    b"sha1 sha256 sha512 md5 fingerprint thumbprint integrity hint regex pattern format length len size index idx "
    b"field fields column row attr attribute map event events keyboard shortcut code codes press frame frames version "
    b"expiry expires expired expiration at ttl date time timestamp author authors authority authorities algorithm "
    b"alg scheme method host hosts domain class etag commit ref branch tag tags revision tree object bucket blob vocab "
    b"unk bos eos pad sep mask tokenizer tokenize tokenizers tokenized monkey turkey keyword keywords keyframe keypair "
    b"compass passive passed passthrough bypass label title description state status color style group order error "
    b"measurement tracking lookup dedup dedupe query param row list set array reasoning thinking cert certificate "
    b"crt ca jwks issuer audience sub scope scopes grant mode kind enabled required policy rule rules role location "
    b"uuid guid ordinal position offset rate price cost quota window template placeholder example".split()
)
"""Words that say that the value is none when they are the last, or right before ``key`` or ``token``."""
ALWAYS_PUBLIC = frozenset(b"public pub publishable pubkey csrf xsrf".split())


@lru_cache(maxsize=4096)
def words(name: bytes) -> tuple[bytes, ...]:
    """The words of *name* in lower case, at humps, digits and punctuation; the last eight of them."""
    return tuple(word.lower() for word in _HUMP.findall(name[-96:]))[-8:]


def is_public(name: bytes) -> bool:
    """Whether *name* is that of an address, a count, an identifier, a public key: of no secret."""
    parts = _named(name)
    if not parts or not ALWAYS_PUBLIC.isdisjoint(parts):
        return True
    weak = parts[-1] in (b"key", b"keys", b"token", b"tokens") and len(parts) > 1
    return parts[-1] in PUBLIC or (weak and parts[-2] in PUBLIC)


def _named(name: bytes) -> tuple[bytes, ...]:
    """The words without numbers at the end: ``API_KEY_2`` is an ``API_KEY``."""
    parts = words(name)
    while parts and parts[-1].isdigit():
        parts = parts[:-1]
    return parts


def is_password(name: bytes) -> bool:
    return not PASSWORD.isdisjoint(words(name))


def is_secret(name: bytes) -> bool:
    """Whether *name* promises a secret: one of the plain words, or ``key`` behind a word that makes one of it."""
    parts = _named(name)
    if is_public(name):
        return False
    if not SECRET.isdisjoint(parts[-4:]):
        return True
    return any(word in (b"key", b"keys") and before in BEFORE_KEY for before, word in pairwise(parts))
