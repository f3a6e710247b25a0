"""The files that a person names beside a policy: a routes file, and roots in PEM. Read one way by all verbs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from bot_bottle.base.yamltext import MAX_BYTES, YamlError, load
from bot_bottle.egress.codec import decode_policy
from bot_bottle.egress.config import ConfigError, Policy
from bot_bottle.egress.preset_keys import without_presets
from bot_bottle.launch.policy import PolicyError, refuse_unbuilt


def read_routes_file(path: Path) -> tuple[Policy, tuple[Path, ...]]:
    """The policy in *path*, presets written out, and the file of roots that it names, relative to it.

    Raises :class:`PolicyError` with file and line, also for a setting that this version does not enforce.
    """
    try:
        with open(path, encoding="utf-8") as file:
            document = load(file.read(MAX_BYTES + 1))
    except YamlError as error:
        raise PolicyError(f"{path}:{error.line}: {error.message}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{str(path)!r} can't be read ({error}): name a routes file") from error
    try:
        policy = decode_policy(document.data)
    except ConfigError as error:
        raise PolicyError(f"{path}:{document.line(error.path)}: {error.message}") from error
    try:
        policy = replace(policy, routes=without_presets(policy.routes))
    except ConfigError as error:
        line = document.line(("routes", *error.path))
        raise PolicyError(f"{path}:{line}: {error.message}") from error
    try:
        refuse_unbuilt(policy)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error
    roots = (path.parent / Path(policy.extra_ca).expanduser(),) if policy.extra_ca else ()
    return policy, roots


def read_roots(paths: Iterable[Path]) -> str:
    """The certificates of all *paths*, PEM. Raises :class:`PolicyError`."""
    texts = []
    for path in paths:
        try:
            text = path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(
                f"further roots: {str(path)!r} can't be read ({error}): name a PEM file"
            ) from error
        if "-----BEGIN CERTIFICATE-----" not in text:
            raise PolicyError(f"further roots: {str(path)!r} has no certificate in it: name a PEM file")
        texts.append(text)
    return "\n".join(texts)
