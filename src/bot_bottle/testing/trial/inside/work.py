"""The agent's useful work: clone, find the fault, mend it, run the program, report to the API, commit, push."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TIMEOUT_S = 20
FAULT, MENDED = "total = 1\n", "total = 0\n"
"""What the repository has, and what belongs there."""


def _git(*args: str) -> str:
    done = subprocess.run(["git", *args], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise RuntimeError(f"git {args[-1]}: {done.stderr.strip()[-150:]}")
    return done.stdout.strip()


def steps(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One record for each step done; raises at the first that can't be done."""
    place = Path.home() / "demo"
    _git("clone", "-q", order["code_url"], str(place))
    yield _done("clone", files=len(os.listdir(place)))

    program = place / "total.py"
    text = program.read_text()
    if FAULT not in text:
        raise RuntimeError("the fault is not there")
    program.write_text(text.replace(FAULT, MENDED))
    yield _done("edit", path="total.py")

    ran = subprocess.run(
        ["python3", str(program)], capture_output=True, text=True, timeout=TIMEOUT_S, check=True, cwd=place
    )
    yield _done("run", total=ran.stdout.strip())

    body = json.dumps({"total": ran.stdout.strip()}).encode()
    asked = urllib.request.Request(f"https://{order['api']}/v1/report", body)
    with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:  # noqa: S310
        yield _done("call", status=answer.status, answer=answer.read(1000).decode("utf-8", "replace"))

    who = ("-c", "user.name=agent", "-c", "user.email=agent@example.com")
    _git("-C", str(place), *who, "commit", "-q", "-a", "-m", "Start the sum at nothing")
    commit = _git("-C", str(place), "rev-parse", "HEAD")
    yield _done("commit", commit=commit)

    if order["gate_url"]:
        _git("-C", str(place), "push", "-q", order["gate_url"], "HEAD:refs/heads/main")
        yield _done("push", commit=commit)


def _done(step: str, **details: Any) -> dict[str, Any]:
    return {"kind": "step", "step": step, **details}
