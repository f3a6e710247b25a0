"""What every backend must pass, first half: a bottle runs programs as its contract says; the fake passes too.

A mixin for a pytest class that has a fixture ``ground``. The second half is ``backend_isolation``. Programs
inside need ``/bin/sh``, coreutils and ``python3``.
"""

from __future__ import annotations

import hashlib
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from msgspec.structs import replace

from bot_bottle.sandbox.contract import Process, ProgramNotStarted, SandboxError, Terminal
from bot_bottle.testing.backend_ground import HOME, Ground, finish


@contextmanager
def raises(kind: type[BaseException]) -> Iterator[list[BaseException]]:
    """As pytest's, which a shipped module can't import."""
    caught: list[BaseException] = []
    try:
        yield caught
    except kind as error:
        caught.append(error)
    else:
        raise AssertionError(f"{kind.__name__} was not raised")


def read_until(fd: int, needle: bytes, timeout_s: float = 20.0) -> bytes:
    """Read *fd* until *needle* came."""
    data = b""
    deadline = time.monotonic() + timeout_s
    while needle not in data:
        ready, _, _ = select.select([fd], [], [], max(deadline - time.monotonic(), 0))
        assert ready, f"{needle!r} did not come; there was {data[-500:]!r}"
        try:
            got = os.read(fd, 65536)
        except OSError:  # EIO: the end of a terminal
            got = b""
        assert got, f"the end came before {needle!r}: {data[-500:]!r}"
        data += got
    return data


def close_pipes(process: Process) -> None:
    """Close the three descriptors of a program started with pipes."""
    for fd in (process.stdin, process.stdout, process.stderr):
        if fd is not None:
            os.close(fd)


class BackendSuite:
    """A bottle runs programs."""

    def test_exit_statuses(self, ground: Ground) -> None:
        """A program's own status, and 128+n for a signal."""
        with ground.bottle() as bottle:
            for script, status in (
                ("exit 0", 0),
                ("exit 7", 7),
                ("exit 255", 255),
                ("kill -TERM $$", 143),
                ("kill -KILL $$", 137),
                ("kill -SEGV $$", 139),
            ):
                assert ground.sh(bottle, script).status == status, script

    def test_programs_that_cannot_start(self, ground: Ground) -> None:
        """127 for one that is not there, 126 for one that can't be run, as a shell has it."""
        with ground.bottle() as bottle:
            bottle.write(HOME / "plain.txt", b"text", 0o644)
            for argv, status in (
                (["no-such-program"], 127),
                (["/no/such/program"], 127),
                (["./plain.txt"], 126),
                (["./"], 126),
            ):
                with raises(ProgramNotStarted) as caught:
                    bottle.spawn(argv, cwd=HOME)
                assert getattr(caught[0], "status") == status, argv  # noqa: B009
            assert ground.sh(bottle, "exit 3").status == 3

    def test_arguments_arrive_as_they_are(self, ground: Ground) -> None:
        """Empty ones, blanks, line ends, quotes, other scripts, 200 KB; no shell is in between."""
        odd = ["", " ", "a b", "new\nline", "'\"$(id)`", "\u00fc\u4e2d\U0001f600", "-x", "y" * 120_000]
        with ground.bottle() as bottle:
            ended = finish(bottle.spawn(["/usr/bin/printf", "%s\\0", *odd]))
        assert ended.stdout.decode().split("\0")[:-1] == odd

    def test_environment_and_directory(self, ground: Ground) -> None:
        """The bottle's own variables, those of the call over them, and its workdir unless told."""
        with ground.bottle() as bottle:
            env = {"ADDED": "two words", "LANG": "C", "LARGE": "z" * 100_000}
            ended = finish(bottle.spawn(["/usr/bin/env", "-0"], env=env))
            seen = dict(entry.split("=", 1) for entry in ended.stdout.decode().split("\0")[:-1])
            assert seen == {**ground.spec.env, **env, "HOME": seen["HOME"]}
            bottle.write(HOME / "in-home", b"", 0o600)
            assert finish(bottle.spawn(["/bin/cat", "README"])).stdout == b"from the host\n"
            script = '[ "$(pwd -P)" = "$(cd "$HOME" && pwd -P)" ] && test -e in-home'
            assert finish(bottle.spawn(["/bin/sh", "-c", script], cwd=HOME)).status == 0

    def test_much_in_and_out(self, ground: Ground) -> None:
        """8 MiB through standard input and output are neither cut nor changed."""
        sent = os.urandom(1 << 20) * 8
        with ground.bottle() as bottle:
            ended = finish(bottle.spawn(["/bin/cat"]), stdin=sent)
            assert hashlib.sha256(ended.stdout).digest() == hashlib.sha256(sent).digest()
            both = ground.sh(bottle, "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2")
        assert (len(both.stdout), len(both.stderr)) == (3_000_000, 3_000_000)

    def test_many_programs_at_once(self, ground: Ground) -> None:
        """Each keeps its own output and status."""
        with ground.bottle() as bottle:
            running = [bottle.spawn(["/bin/sh", "-c", f"echo {n}; exit {n}"]) for n in range(20)]
            ended = [finish(process) for process in running]
        assert [(e.status, e.stdout) for e in ended] == [(n, f"{n}\n".encode()) for n in range(20)]

    def test_terminal(self, ground: Ground) -> None:
        """With a terminal: isatty, its size, a resize with SIGWINCH, and Ctrl-C."""
        script = (
            "import os,signal,sys,time\n"
            "def size(*_): os.write(1, b'size %d %d.' % os.get_terminal_size(0))\n"
            "signal.signal(signal.SIGWINCH, size)\n"
            "try:\n"
            "    print([os.isatty(n) for n in (0, 1, 2)], flush=True); size(); time.sleep(60)\n"
            "except KeyboardInterrupt:\n    print('stopped', flush=True)\n"
        )
        with ground.bottle() as bottle:
            process = bottle.spawn(["python3", "-c", script], terminal=Terminal(31, 97))
            assert process.stderr is None
            assert process.stdin == process.stdout
            assert b"[True, True, True]" in read_until(process.stdout, b"size 97 31.")
            process.resize(Terminal(40, 120))
            read_until(process.stdout, b"size 120 40.")
            os.write(process.stdin, b"\x03")
            read_until(process.stdout, b"stopped")
            assert process.wait(20) == 0
            os.close(process.stdout)

    def test_signals_reach_the_group(self, ground: Ground) -> None:
        """A signal goes to the program and its children."""
        with ground.bottle() as bottle:
            process = bottle.spawn(["/bin/sh", "-c", "sleep 600 & echo up; wait"])
            read_until(process.stdout, b"up")
            with raises(TimeoutError):
                process.wait(0.05)
            process.signal(signal.SIGTERM)
            assert process.wait(20) == 143
            assert select.select([process], [], [], 0)[0] is not None
            assert os.read(process.stdout, 1) == b""  # the child that held the pipe is gone too
            process.signal(signal.SIGTERM)  # to one that has ended: nothing
            close_pipes(process)

    def test_files_are_written(self, ground: Ground) -> None:
        """Content and mode; directories on the way are made; a link in the way is replaced."""
        large = os.urandom(5 << 20)
        with ground.bottle() as bottle:
            bottle.write(HOME / "a/b/secret", b"content", 0o600)
            bottle.write(HOME / "large", large, 0o755)
            ground.sh(bottle, 'mkfifo "$HOME"/fifo; ln -s a/b/secret "$HOME"/link')
            bottle.write(HOME / "fifo", b"no longer", 0o644)
            bottle.write(HOME / "link", b"elsewhere", 0o640)
            ended = ground.sh(
                bottle,
                'cd "$HOME"; stat -c %a a/b/secret large link; cat a/b/secret link fifo; echo; sha256sum < large',
            )
            with raises(SandboxError):
                bottle.write(HOME / "a/b/secret/below", b"", 0o600)
            with raises(SandboxError):
                bottle.write(PurePosixPath("/proc/new"), b"", 0o600)
        assert ended.stdout.split() == [
            b"600", b"755", b"640", b"contentelsewhereno", b"longer",
            hashlib.sha256(large).hexdigest().encode(), b"-",
        ]  # fmt: skip

    def test_layers_persist(self, ground: Ground) -> None:
        """What was changed in home and workspace is there at the next start; the copy below is untouched."""
        with ground.bottle() as bottle:
            ended = ground.sh(
                bottle,
                "cat README && echo changed > README && mkdir new && echo x > new/file"
                ' && echo h > "$HOME"/own',
            )
            assert (ended.status, ended.stdout) == (0, b"from the host\n")
        with ground.bottle() as bottle:
            ended = ground.sh(bottle, 'cat README new/file "$HOME"/own; rm README; ls -a')
            assert ended.stdout.split() == [b"changed", b"x", b"h", b".", b"..", b"new"]
        with ground.bottle() as bottle:
            assert ground.sh(bottle, "test -e README").status == 1
        lower = next(layer.lower for layer in ground.spec.layers if layer.lower)
        assert (lower / "README").read_text(encoding="ascii") == "from the host\n"

    def test_second_handle(self, ground: Ground) -> None:
        """The operator's other commands run programs too; their end is not the bottle's."""
        with ground.bottle() as bottle:
            other = ground.backend.attach(ground.spec.exec_socket)
            assert ground.sh(other, "exit 5").status == 5
            abandoned = other.spawn(["/bin/sh", "-c", 'echo $$ > "$HOME"/pid; exec sleep 600'])
            deadline = time.monotonic() + 20
            while ground.sh(bottle, 'test -s "$HOME"/pid').status and time.monotonic() < deadline:
                time.sleep(0.02)
            other.stop()
            close_pipes(abandoned)
            del abandoned  # as when the command is killed
            assert ground.sh(bottle, "exit 0").status == 0
            while time.monotonic() < deadline:
                if ground.sh(bottle, 'kill -0 $(cat "$HOME"/pid)').status:
                    break
                time.sleep(0.02)
            assert ground.sh(bottle, 'kill -0 $(cat "$HOME"/pid)').status != 0

    def test_stop_ends_everything(self, ground: Ground) -> None:
        """After it nothing answers, waiting raises, the socket is gone; a second stop is nothing."""
        with ground.bottle() as bottle:
            process = bottle.spawn(["sleep", "600"])
            assert not select.select([bottle], [], [], 0)[0]
            bottle.stop()
            bottle.stop()
            with raises(SandboxError):
                process.wait(20)
            with raises(SandboxError):
                bottle.spawn(["true"])
            with raises(SandboxError):
                ground.backend.attach(ground.spec.exec_socket)
            assert not ground.spec.exec_socket.exists()
        ground.backend.reap(ground.identity)

    def test_a_start_that_fails_leaves_nothing(self, ground: Ground) -> None:
        """An error names what is wrong; no socket, no child of ours is left."""
        good = ground.spec
        too_long = ground.run / ("x" * 120)
        ground.spec = replace(good, exec_socket=too_long)
        with raises(SandboxError):
            ground.backend.start(ground.spec)
        ground.spec = good
        assert not too_long.exists()
        with ground.bottle() as bottle:
            assert ground.sh(bottle, "exit 0").status == 0
