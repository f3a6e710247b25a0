"""A pytest plugin: keeps what real clients sent to the fakes of ``tests/e2e``, for ``make bench-false-positives``.

``PYTHONPATH=bench RECORDED=DIRECTORY pytest -p record_bodies tests/e2e/test_claude_in_bottle.py …``: one file a
request, unpacked where the client has packed it.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import zstandard

from bot_bottle.testing.scripted_api import ScriptedApi

DIRECTORY = Path(os.environ["RECORDED"])
_leave = ScriptedApi.__exit__


def _keep_and_leave(
    api: ScriptedApi,
    kind: type[BaseException] | None,
    value: BaseException | None,
    trace: TracebackType | None,
) -> None:
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for request in api.requests:
        body = request.body
        if request.header("content-encoding") == "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
        if body:
            (DIRECTORY / f"{type(api).__name__}-{len(list(DIRECTORY.iterdir())):05}").write_bytes(body)
    _leave(api, kind, value, trace)


ScriptedApi.__exit__ = _keep_and_leave  # type: ignore[method-assign]
