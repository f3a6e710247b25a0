"""Which presets there are, and what may stand beside each in a route. Without their rules: all decoders read this."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """Decides what ``access`` and ``repos`` mean."""

    REGISTRY = "registry"
    MODEL = "model"
    FORGE = "forge"


class Traits(Struct, frozen=True):
    """What a route with this preset may say."""

    kind: Kind
    access: tuple[str, ...] = ("read",)
    """the words of ``access``; the first is the default"""
    credential: bool = False
    """one of its public hosts knows accounts: ``auth`` may stand beside it without a ``host`` of one's own"""
    public: bool = True
    """it has public hosts; else ``host`` has to be there"""


_MODEL = Traits(Kind.MODEL, ("infer",), credential=True)
_FORGE = ("read", "issues", "pulls")

PRESETS: Mapping[str, Traits] = {
    "anthropic": _MODEL,
    "crates": Traits(Kind.REGISTRY),
    "debian": Traits(Kind.REGISTRY),
    "deepseek": _MODEL,
    "gemini": _MODEL,
    "gitea": Traits(Kind.FORGE, _FORGE, public=False),
    "github": Traits(Kind.FORGE, _FORGE, credential=True),
    "gitlab": Traits(Kind.FORGE, _FORGE, credential=True),
    "go": Traits(Kind.REGISTRY, ("read", "cached")),
    "groq": _MODEL,
    "mistral": _MODEL,
    "npm": Traits(Kind.REGISTRY, credential=True),
    "openai": _MODEL,
    "openrouter": _MODEL,
    "pypi": Traits(Kind.REGISTRY),
    "xai": _MODEL,
}
