"""Which characters read as which ASCII characters.

Compatibility forms (fullwidth, mathematical, enclosed, superscript …), accents and the digits of other scripts come
from Python's Unicode data. Only what Unicode holds to be another letter of the same look is listed here, after the
facts in Unicode Technical Standard 39 (confusables), widened to what a model or a person would read the same way.
"""

from __future__ import annotations

import unicodedata
from functools import cache

TOKEN_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_.~:@%-"  # noqa: S105
"""what credentials are made of"""

_PAIRS = (
    # Cyrillic
    "аaАAвbВBсcСCԁdеeЕEёeЁEғfҒFԍgԌGһhнhНHҺHіiІIӏlӀIјjЈJкkКKҟkԛqԚQмmМMпnоoОOрpРPгrѕsЅSтtТTуyУYүyҮYѵvѴVԝwԜWшwхxХXҳxҲX"
    "ьbЬbЗ3з3Ӡ3бbЧ4иuюio" [:-3] +
    # Greek
    "ΑAαaΒBβbϲcϹCΕEεeΗHηnΙIιiϳjͿJΚKκkΜMΝNνvΟOοoΡPρpσoΤTτtυuΥYγyωwΧXχxΖZ"
    # Armenian, Georgian
    "օoՕOոnսuՍUհhցgզqյjլlԼLՏSաwևu"
    # Latin letters that have no decomposition
    "ıiȷjɑaɐaƀbɓbƃbƈcɕcđdĐDɖdɗdǝeɛeƐEƒfꞙfɡgɠgǥgħhĦHɦhɨiɩiɪiʝjƙkłlŁLƚlɫlɭlɱmƝNɲnɳnƞnŋnøoØOɔoƥpɋqɍrɼrɽrɾrʂsƨ2ƧSŧtŦTƫtƭtʈtʉuʋuᵾuⱱv"
    "ƴyƳYɏyƶzƵZȥzʐzǀlǁlƅbƼ5ƽ5Ʒ3ʒ3Ȝ3ȝ3æaœo"
    # small capitals
    "ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhᴊjᴋkʟlᴍmɴnᴏoᴘpꞯqʀrꜱsᴛtᴜuᴠvᴡwʏyᴢz"
    # Cherokee
    "ᎪAᏴBᏟCᎠDᎬEᏀGᏳGᎻHᏂhᎥiᎫJᏦKᏞLᎷMᏢPᏒRᏚSᎢTᏙVᎳWᏃZᎩYᏓLᏎ4"
    # Lisu
    "ꓐBꓑPꓓDꓔTꓖGꓗKꓙJꓚCꓜZꓝFꓟMꓠNꓡLꓢSꓣRꓦVꓧHꓪWꓫXꓬYꓮAꓰEꓲIꓳOꓴU"
    # Coptic
    "ⲂBⲈEⲎHⲒIⲔKⲘMⲚNⲞOⲟoⲢPⲣpⲤCⲥcⲦTⲨYⲬXⲭxⲀA"
    # marks that tokens have
    "‐-‑-‒-–-—-―-−-⁃-﹘-➖-⁄/∕/⧸/╱/ˍ_⎽_‗_꞉:∶:ː:׃:։:᐀=⹀=゠=᐀=⁓~∼~˜~⋅.·.•.۔.܁.܂."
)  # fmt: skip
_LISTED = {ord(pair[0]): pair[1] for pair in (_PAIRS[at : at + 2] for at in range(0, len(_PAIRS), 2))}

_INVISIBLE = frozenset(
    (
        0xAD,
        0x34F,
        0x61C,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x180B,
        0x180C,
        0x180D,
        0x180E,
        0x180F,
        0x2800,
        0x3164,
        0xFEFF,
        0xFFA0,
    )
)
"""without a mark on the page and not of category Cf or Mn: fillers and blanks; soft hyphen, byte order mark"""
_TAGS = range(0xE0000, 0xE0080)
_RANGES = (
    range(0xA0, 0xAC00),
    range(0xD7B0, 0xD800),
    range(0xF900, 0x10000),
    range(0x10780, 0x107C0),
    range(0x1D100, 0x1D200),
    range(0x1D400, 0x1D800),
    range(0x1F100, 0x1F200),
    range(0x1FBF0, 0x1FC00),
    range(0xE0000, 0xE0200),
)
"""planes and blocks in which anything can be read as ASCII, or not be seen; Hangul syllables and the rest can't"""
_IDEOGRAPHS = range(0x3400, 0xA000)


def folded(char: str) -> str | None:
    """What *char* reads as, made of :data:`TOKEN_CHARS`; empty: it is not seen; None: as itself, or as no token."""
    code = ord(char)
    if code in _TAGS:
        return chr(code - 0xE0000) if 0x20 <= code - 0xE0000 < 0x7F else ""
    category = unicodedata.category(char)
    if code in _INVISIBLE or category in ("Mn", "Me", "Cf"):
        return ""
    out = "".join(_one(part) for part in unicodedata.normalize("NFKD", char))
    return out if out and not out.strip(TOKEN_CHARS) else None


def _one(char: str) -> str:
    """One decomposed character as ASCII; as it is where it has no such form."""
    if char in _LISTED_CHARS:
        return _LISTED[ord(char)]
    category = unicodedata.category(char)
    if category in ("Mn", "Me"):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    return char


_LISTED_CHARS = frozenset(chr(code) for code in _LISTED)


@cache
def table() -> dict[int, str]:
    """All characters that read as token characters or are not seen, for ``str.translate``. Some 0.1 s, once."""
    found: dict[int, str] = {}
    for block in _RANGES:
        for code in block:
            if code in _IDEOGRAPHS:
                continue
            out = folded(chr(code))
            if out is not None:
                found[code] = out
    return found
