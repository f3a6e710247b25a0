"""What every backend must pass, second half: nothing gets out of a bottle, and nothing of the host is seen.

Verdicts are read from the attacker's listeners, and the same attempt from outside arrives (ruling 70).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from pathlib import Path, PurePosixPath

from msgspec.structs import replace

from bot_bottle.sandbox.contract import Resources, SandboxError
from bot_bottle.testing.backend_ground import ETC, HOME, GateStandIn, Ground, finish
from bot_bottle.testing.backend_suite import BackendSuite, close_pipes, raises, read_until

HOST_MARKER = "BOT_BOTTLE_SUITE_HOST_VARIABLE"
"""A variable of the launcher's that no bottle may see; the fixture sets it."""


class IsolationSuite(BackendSuite):
    """Nothing gets out, and nothing of the host is seen."""

    def test_self_test_names_what_stopped_each_probe(self, ground: Ground) -> None:
        """Every probe is reported; the refusal is this launch's own."""
        with ground.bottle(tested=False) as bottle:
            report = bottle.self_test(30)
        assert report["interfaces"] == "only lo"
        assert len(report) >= 20
        assert all(report.values())

    def test_no_way_out(self, ground: Ground) -> None:
        """TCP, UDP and abstract sockets that the host has open are reached from outside, not from inside."""
        probes = ground.spec.probes
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            tcp_port, udp_port = server.getsockname()[1], udp.getsockname()[1]
            script = (
                "import socket,sys\n"
                "def attempt(family, kind, address):\n"
                "    try:\n"
                "        s = socket.socket(family, kind); s.settimeout(2); s.connect(address); s.send(b'leak')\n"
                "    except OSError as error: print(address, error)\n"
                "for host in sys.argv[4:]:\n"
                "    family = socket.AF_INET6 if ':' in host else socket.AF_INET\n"
                "    for port in (int(sys.argv[1]), 22, 53, 2375):\n"
                "        attempt(family, socket.SOCK_STREAM, (host, port))\n"
                "    for port in (int(sys.argv[2]), 53, 123, 443): attempt(family, socket.SOCK_DGRAM, (host, port))\n"
                "attempt(socket.AF_UNIX, socket.SOCK_STREAM, '\\0' + sys.argv[3])\n"
            )
            arguments = [str(tcp_port), str(udp_port), probes.abstract_socket]
            hosts = ["127.0.0.1", "::1", "192.0.2.1", "169.254.169.254", "::ffff:127.0.0.1", *probes.gateways]
            with ground.bottle() as bottle:
                inside = finish(bottle.spawn(["python3", "-c", script, *arguments, *hosts]))
            assert inside.status == 0, inside.stderr
            assert not select.select([server, udp], [], [], 0.1)[0], "something arrived"
            assert probes.seen() == ()
            with (
                socket.create_connection(("127.0.0.1", tcp_port)),
                socket.socket(type=socket.SOCK_DGRAM) as out,
            ):
                out.sendto(b"control", ("127.0.0.1", udp_port))
                arrived = select.select([server], [], [], 5)[0], select.select([udp], [], [], 5)[0]
            assert all(arrived), "the attempt from outside must arrive, or this shows nothing"
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(b"\0" + probes.abstract_socket.encode())
        assert len(probes.seen()) == 1

    def test_names_and_carried_connections(self, ground: Ground) -> None:
        """Any name has a stand-in; http and TLS to it arrive at the proxy as CONNECT with that name."""
        script = (
            "import socket,ssl\n"
            "print(socket.gethostbyname('open.example').rsplit('.', 2)[0])\n"
            "s = socket.create_connection(('open.example', 80)); s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
            "print(s.recv(99).split()[1])\n"
            "s = socket.create_connection(('open.example', 443)); s.sendall(b'\\x16hello')\n"
            "print(s.recv(99).split()[1])\n"
            "s = socket.create_connection(('shut.example', 80)); s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
            "print(s.recv(99).split()[1])\n"
            "s = socket.create_connection(('127.0.0.1', 80))\n"
            "s.sendall(b'GET / HTTP/1.1\\r\\nHost: by-host.example\\r\\n\\r\\n'); print(s.recv(99).split()[1])\n"
            "try: ssl.create_default_context().wrap_socket(socket.create_connection(('127.0.0.1', 443)),\n"
            "    server_hostname='by-sni.example')\n"
            "except OSError: print('closed')\n"
        )
        with ground.bottle() as bottle:
            before = len(ground.proxy.heads)
            ended = finish(bottle.spawn(["python3", "-c", script]))
        assert ended.stdout.split() == [b"127.1", b"b'299'", b"b'299'", b"b'403'", b"b'403'", b"closed"]
        assert [head.split()[1].decode() for head in ground.proxy.heads[before:]] == [
            "open.example:80", "open.example:443", "shut.example:80", "by-host.example:80", "by-sni.example:443",
        ]  # fmt: skip
        assert ground.proxy.tunnelled == [b"GET / HTTP/1.0\r\n\r\n", b"\x16hello"]

    def test_the_git_gate_is_reached_where_there_is_one(self, ground: Ground) -> None:
        """Byte by byte, both ways, half-closed; more connections than are carried at once cost nothing else.
        Without a gate nothing answers at its port."""
        script = (
            "import socket, time\n"
            "def dial(): return socket.create_connection(('127.0.0.1', 9418), timeout=20)\n"
            "try:\n    held = [dial() for _ in range(100)]\n"
            "except OSError as error: raise SystemExit(error.strerror)\n"
            "for s in held: s.close()\n"
            "def ask():\n"
            "    s = dial(); s.sendall(bytes(range(256)) * 4000); s.shutdown(socket.SHUT_WR)\n"
            "    return b''.join(iter(lambda: s.recv(65536), b''))\n"
            "for _ in range(3):\n"
            "    while True:\n"  # until the end of those before has been seen
            "        try:\n            print(ask().decode()); break\n"
            "        except ConnectionError: time.sleep(0.05)\n"
        )
        with ground.bottle() as bottle:
            ended = finish(bottle.spawn(["python3", "-c", script]))
            assert (ended.status, ended.stderr) == (1, b"Connection refused\n")
        ground.spec = replace(ground.spec, gate=True)
        with GateStandIn(ground.spec.sockets / "gate.sock") as gate:
            ground.give(gate.path)
            with ground.bottle() as bottle:
                ended = finish(bottle.spawn(["python3", "-c", script]))
                assert bottle.spawn(["/bin/true"]).wait(30) == 0
        assert (ended.status, ended.stdout) == (0, b"got all\n" * 3), ended
        assert gate.heard.count(bytes(range(256)) * 4000) == 3
        assert not any(b"CONNECT" in head for head in ground.proxy.heads if b"9418" in head)

    def test_host_is_not_visible(self, ground: Ground) -> None:
        """No variable of the launcher's, no file, no process; the host's homes and keys are not there."""
        planted = ground.base / "planted-on-the-host"
        planted.write_text("secret", encoding="ascii")
        script = (
            f'env; cat /proc/*/environ; cat "{planted}" /etc/shadow /etc/ssh/ssh_host_rsa_key; ls /root /work;'
            " ls -d /proc/[0-9]*; ls /proc/self/fd; ls /sys /boot"
        )
        with ground.bottle() as bottle:
            ended = ground.sh(bottle, script)
            listed = ground.sh(bottle, "ls -d /proc/[0-9]* | wc -l; cat /proc/net/dev | wc -l")
        assert os.environ[HOST_MARKER]
        assert HOST_MARKER.encode() not in ended.stdout
        assert b"secret" not in ended.stdout
        for path in (str(planted), "/etc/shadow", "/root", "/sys", "/boot"):
            assert any(
                path.encode() in line and b"No such file" in line for line in ended.stderr.splitlines()
            ), path
        assert [int(n) for n in listed.stdout.split()] <= [8, 3]

    def test_generated_etc(self, ground: Ground) -> None:
        """Ours over the host's; what is written into its directories later, the CA bundle, is seen."""
        with ground.bottle() as bottle:
            (ground.spec.etc / "ssl" / "certs" / "ca-certificates.crt").write_text("roots", encoding="ascii")
            ended = ground.sh(bottle, "cat /etc/ssl/certs/ca-certificates.crt; getent passwd; ls -A /etc/ssl")
            assert ground.sh(bottle, "rm -f /etc/ssl/certs/*; echo x > /etc/hosts").status != 0
            assert ground.sh(bottle, "cat /etc/services; readlink /etc/mtab").stdout.endswith(b"mounts\n")
        assert ended.stdout.startswith(b"roots" + ETC["passwd"].encode())
        names = set(os.listdir("/etc/ssl")) & {"openssl.cnf"} | {"certs"}
        assert set(ended.stdout.decode().split()[-len(names) :]) == names

    def test_identity_and_privileges(self, ground: Ground) -> None:
        """uid 1000 alone, no capability, filtered; root's things refuse."""
        attempts = (
            "unshare -U true", "unshare -n true", "mount -t tmpfs x /tmp", "nsenter -t 1 -m true",
            "chroot / true", "echo x > /proc/sys/kernel/core_pattern", "echo x > /proc/sysrq-trigger",
            "echo x > /usr/planted", "echo x > /etc/planted", "echo x > /planted", "echo x > /run/bot-bottle/x",
            "mknod /tmp/sda b 8 0", "ln -sf /x /run/bot-bottle", "mv /home /home2", "rmdir /run/bot-bottle",
        )  # fmt: skip
        with ground.bottle() as bottle:
            ended = ground.sh(
                bottle, "id -u; id -g; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status"
            )
            for attempt in attempts:
                assert ground.sh(bottle, f"{attempt} 2>/dev/null").status != 0, attempt
        assert ended.stdout.split() == [
            b"1000", b"1000", b"CapEff:", b"0" * 16, b"CapBnd:", b"0" * 16,
            b"NoNewPrivs:", b"1", b"Seccomp:", b"2",
        ]  # fmt: skip

    def test_init_cannot_be_touched(self, ground: Ground) -> None:
        """Neither traced nor read, its descriptors not opened, not killed, stopped or emptied of names."""
        script = (
            "cat /proc/1/environ /proc/1/mem /proc/1/maps; ls /proc/1/fd /proc/1/cwd/;"
            " kill -KILL 1; kill -STOP 1; kill -INT 1; kill -HUP 1; kill -SEGV 1; sleep 0.2; exit 9"
        )
        with ground.bottle() as bottle:
            ended = ground.sh(bottle, script)
            assert (ended.status, ended.stdout) == (9, b"")
            assert ended.stderr.count(b"Permission denied") >= 4
            assert ground.sh(bottle, "exit 4").status == 4

    def test_garbage_costs_nothing_else(self, ground: Ground) -> None:
        """Random bytes on every port of init's, and 1500 idle connections; the proxy is still reached."""
        script = (
            "import os,socket\n"
            "for port in (9099, 80, 443, 53):\n"
            "    for n in range(25):\n"
            "        s = socket.create_connection(('127.0.0.1', port)); s.sendall(os.urandom(3000)); s.close()\n"
            "u = socket.socket(type=socket.SOCK_DGRAM)\n"
            "for n in range(300): u.sendto(os.urandom(n), ('127.0.0.1', 53))\n"
            "held = [socket.create_connection(('127.0.0.1', 443)) for n in range(1500)]\n"
            "print(socket.gethostbyname('open.example'))\n"
            "s = socket.create_connection(('open.example', 80)); s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
            "print(s.recv(99).split()[1])\n"
        )
        with ground.bottle() as bottle:
            ended = finish(bottle.spawn(["python3", "-c", script]))
        assert ended.stdout.endswith(b"b'299'\n"), ended

    def test_fork_bomb_is_bounded(self, ground: Ground) -> None:
        """A bomb meets the limit, does not end the bottle, and is over with it."""
        ground.limited(Resources(pids=60))
        script = (
            "import os,time\nn = 0\n"
            "try:\n    while n < 500:\n        if os.fork() == 0: time.sleep(60)\n        n += 1\n"
            "except OSError: print('stopped at', n, flush=True)\n"
        )
        with ground.bottle() as bottle:
            process = bottle.spawn(["python3", "-c", script])
            text = read_until(process.stdout, b"\n")
            assert 20 < int(text.split()[2]) <= 60
            close_pipes(process)

    def test_memory_is_bounded(self, ground: Ground) -> None:
        """Where it is enforced, a program that takes more is killed; where not, that is said."""
        resources = Resources(memory_bytes=128 << 20)
        if "memory_bytes" in ground.backend.unenforced(resources):
            ground.limited(replace(resources, explicit=frozenset({"memory_bytes"})))
            with raises(SandboxError):
                ground.backend.start(ground.spec)
            return
        ground.limited(resources)
        with ground.bottle() as bottle:
            ended = finish(bottle.spawn(["python3", "-c", "x = bytearray(400 << 20); print('got it')"]))
            assert b"got it" not in ended.stdout
            assert ended.status != 0
            assert ground.sh(bottle, "exit 0").status == 0

    def test_hostile_root_does_not_run_first(self, ground: Ground) -> None:
        """What an earlier run left in the root, even in the place of system directories, is not run by or
        instead of init, and leads no mount elsewhere."""
        witness = ground.base / "witness"
        witness.mkdir()
        ground.give(witness)
        root = ground.upper(PurePosixPath("/"))
        evil = f'#!/bin/sh\ntouch {witness}/ran /home/node/ran /tmp/ran\nexec /usr/bin/env "$@"\n'
        for name in ("usr/bin/python3", "usr/bin/python3.11", "bin/sh", "lib64/ld-linux-x86-64.so.2"):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(evil, encoding="ascii")
            path.chmod(0o755)
        for name in (
            "etc/ld.so.preload",
            "usr/lib/python3/sitecustomize.py",
            "usr/lib/python3.11/encodings.py",
        ):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{witness}/evil.so\n", encoding="ascii")
        for name, target in (("run", str(witness)), ("tmp", str(witness)), ("home", str(witness))):
            (root / name).symlink_to(target)
        for name in ("opt", "srv", "var", "mnt"):
            if (root / name).exists():
                (root / name).rmdir()
            (root / name).symlink_to(str(witness))
        home = ground.upper(HOME)
        (home / "workspace").symlink_to(str(witness))
        for name in ("sitecustomize.py", "usercustomize.py", "os.py", "socket.py"):
            (home / name).write_text(f"open('{witness}/ran', 'w')", encoding="ascii")
        with ground.bottle() as bottle:
            ended = ground.sh(
                bottle, "cat /etc/ld.so.preload; ls -a /opt /srv /var/tmp; touch /opt/mine; cat README"
            )
            assert ended.status == 0
            assert ended.stdout.endswith(b"from the host\n")
            assert ground.sh(bottle, "test -e /home/node/ran -o -e /tmp/ran").status == 1
        assert list(witness.iterdir()) == []
        assert (root / "opt" / "mine").exists()

    def test_kill_of_the_launcher_leaves_nothing(self, ground: Ground, launcher: LauncherKill) -> None:
        """kill -9 of the launching process, at any moment: no process stays, and reaping takes the rest."""
        for delay_ms in (*range(0, 60, 2), 80, 120, 300):
            left = launcher.kill_after(ground, delay_ms / 1000)
            assert left == 0, f"{left} processes outlived a launcher killed after {delay_ms} ms"
        ground.backend.reap(ground.identity)
        with ground.bottle() as bottle:
            assert ground.sh(bottle, "exit 0").status == 0


class LauncherKill:
    """Starts a bottle in a child and kills that; says how many processes outlive it."""

    GRACE_S = 10.0
    """The kernel's part is milliseconds; a loaded machine takes longer."""

    def kill_after(self, ground: Ground, delay_s: float) -> int:
        """Needs to be the subreaper of what is orphaned: see ``linux.set_child_subreaper``."""
        pid = os.fork()
        if pid == 0:
            try:
                bottle = ground.backend.start(ground.spec)
                bottle.self_test(30)
                bottle.spawn(["/bin/sh", "-c", "setsid sleep 600 & sleep 600"])
                time.sleep(600)
            finally:
                os._exit(0)
        time.sleep(delay_s)
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + self.GRACE_S
        while time.monotonic() < deadline:
            try:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    time.sleep(0.005)
            except ChildProcessError:
                return 0
        return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())
