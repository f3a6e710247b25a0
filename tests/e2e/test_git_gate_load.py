"""Large pushes and many clones: they end, and the gate with all that it starts stays within its memory."""

from __future__ import annotations

import pytest
from git_support import Gate, gate, gate_processes
from git_watch import Memory, below

pytestmark = [pytest.mark.slow, pytest.mark.load]
LIMIT = 400 * 2**20
COMMITS, MANY_BYTES = 50_000, 200 * 2**20
_HISTORY = r"""
import sys
out, count = sys.stdout.buffer, int(sys.argv[1])
for n in range(count):
    message, text = b"change number %d" % n, b"".join(b"line %d of state %d\n" % (i, n) for i in range(20))
    out.write(b"commit refs/heads/long\nmark :%d\ncommitter A <a@example.com> %d +0000\n" % (n + 1, 1700000000 + n))
    out.write(b"data %d\n%b\n" % (len(message), message))
    out.write(b"from refs/remotes/origin/main^0\n" if n == 0 else b"")
    out.write(b"M 100644 inline src/d%d/f%d.py\ndata %d\n%b\n" % (n % 40, n % 1600, len(text), text))
out.write(b"done\n")
"""


@pytest.fixture
def at(person):
    with gate(person) as made:
        yield made


@pytest.fixture(params=["self"])
def person(request, person):
    """One of the two is enough here: the limits are the same."""
    return person


def _gate_of(at: Gate) -> int:
    (pid,) = gate_processes(at.person)
    return pid


def test_fifty_thousand_commits(at: Gate) -> None:
    """They arrive; 400 MiB are enough."""
    inside = at.start()
    inside.ok(f"git clone -q {at.ssh.ssh} ~/a && cat > ~/history.py", _HISTORY)
    inside.ok(f"cd ~/a && python3 ~/history.py {COMMITS} | git fast-import --quiet --done", timeout_s=300)
    with Memory(_gate_of(at)) as memory:
        inside.ok("cd ~/a && git push -q origin long", timeout_s=900)
    assert int(at.ssh.git("rev-list", "--count", "long")) == COMMITS + 1
    print(f"{COMMITS} commits: {memory.peak_bytes / 2**20:.0f} MiB", memory.by_name)
    assert memory.samples > 10 and memory.peak_bytes < LIMIT, memory.by_name


def test_two_hundred_megabytes(at: Gate) -> None:
    """Ten files of text, sent as they are: no compression, no deltas."""
    inside = at.start()
    inside.ok(
        f"git clone -q {at.ssh.ssh} ~/a && cd ~/a && git config core.compression 0 && git config pack.window 0"
    )
    write = (
        f"seq -f 'state %.0f of a long file' $((i * 10000000)) 99999999 | head -c {MANY_BYTES // 10} > big$i"
    )
    inside.ok(
        f"cd ~/a && for i in $(seq 9) 0; do {write}; done; git add . && git commit -qm big", timeout_s=300
    )
    with Memory(_gate_of(at)) as memory:
        inside.ok("cd ~/a && git push -q origin HEAD:big", timeout_s=900)
    assert at.ssh.tip("refs/heads/big")
    print(f"200 MB: {memory.peak_bytes / 2**20:.0f} MiB", memory.by_name)
    assert memory.samples > 10 and memory.peak_bytes < LIMIT, memory.by_name


def test_a_hundred_clones_at_once(at: Gate) -> None:
    """All of them come; afterwards the gate is alone again."""
    inside = at.start()
    pid = _gate_of(at)
    with Memory(pid) as memory:
        done = inside(
            f"for i in $(seq 100); do (git clone -q {at.ssh.ssh} ~/c$i && echo came) & done; wait",
            timeout_s=300,
        )
    assert done.out.count("came") == 100, done.err[-2000:]
    print(f"100 clones: {memory.peak_bytes / 2**20:.0f} MiB", memory.by_name)
    assert memory.peak_bytes < LIMIT, memory.by_name
    assert inside.ok(f"git ls-remote {at.ssh.ssh}")
    assert len(below(pid)) < 10
