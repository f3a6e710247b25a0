"""Fakes that this directory's tests share."""

from __future__ import annotations

import pytest

from bot_bottle.dlp.inbound.triggers import databases


class PlainSecrets:
    """Known secrets that are looked for exactly as they are."""

    def __init__(self, *values: bytes) -> None:
        self.values = values

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        found = []
        for value in self.values:
            at = data.find(value)
            while at >= 0:
                found.append((at, at + len(value)))
                at = data.find(value, at + 1)
        return found

    def partial_tail(self, data: bytes) -> int:
        return max(
            (size for value in self.values for size in range(1, len(value)) if data.endswith(value[:size])),
            default=0,
        )


@pytest.fixture(scope="session")
def plain_secrets() -> type[PlainSecrets]:
    return PlainSecrets


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """The triggers are compiled once, outside of any deadline."""
    databases()
