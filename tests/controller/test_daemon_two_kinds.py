"""A bottle with two sidecars: whichever dies, and whoever dies beside them, nothing is left without a launcher."""

from __future__ import annotations

import os
import signal

import pytest

KINDS = ("sidecar", "gate")


def records(host) -> set[str]:
    return set(os.listdir(host.layout.run / "s"))


def ready(host, bottle: str = "one", **options):
    """Both are there; the scanner is any program, nothing runs it here."""
    return host.ready(bottle, gitleaks="/usr/bin/true", **options)


def test_both_run_are_recorded_and_end_with_their_bottle(host):
    launcher, event = ready(host)
    assert event["sidecar"] != event["gate"]
    assert records(host) == {"one.proxy", "one.gate"}
    assert launcher.tell("status")["bottles"] == ["one"]
    assert launcher.tell("finish") == {"event": "finished"}
    host.eventually(lambda: not any(host.alive(event[kind]) for kind in KINDS), "both end")
    host.eventually(lambda: not records(host), "their records are gone")


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_killed_takes_neither_the_other_nor_its_record_with_it(host, kind):
    """The launcher sees it by the pidfd that it holds, and decides; the kind is not made anew."""
    launcher, event = ready(host)
    (other,) = set(KINDS) - {kind}
    os.kill(event[kind], signal.SIGKILL)
    gone = "one.proxy" if kind == "sidecar" else "one.gate"
    host.eventually(lambda: gone not in records(host), "its record is gone")
    assert host.alive(event[other]) and len(records(host)) == 1
    assert "running already" in launcher.tell("more")["reason"]
    launcher.end()
    host.eventually(lambda: not host.alive(event[other]), "the other ends with its launcher")
    host.eventually(lambda: not host.layout.state("one").exists() and not records(host), "all is reaped")


@pytest.mark.parametrize("entry", ["obedient", "stubborn"])
def test_both_end_with_a_launcher_that_is_killed(host, entry):
    launcher, event = ready(host, entry=entry)
    launcher.end()
    host.eventually(lambda: not any(host.alive(event[kind]) for kind in KINDS), "both end")
    host.eventually(lambda: not host.layout.state("one").exists() and not records(host), "all is reaped")


def test_both_that_linger_after_their_bottle_are_killed(host):
    launcher, event = ready(host, entry="stubborn")
    launcher.tell("finish")
    host.eventually(lambda: not any(host.alive(event[kind]) for kind in KINDS), "their time is over")
    host.eventually(lambda: not records(host), "their records are gone")


def test_after_kill_9_of_the_daemon_both_are_adopted(host):
    launcher, event = ready(host, entry="stubborn")
    os.kill(event["daemon"], signal.SIGKILL)
    assert launcher.tell("watch") == {"event": "daemon-ended"}
    rejoined = launcher.tell("rejoin")
    assert rejoined["event"] == "rejoined" and rejoined["daemon"] != event["daemon"]
    host.daemons.add(rejoined["daemon"])
    host.eventually(lambda: '"chore":"recover"' in host.log(), "the recovery is over")
    assert all(host.alive(event[kind]) for kind in KINDS)
    assert records(host) == {"one.proxy", "one.gate"}
    launcher.end()
    host.eventually(lambda: not any(host.alive(event[kind]) for kind in KINDS), "the new daemon ends both")
    host.eventually(lambda: not host.layout.state("one").exists() and not records(host), "all is reaped")


def test_both_that_outlive_launcher_and_daemon_are_killed_by_the_next_daemon(host):
    launcher, event = ready(host, entry="stubborn")
    os.kill(event["daemon"], signal.SIGKILL)
    launcher.end()
    host.eventually(lambda: not host.alive(event["daemon"]), "the daemon is gone")
    assert all(host.alive(event[kind]) for kind in KINDS)
    host.ready("two", entry="stubborn")
    host.eventually(lambda: not any(host.alive(event[kind]) for kind in KINDS), "the next one killed both")
    host.eventually(lambda: records(host) == {"two.proxy"}, "their records are gone")


def test_where_the_second_can_not_be_made_the_launch_fails_and_the_first_ends_with_it(host):
    """The scanner is not there, so that the gate's view can't be built."""
    launcher = host.launcher("one", gitleaks="/nonexistent/gitleaks")
    event = launcher.said()
    assert event["event"] == "refused" and "/nonexistent/gitleaks" in event["reason"]
    launcher.tell("finish")
    host.eventually(lambda: not records(host), "nothing is recorded any more")
