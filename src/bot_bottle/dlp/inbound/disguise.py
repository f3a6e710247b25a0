"""Evidence that a text is disguised: patterns over bytes, each bounded, none of which looks at what follows.

They are cheap where they have a literal; the others are short runs of character classes.
"""

from __future__ import annotations

import re

_ZERO = (
    r"(?:\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xcd\x8f|\xe1\xa0\x8e|"
    r"\xef\xb8[\x80-\x8f]|\xc2\xad)"
)
_ZERO_ESCAPED = (
    r"(?:\\u(?:200[b-f]|202[a-e]|206[0-9a-f]|feff|00ad|fe0[0-9a-f])|&#(?:x0{0,3}(?:200[b-f]|2060|feff|"
    r"ad)|820[3-7]|8288|65279|173);|&(?:shy|zwj|zwnj|nobreak);)"
)
_CYRILLIC = (
    r"(?:\xd0[\xb0\xb5\xbe\xba\xbc\xbf\x90\x95\x9e]|\xd1[\x80\x81\x82\x83\x85\x95\x96\x98]|\xd2\xbb|"
    r"\xd3\x8f|\xd4[\x81\x9b\x9d]|\xce[\xb1\xb5\xb9\xba\xbd\xbf]|\xcf[\x81\x84\x85\x87\x89]|"
    r"\xc9[\x91\xa1]|\xc9\xaa)"
)
_STYLED = (
    r"(?:\xef\xbc[\xa1-\xba]|\xef\xbd[\x81-\x9a]|\xf0\x9d[\x90-\x9f][\x80-\xbf]|\xe2\x93[\x80-\xbf]|"
    r"\xe2\x92[\x9c-\xb5]|\xf0\x9f\x87[\xa6-\xbf]|\xf0\x9f\x85[\x80-\xbf]|\xf0\x9f\x84[\xb0-\xbf]|"
    r"\xe1\xb4[\x80-\xa2]|[a-z]\xcc[\x80-\xbf]|[a-z]\xcd[\x80-\xaf])"
)
_LEET = (
    "1gnor|ign0r|1gn0r|!gnor|!gn0r|gn0re|gnor3|gn0r3|pr3vi|pr3v1|r3v10|rev10|revi0|v10us|vi0us|vi0u5|"
    "1nstr|!nstr|in5tr|1n5tr|in\\$tr|n5truc|nstru7|ruct1|ruc7i|ruc71|ucti0|uct10|ct10n|cti0n|ti0ns|"
    "t10ns|710n5|pr0mp|r0mpt|0mp75|5yste|sy5te|sy\\$te|syst3m|5y5t3|5y573|d1sre|di5re|d15re|disr3g|"
    "sr3ga|r3g4r|f0rge|forg3t|f0rg3|f0r93|s3cre|secr3t|s3cr3|53cr3|r3vea|r3v34|rev34|cr3de|cr3d3|"
    "d3nti|p4ssw|pa55w|p455w|ssw0r|55w0r|t0ken|tok3n|t0k3n|4bove|ab0ve|ab0v3|4b0v3|rul3s|ru1es|pri0r|"
    "pr10r|p4\\$\\$|n0w_0n|us3r_|u53r_|_y0u_|_4nd_|_th3_|_7h3_|fr0m_|mu5t_|mus7_|_4ll_|_a11_|s3nd_|"
    "53nd_|_r34d|re4d_|wi7h_|w1th_|w17h_|th15_|thi5_|7his_|7h15_|t3ll_|73ll_|4n5w|n5w3r|3v3ry|ev3ry|"
    "f1l3_|c0n73|c0nt3|n73nt|m3554|5h0w_|upl04|env1r|4dm1n|d3l37|d3l3t|3x3cu|c0mm4|5cr1p|pl34s|pl3as|"
    "y0ur_|k3y5_|k3ys_"
)
"""pieces of the words that a disguised order can hardly do without; ``_``: a space"""
_ROT13_WORDS = "[^a-z](?:gur|naq|lbh|lbhe|guvf|gung|nyy|jvgu|sebz|zhfg|jvyy|abg)[^a-z]"
_ROT13_KEYS = "vafgehpgvba|cebzcg|vtaber|qvfertneq|perqragvny|cnffjbeq|frperg|ercbfvgbel"
_REVERSED_WORDS = "[^a-z](?:eht|uoy|ruoy|siht|taht|htiw|morf|tsum|lliw|dna|lla)[^a-z]"
_REVERSED_KEYS = "noitcurtsni|tpmorp|erongi|dragersid|laitnederc|drowssap|terces|yrotisoper"
_APART = "gnor|rega|orge|ucti|romp|yste|revi|ecre|send|user|your|from|must|read|file|tell|pass|with"
"""pieces of such words, too, that are looked for with their letters apart"""


def _apart(piece: str) -> str:
    """The letters of *piece* with any usual separator between them."""
    separators = (" ", "  ", ".", "-", "_", "*", "|", "/", ",", ", ", " - ", "\u00b7", "~", "+")
    return "|".join(re.escape(separator.join(piece)) for separator in separators)


EVIDENCE: dict[str, str] = {
    "tag-characters-raw": r"\xf3\xa0[\x80-\x81]",
    "tag-characters": r"\\udb40\\udc|&#(?:x0?e00[0-7][0-9a-f]|9175\d\d|9176\d\d);",
    "variation-selectors": r"(?:\xf3\xa0[\x84-\x87][\x80-\xbf]|\xef\xb8[\x80-\x8f]){3}",
    "invisible-raw": rf"[a-z]{_ZERO}{{1,8}}[a-z]",
    "invisible": rf"[a-z]{_ZERO_ESCAPED}{{1,8}}[a-z]",
    "look-alikes": rf"[a-z]{_CYRILLIC}{{1,2}}[a-z]|(?:^|[^a-z\x80-\xff\\]){_CYRILLIC}[a-z]{{3}}",
    "styled": rf"(?:{_STYLED}[ \xe2\x80\x8b]{{0,3}}){{5}}",
    "percent": "(?:%(?:25)?(?:[4-7][0-9a-f]|20)){4}|(?:%(?:25)?[4-7][0-9a-f].{0,4}){3}",
    "entities": r"(?:&#(?:x0{0,4}(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])|0{0,4}(?:6[5-9]|[78]\d|90|"
    r"9[7-9]|1[01]\d|12[0-2]));?.{0,6}){2}",
    "json-escapes": r"(?:\\u00(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a]).{0,6}){2}|(?:\\x(?:4[1-9a-f]|"
    r"5[0-9a]|6[1-9a-f]|7[0-9a]).{0,6}){3}",
    "quoted-printable": "(?:=(?:4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A])){3}",
    "split-by-tags": "[a-z]<[a-z]{1,6}[^<>]{0,50}>[a-z]{1,8}</[a-z]{1,6}>[a-z]|[a-z]<!--.{0,40}-->[a-z]|"
    "[a-z]<(?:wbr|br|span|b|i)/?>[a-z]{1,8}<(?:wbr|br|span|b|i)/?>[a-z]",
    "split-by-emphasis": r"[a-z](?:\*\*|~~|\*)[a-z]{1,8}(?:\*\*|~~|\*)[a-z]",
    "leetspeak": _LEET.replace("_", " "),
    "form": r"(?:[a-z.,]\+[a-z]{1,14}){4}|(?:%20[a-z]{1,14}){3}",
    "tagged-words": "(?:<(?:b|i|u|em|strong|font|mark|s|big|small|sub|sup|bdo|span|"
    "a)[^<>]{0,40}>[a-z',.]{1,14}"
    "</[a-z]{1,6}>[ ]{0,2}){6}",
    "spaced": "|".join(_apart(piece) for piece in _APART.split("|")),
    "base64": r"(?:[I-Za-f][C-HS-Xi-ny-z0-3][A-Za-z0-9+/_-]{2}){6}",
    "base32": "[A-Z2-7]{40}",
    "hex": r"(?:[2467][0-9a-f]){16}|(?:[2467][0-9a-f][ :]){10}|(?:(?:\\x|0x)[2467][0-9a-f][, ]{0,2}){6}",
    "numbers": "(?:0[01]{7}[ ,]){8}",
    "rot13": f"{_ROT13_KEYS}|{_ROT13_WORDS}.{{0,60}}{_ROT13_WORDS}",
    "reversed": f"{_REVERSED_KEYS}|{_REVERSED_WORDS}.{{0,60}}{_REVERSED_WORDS}",
    "terminal": r"\x1b\[(?:\d{1,3};){0,6}8(?:;\d{1,3}){0,6}m|\\u001b\[(?:\d{1,3};){0,6}8m",
}
"""Name and pattern"""

UNUSUAL = frozenset(("tag-characters-raw", "variation-selectors", "invisible-raw", "look-alikes", "styled"))
"""those that need a byte that is not ASCII"""
CASED = frozenset(("base64", "base32"))
