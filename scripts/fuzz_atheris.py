"""Runs the fuzz targets of the scanner and of the git gate (``GROUPS``) under atheris, each for some seconds; exits 1
where one fails.

Inputs that reached something new are kept in ``tools/atheris/corpus``, those that failed in ``tools/atheris/failed``:
run again with ``--replay FILE TARGET``. Atheris is laid under ``tools/atheris/packages`` by ``scripts/atheris.sh``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GROUPS = (
    (ROOT / "tests" / "dlp" / "fuzz", "fuzz_targets", "fuzz_seeds", ["bot_bottle.dlp"]),
    (ROOT / "tests" / "gitgate" / "fuzz", "gate_fuzz_targets", "gate_fuzz_seeds", ["bot_bottle.gitgate"]),
)
"""directory, modules with ``TARGETS`` and ``seeds()``, what is instrumented"""
DIRECTORIES = [directory for directory, *_ in GROUPS]
TOOLS = ROOT / "tools" / "atheris"
MOST_BYTES = 8192
MEMORY_MB = 3000
ONE_INPUT_S = 20
"""no input of that size may take so long"""


def run(names: list[str], seconds: int) -> list[str]:
    """The targets that failed."""
    failed = []
    for name in names:
        corpus, found = TOOLS / "corpus" / name, TOOLS / "failed" / name
        for directory in (corpus, found):
            directory.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, __file__, "--one", name, str(corpus), f"-max_total_time={seconds}"]
        argv += [f"-max_len={MOST_BYTES}", f"-timeout={ONE_INPUT_S}", f"-rss_limit_mb={MEMORY_MB}"]
        argv += [f"-artifact_prefix={found}/", "-print_final_stats=1", "-close_fd_mask=1"]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (TOOLS / "packages", *DIRECTORIES))),
        }
        done = subprocess.run(argv, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        stats = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        print(f"{name}: {'failed' if done.returncode else 'held'}; {' '.join(stats)}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stderr[-4000:], file=sys.stderr, flush=True)
    return failed


def fuzz_one(name: str, arguments: list[str]) -> None:
    """This process is the fuzzer; does not return."""
    atheris = import_module("atheris")
    group = next(group for group in GROUPS if name.startswith("gate-") == (group[1] == "gate_fuzz_targets"))
    with atheris.instrument_imports(include=group[3]):
        targets = import_module(group[1]).TARGETS
    corpus = Path(arguments[0])
    for number, seed in enumerate(import_module(group[2]).seeds()):
        (corpus / f"seed-{number}").write_bytes(b"\0\1\2" + seed)
    atheris.Setup([name, *arguments], targets[name])
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="all, if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each")
    parser.add_argument("--replay", type=Path, help="run one target on this file")
    options = parser.parse_args()
    sys.path[:0] = map(str, DIRECTORIES)
    targets = {
        name: target for _, module, *_ in GROUPS for name, target in import_module(module).TARGETS.items()
    }
    if options.replay:
        targets[options.targets[0]](options.replay.read_bytes())
        return 0
    failed = run(options.targets or list(targets), options.seconds)
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        fuzz_one(sys.argv[2], sys.argv[3:])
    sys.exit(main())
