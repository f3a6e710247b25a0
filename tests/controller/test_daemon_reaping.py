"""Whatever dies, in whatever order, kill -9 included: nothing is left of a bottle that has no launcher."""

from __future__ import annotations

import itertools
import os
import signal

import pytest

PARTIES = ("daemon", "parent", "launcher", "sidecar")
ORDERS = list(itertools.permutations(PARTIES))
QUICK = [
    ("launcher", "daemon", "parent", "sidecar"),
    ("daemon", "launcher", "sidecar", "parent"),
    ("sidecar", "parent", "launcher", "daemon"),
]


def nothing_left(host, bottle: str = "one") -> bool:
    layout = host.layout
    places = [
        layout.state(bottle), layout.guest(bottle), layout.sockets(bottle), layout.run / "s" / f"{bottle}.proxy",
        layout.run / "s" / f"{bottle}.gate",
    ]  # fmt: skip
    return not any(os.path.lexists(path) for path in places)


def kill_in_order(host, order) -> None:
    launcher, event = host.ready()
    pids = {
        "daemon": event["daemon"], "parent": host.zygote(event["daemon"]),
        "launcher": launcher.pid, "sidecar": event["sidecar"],
    }  # fmt: skip
    assert all(host.alive(pid) for pid in pids.values())
    for name in order:
        if host.alive(pids[name]):
            os.kill(pids[name], signal.SIGKILL)
    launcher.process.wait()
    host.eventually(lambda: not any(host.alive(pid) for pid in pids.values()), "all four are gone")
    _, again = host.ready("two")
    host.eventually(lambda: nothing_left(host), "nothing is left of the first bottle")
    assert host.alive(again["sidecar"])
    assert not (host.layout.run / "s" / "one.proxy").exists()


@pytest.mark.parametrize("order", QUICK, ids=" ".join)
def test_killed_in_this_order_nothing_is_left(host, order):
    kill_in_order(host, order)


@pytest.mark.slow
@pytest.mark.parametrize("order", [order for order in ORDERS if order not in QUICK], ids=" ".join)
def test_killed_in_any_order_nothing_is_left(host, order):
    kill_in_order(host, order)


def test_a_killed_launcher_is_reaped_at_once(host):
    launcher, event = host.ready()
    launcher.end()
    host.eventually(lambda: not host.alive(event["sidecar"]), "the sidecar is gone")
    host.eventually(lambda: nothing_left(host), "everything else is gone")


def test_a_sidecar_that_does_not_end_is_killed_with_its_launcher(host):
    launcher, event = host.ready(entry="stubborn")
    launcher.end()
    host.eventually(lambda: not host.alive(event["sidecar"]), "the daemon killed it")
    host.eventually(lambda: nothing_left(host), "everything else is gone")


def test_a_sidecar_that_does_not_end_is_killed_after_its_bottle_has_finished(host):
    launcher, event = host.ready(entry="stubborn")
    launcher.tell("finish")
    host.eventually(lambda: not host.alive(event["sidecar"]), "its time to linger is over")


def test_a_finished_bottles_name_is_free_while_its_sidecar_still_drains(host):
    """And the old sidecar's end does not take the new one's record with it."""
    launcher, event = host.ready(entry="stubborn")
    launcher.tell("finish")
    _, again = host.ready(entry="stubborn")
    host.eventually(lambda: not host.alive(event["sidecar"]), "its time to linger is over")
    record = (host.layout.run / "s" / "one.proxy").read_text().split()
    assert int(record[0]) == again["sidecar"] and host.alive(again["sidecar"])


def test_a_sidecar_that_outlives_launcher_and_daemon_is_killed_by_the_next_daemon(host):
    """It ignores its control socket, and nobody is there that knew it: the record on disk does."""
    launcher, event = host.ready(entry="stubborn")
    os.kill(event["daemon"], signal.SIGKILL)
    launcher.end()
    host.eventually(lambda: not host.alive(event["daemon"]), "the daemon is gone")
    assert host.alive(event["sidecar"])
    host.ready("two", entry="stubborn")
    host.eventually(lambda: not host.alive(event["sidecar"]), "the new daemon killed it")
    host.eventually(lambda: nothing_left(host), "everything else is gone")


def test_a_launcher_that_dies_between_two_daemons_is_found_by_the_second_look(host):
    """It lives when the new daemon starts and is killed before it hands over its bottle."""
    launcher, event = host.ready(entry="stubborn")
    os.kill(event["daemon"], signal.SIGKILL)
    host.ready("two", entry="stubborn")
    host.eventually(lambda: host.log().count('"chore-done"') == 2, "each daemon has looked once")
    assert host.alive(event["sidecar"])
    launcher.end()
    host.eventually(lambda: not host.alive(event["sidecar"]) and nothing_left(host), "all of it is gone")


def test_a_record_never_kills_another_process(host):
    """The number in it is another process's by now: the start time tells."""
    launcher, _ = host.ready()
    bystander = host.race(1)
    record = host.layout.run / "s" / "gone.proxy"
    record.write_text(f"{bystander.pid} 1\n")
    os.chown(record, launcher_uid(host), launcher_uid(host))
    os.kill(host.daemon_pid(), signal.SIGKILL)
    launcher.tell("watch")
    launcher.tell("rejoin")
    host.eventually(lambda: '"chore-done"' in host.log(), "the recovery is over")
    assert bystander.process.poll() in (None, 0)


def launcher_uid(host) -> int:
    return os.geteuid() if host.uid is None else host.uid


@pytest.mark.parametrize("behaviour", ["fails", "hangs"])
def test_a_reaper_that_fails_or_hangs_does_not_keep_the_daemon_from_its_work(host, behaviour):
    bad, event = host.ready("bad-one", reaper=behaviour)
    good, _ = host.ready("good-one", reaper=behaviour)
    bad.end()
    host.eventually(lambda: not host.alive(event["sidecar"]), "the sidecar is gone all the same")
    other, again = host.ready("another", reaper=behaviour)
    assert again["daemon"] == event["daemon"]
    good.end()
    host.eventually(lambda: nothing_left(host, "good-one"), "the others are reaped")
    host.eventually(lambda: '"chore-failed"' in host.log(), "the failure is written down")
    host.eventually(lambda: other.tell("status")["bottles"] == ["another"], "its name is free again")


def test_a_launcher_that_is_killed_while_its_sidecar_is_made_leaves_nothing(host):
    """The request is with the parent when the launcher dies; the answer finds nobody."""
    host.ready("first")
    launchers = [host.launcher(f"n{number}") for number in range(4)]
    host.eventually(
        lambda: any(host.layout.state(f"n{number}").exists() for number in range(4)), "they have begun"
    )
    for launcher in launchers:
        launcher.end()
    host.eventually(
        lambda: all(nothing_left_or_never_there(host, n) for n in range(4)), "nothing is left of them"
    )


def nothing_left_or_never_there(host, number: int) -> bool:
    """A launcher killed before it had asked the daemon for anything is the next recovery's."""
    name = f"n{number}"
    return nothing_left(host, name) or not (host.layout.run / "s" / f"{name}.proxy").exists()
