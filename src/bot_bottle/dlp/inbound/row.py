"""One row of the table of wordings: what a text that gives an agent orders says, and what only looks like it.

``pattern`` is read by Hyperscan over one of two forms of a text:

* ``WORDS``: lower case, no marks on letters, words with one space between them, `` . `` where a sentence ends,
  no other punctuation, one space at both ends. A row is put between two spaces, so it holds whole words.
* ``MARKS``: lower case, punctuation and lines kept.

``trigger`` is read over the bytes as they come, whatever the case, and over the same with leetspeak folded: it
may fire too often, and must fire wherever the pattern holds.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Category(StrEnum):
    OVERRIDE = "override"
    """earlier instructions are no longer to be followed, or the reader is someone else now"""
    ROLES = "roles"
    """the text poses as a turn of the system, the operator or the model"""
    TOOL_CALLS = "tool-calls"
    SEND = "send"
    CREDENTIALS = "credentials"
    CONFIGURATION = "configuration"
    SECRECY = "secrecy"
    """something is to be kept from the user"""
    DIRECTIVE = "directive"
    """an AI is told what to do: evidence only where it is hidden"""


class Form(StrEnum):
    WORDS = "words"
    MARKS = "marks"


class Row(Struct, frozen=True, kw_only=True):
    name: str
    category: Category
    pattern: str
    trigger: str
    """several are separated by a line end"""
    form: Form = Form.WORDS
    whole: bool = True
    """WORDS: between two spaces; False for languages that are written without, or that add to words"""
    hidden: bool = False
    """counts only in text that a human does not see"""
    positives: tuple[str, ...]
    negatives: tuple[str, ...]


FEW = "(?:[^ .]+ ){0,3}"
"""up to three words, within a sentence"""
SOME = "(?:[^ .]+ ){0,7}"
NEAR = ".{0,50}"
FAR = ".{0,100}"
"""bytes between two parts of a trigger: markup, line ends, comment prefixes and escapes among them"""
