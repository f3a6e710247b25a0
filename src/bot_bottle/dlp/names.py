"""What the name of a variable, key or header says about its value: a secret, a password, or no secret at all. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_HUMP = re.compile(rb"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+")

SECRET = frozenset(
    b"secret secrets token tokens password passwd passphrase passcode pass pwd apikey apitoken apisecret "
    b"credential credentials creds cred auth authorization bearer accesskey secretkey privatekey authkey "
    b"authtoken accesstoken clientsecret signingkey encryptionkey masterkey sharedkey accountkey "
    b"servicekey appkey licensekey dsn userpassword dbpassword rootpassword adminpassword authn passwort "
    b"secretaccesskey".split()
)
_ENDINGS = (b"password", b"passwd", b"secret", b"token", b"apikey")
"""of names whose words nothing tells apart: ``PGPASSWORD``"""
PASSWORD = frozenset(
    b"password passwd passphrase passcode pass pwd userpassword dbpassword rootpassword".split()
)
BEFORE_KEY = frozenset(
    b"api access secret private auth account signing sign encryption encrypt encrypting master shared "
    b"service app application license licence client admin root user app session jwt hmac aes server write "
    b"ingest ingestion integration webhook deploy project org organization team bot master storage "
    b"subscription consumer oauth sdk security rest merchant live prod production test staging".split()
)
"""Words that make a secret of the ``key`` behind them."""

PUBLIC = frozenset(
    b"public pub publishable pubkey site anon cache cached primary foreign partition sort shard "
    b"idempotency i18n translation translations locale page paging next prev previous continuation cursor "
    b"sync csrf xsrf nonce count counts limit limits max min num number usage input output prompt "
    b"completion total budget id ids kid name names type types file filename files path paths url uri href "
    b"link endpoint dir hash hashes hashed digest checksum sha sha1 sha256 sha512 md5 fingerprint "
    b"thumbprint integrity hint regex pattern format length len size index idx field fields column row "
    b"attr attribute map event events keyboard shortcut code codes press frame frames version expiry "
    b"expires expired expiration at ttl date time timestamp author authors authority authorities algorithm "
    b"alg scheme method host hosts domain class etag commit ref branch tag tags revision tree object "
    b"bucket blob vocab unk bos eos pad sep mask tokenizer tokenize tokenizers tokenized monkey turkey "
    b"keyword keywords keyframe keypair compass passive passed passthrough bypass label title description "
    b"state status color style group order error measurement tracking lookup dedup dedupe query param row "
    b"list set array reasoning thinking cert certificate crt ca jwks issuer audience sub scope scopes "
    b"grant mode kind enabled required policy rule rules role location json yaml yml toml xml md js ts txt "
    b"css html py rb plan uuid guid ordinal position offset rate price cost quota window template "
    b"placeholder example".split()
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
    return any(part in PASSWORD or part.endswith((b"password", b"passwd")) for part in words(name))


def is_secret(name: bytes) -> bool:
    """Whether *name* promises a secret: one of the plain words, or ``key`` behind a word that makes one of it."""
    parts = _named(name)
    if is_public(name):
        return False
    if any(part in SECRET or part.endswith(_ENDINGS) for part in parts[-3:]):
        return True
    return any(word in (b"key", b"keys") and before in BEFORE_KEY for before, word in pairwise(parts))
