"""What keeps bubblewrap from working on this host, tried for real in a child, and how to mend it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from bot_bottle.base import linux
from bot_bottle.base.process import ProcessFailed, find_program, run
from bot_bottle.sandbox.bwrap import arguments, carriage, stage
from bot_bottle.sandbox.contract import Problem

OLDEST_BWRAP = (0, 8)
"""--disable-userns, --size and --add-seccomp-fd; Debian 12's own."""
_NOBODY = 65534


def check() -> list[Problem]:
    """Problems in the order in which they should be mended; starts nothing that stays."""
    bwrap = find_program("bwrap")
    if bwrap is None:
        return [Problem("bubblewrap is not installed", "apt install bubblewrap (or your system's package)")]
    problems = _version(bwrap)
    trouble = _in_child(_namespaces)
    if trouble:
        return [*problems, Problem(f"user namespaces can't be made: {trouble}", _namespace_fix())]
    trouble = _in_child(_overlay)
    if trouble:
        problems.append(
            Problem(
                f"overlays can't be mounted by a user: {trouble}", "use Linux 5.11 or later, overlay loaded"
            )
        )
    trouble = _in_child(lambda: _bwrap(bwrap))
    if trouble:
        problems.append(Problem(f"bwrap can't start a program: {trouble}", _namespace_fix()))
    trouble = _in_child(_carriage)
    if trouble:
        problems.append(
            Problem(
                f"programs that heed no proxy setting are carried on ports 80 and 443 only: {trouble}",
                "load nf_tables, nft_chain_nat and nft_redir, or use a kernel that has them",
                fatal=False,
            )
        )
    return problems


def _version(bwrap: Path) -> list[Problem]:
    try:
        text = run([str(bwrap), "--version"], timeout_s=10).stdout.decode("ascii", "replace")
    except ProcessFailed as error:
        return [Problem(f"bwrap does not run: {error}", "install bubblewrap anew")]
    match = re.search(r"(\d+)\.(\d+)", text)
    if match is None or (int(match[1]), int(match[2])) < OLDEST_BWRAP:
        return [Problem(f"bubblewrap {text.strip()!r} is too old", "install bubblewrap 0.8 or later")]
    return []


def _namespace_fix() -> str:
    """The likeliest reason on this host."""
    for path, bad, fix in (
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "give bwrap an AppArmor profile with 'userns,' or run "
            "'sysctl kernel.apparmor_restrict_unprivileged_userns=0' (Ubuntu 23.10 and later)",
        ),
        ("kernel/unprivileged_userns_clone", "0", "run 'sysctl kernel.unprivileged_userns_clone=1'"),
        ("user/max_user_namespaces", "0", "raise the sysctl user.max_user_namespaces"),
    ):
        try:
            if Path("/proc/sys", path).read_text(encoding="ascii").strip() == bad:
                return fix
        except OSError:
            continue
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return (
            "inside a container: start that one with --security-opt seccomp=unconfined, "
            "--security-opt apparmor=unconfined and --security-opt systempaths=unconfined"
        )
    return "allow unprivileged user namespaces on this host"


def _in_child(action: Callable[[], None]) -> str:
    """Run *action* in a child as an ordinary user; what went wrong, empty for nothing."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.dup2(writing, 2)
            stage.become(_NOBODY if os.geteuid() == 0 else None)
            action()
            status = 0
        except BaseException as error:
            os.write(2, str(error).encode("utf-8", "replace")[:500])
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        text = file.read(4096).decode("utf-8", "replace").strip()
    _, status = os.waitpid(pid, 0)
    return "" if status == 0 else text or f"status {status}"


def _namespaces() -> None:
    stage.enter_namespaces(network=True)


def _carriage() -> None:
    stage.enter_namespaces(network=True)
    listeners, trouble = carriage.listen()
    if not listeners:
        raise OSError(trouble)


def _overlay() -> None:
    stage.enter_namespaces(network=False)
    place = "/tmp"  # noqa: S108  # a tmpfs of the child's own
    linux.mount("tmpfs", place, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV)
    for name in ("lower", "upper", "work"):
        os.mkdir(f"{place}/{name}")
    data = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work,userxattr"
    linux.mount("bot-bottle", f"{place}/upper", "overlay", 0, data)


def _bwrap(bwrap: Path) -> None:
    stage.enter_namespaces(network=True)
    links = [
        argument
        for name, target in arguments.usr_links().items()
        for argument in (
            ("--symlink", target, f"/{name}") if target else ("--ro-bind", f"/{name}", f"/{name}")
        )
    ]
    argv = [
        str(bwrap), *arguments.namespaces(), "--ro-bind", "/usr", "/usr", *links,
        "--proc", "/proc", "--dev", "/dev", "--", "/usr/bin/env", "true",
    ]  # fmt: skip
    os.execve(str(bwrap), argv, {})  # noqa: S606
