"""Paths of the operator's that a manifest names, made absolute without looking at the disk."""

from __future__ import annotations

import os.path
from dataclasses import dataclass

from bot_bottle.manifest.fields import fail, string
from bot_bottle.manifest.tree import Node


@dataclass(frozen=True)
class Paths:
    """*home* is what ``~`` stands for; empty: a program's manifest, where it stays as it is."""

    home: str = ""

    def _expanded(self, text: str) -> str:
        if self.home and (text == "~" or text.startswith("~/")):
            return os.path.normpath(self.home + text[1:])
        return text

    def beside(self, node: Node) -> str:
        """A relative path is relative to the file that it is written in (ruling 49). Empty stays empty."""
        text = self._expanded(string(node, empty=True))
        if not text or text.startswith("~") or not node.place.line:
            return text
        return os.path.normpath(os.path.join(os.path.dirname(node.place.file), text))

    def home_relative(self, node: Node) -> str:
        """``~`` is expanded, everything else stays."""
        return self._expanded(string(node))

    def directory(self, node: Node) -> str:
        """An absolute directory; a relative one would depend on where the command is run."""
        path = self._expanded(string(node))
        if not path.startswith(("/", "~/")):
            fail(node, f"must be absolute or begin with ~/, not {path!r}")
        return os.path.normpath(path)
