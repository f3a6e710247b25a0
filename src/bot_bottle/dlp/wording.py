"""Does a value read like words (an identifier, a path, prose), or like something drawn by chance?

Each character costs what it tells after the one before it: little where English words and identifiers often go on
that way, much where they hardly do. Words come to 3.3 to 5 bits a character, 20 random letters and digits to 5.8 and
more. One pass; the cost is linear in the value.
"""

from __future__ import annotations

_COSTS = (
    "ia88ifakakd698k7k685cbfedkcb7ebd8gkk79k6cf8ck88e6jhkaha77hcg6gk7ak89fj4ekad7aghkfke89fgb3djj6jkahh"
    "9gkcbf9hjkeke49f98dbdigki8b7abf679hdfagkg57iee89jk5kk9ih7gk9bb9kkkdk65bkgh5gcb8kkae8cgk58abiikhik4"
    "5iii6gkk6kjedg7ikadbckjkhkk3ba98bbakjki8947bka77kbkdkbkc9khh4kkkdkckjk6ckj3kakkkhkj69idc3cdg7khahb"
    "cckd7ddgckikj47gfa47hk5kf8hh7ekha9afkk9kj75ahe4ikk7jfcaf66khadbhjkhkh78i877b6h9kcegd8ekg76bcikhkg6"
    "db97hd8kekd985b8k5999cbhjkh95kge6gh79ki8fj79k6c8ajhkbkh7ikkhikkkkkkadgkkiaei0khkkkh96gbc4fck7kecbb"
    "7fka88cehkbkk6cjbi5gha8kfdgiaaig869ifkbkk37hce5ej76kkcfg9dk89bbjgkakk5a9ac9ack9kj686e8k676jkkekkke"
    "5ifk2gjk7kkidgckkhgkhkikkk985feb7gg95kkcj88jk69jhibgkkg6bk8e7ghg8kkebhd5kfa5hkjecj95geefbghjbkkd98"
    "f6kf77jiekjhk27kkj2gkg7kkacfafkkckkkkkifa7ccccd8kkkkkkkkkhkkjkkkkkkk239a7998bb8fga9aa8h969bdcgkh97"
)
"""Half bits, ``0``..``9`` then ``a``.. for 10 and up; row: the character before, column: the character, both in the
order a..z, digit, other. Counted over the different words and identifiers (each by the logarithm of how often it
occurs) of the sources and documents of Python, npm and Perl as Debian ships them."""

_DIGIT, _OTHER = 26, 27
_DIGIT_COST = 3.0
"""which digit it is, beside that it is one"""
_HUMP_COST = 2.5
"""an upper-case letter after a lower-case one: camelCase does it once a word, chance every fourth character"""
_CASE_COST = 0.6

_CLASS = bytes(
    code - 97
    if 97 <= code <= 122
    else code - 65
    if 65 <= code <= 90
    else _DIGIT
    if 48 <= code <= 57
    else _OTHER
    for code in range(256)
)
_BITS = tuple(int(character, 36) / 2 for character in _COSTS)


def surprise(value: bytes) -> float:
    """Bits a character; 0 for nothing. A number counts as one digit: its length says nothing about words."""
    total, before, size = 0.0, 0x2D, 0
    for code in value:
        kind = _CLASS[code]
        if kind == _DIGIT and 48 <= before <= 57:
            continue
        size += 1
        total += _BITS[_CLASS[before] * 28 + kind]
        if kind == _DIGIT:
            total += _DIGIT_COST
        elif 65 <= code <= 90:
            total += _HUMP_COST if 97 <= before <= 122 else _CASE_COST if 65 <= before <= 90 else 0.0
        elif 65 <= before <= 90 and kind != _OTHER:
            total += _CASE_COST
        before = code
    return total / size if size else 0.0


_HEX = frozenset(b"0123456789abcdefABCDEF-")


def reads_like_words(value: bytes, floor: float = 5.2) -> bool:
    """Whether *value* costs less than *floor* bits a character; hexadecimal has too few letters to tell."""
    if _HEX.issuperset(value) and any(48 <= code <= 57 for code in value):
        return False
    if value.isalpha() and (value.islower() or value.isupper()):
        floor = min(floor, 4.6)
    return surprise(value) < floor
