"""The daemon starts on demand, once; ends by itself; and never takes a sidecar with it."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from bot_bottle.store.layout import Layout


def test_twenty_clients_at_once_start_one_daemon(host):
    """Four processes of five threads each find no daemon at the same moment; all reach the same one."""
    racers = [host.race(5) for _ in range(4)]
    daemons = {pid for racer in racers for pid in racer.said()["daemons"]}
    host.daemons |= daemons
    assert len(daemons) == 1
    assert host.log().count('"event":"started"') == 1


def test_directories_and_sockets_have_the_modes_that_keep_others_out(host):
    host.ready()
    layout = host.layout
    passage = 0o711 if host.is_root else 0o700
    modes = {
        layout.home: 0o700, layout.states: 0o700, layout.run: passage, layout.run / "b": passage,
        layout.run / "x": 0o700, layout.run / "s": 0o700, layout.guests: passage,
        layout.daemon_socket: 0o600,
    }  # fmt: skip
    found = {path: path.stat().st_mode & 0o777 for path in modes}
    assert found == modes


def test_a_bottle_runs_and_finishes(host):
    launcher, event = host.ready()
    assert launcher.tell("status")["bottles"] == ["one"]
    assert launcher.tell("finish") == {"event": "finished"}
    host.eventually(lambda: not host.alive(event["sidecar"]), "the sidecar ends with its control socket")
    host.eventually(lambda: not list((host.layout.run / "s").iterdir()), "its record is gone")
    other, _ = host.ready("two")
    assert other.tell("status")["bottles"] == ["two"]


def test_it_ends_after_the_last_bottle(host):
    launcher, event = host.ready(idle_s=0.5)
    zygote = host.zygote(event["daemon"])
    assert host.alive(event["daemon"]) and host.alive(zygote)
    launcher.tell("finish")
    host.eventually(
        lambda: not host.alive(event["daemon"]) and not host.alive(zygote), "the daemon ends when idle"
    )
    assert not host.layout.daemon_socket.exists()


def test_it_does_not_end_while_a_bottle_runs(host):
    launcher, event = host.ready(idle_s=0.2)
    racer = host.race(1, idle_s=0.2)
    racer.said()
    racer.process.wait()
    time.sleep(1.0)  # five idle times
    other, again = host.ready("two", idle_s=0.2)
    other.tell("finish")
    assert again["daemon"] == event["daemon"]
    assert launcher.tell("status")["bottles"] == ["one"]


def test_sigterm_ends_it_in_good_order_and_sidecars_live_on(host):
    launcher, event = host.ready()
    zygote = host.zygote(event["daemon"])
    os.kill(event["daemon"], signal.SIGTERM)
    host.eventually(
        lambda: not host.alive(event["daemon"]) and not host.alive(zygote), "daemon and parent end"
    )
    assert host.alive(event["sidecar"])
    assert not host.layout.daemon_socket.exists()
    assert launcher.tell("watch") == {"event": "daemon-ended"}


def test_after_kill_9_the_launcher_starts_another_one_and_its_bottle_is_adopted(host):
    launcher, event = host.ready()
    os.kill(event["daemon"], signal.SIGKILL)
    assert launcher.tell("watch") == {"event": "daemon-ended"}
    assert host.alive(event["sidecar"])
    rejoined = launcher.tell("rejoin")
    host.daemons.add(rejoined["daemon"])
    assert rejoined["daemon"] != event["daemon"]
    assert launcher.tell("status")["bottles"] == ["one"]
    host.eventually(lambda: '"chore":"recover"' in host.log(), "the recovery is over")
    assert host.alive(event["sidecar"])
    launcher.end()
    host.eventually(
        lambda: not host.alive(event["sidecar"]), "the adopted bottle's sidecar ends with its launcher"
    )
    host.eventually(lambda: not host.layout.state("one").exists(), "the adopted bottle is reaped")


def test_when_the_parent_dies_bottles_run_on_and_the_next_launch_gets_a_new_one(host):
    launcher, event = host.ready()
    zygote = host.zygote(event["daemon"])
    os.kill(zygote, signal.SIGKILL)
    host.eventually(lambda: "parent-lost" in host.log(), "its death is noticed")
    assert host.alive(event["sidecar"])
    other, again = host.ready("two")
    assert again["daemon"] == event["daemon"]
    assert host.zygote(event["daemon"]) not in (0, zygote)
    assert sorted(launcher.tell("status")["bottles"]) == ["one", "two"]
    other.tell("finish")


@pytest.mark.parametrize(
    ("entry", "words"),
    [("unmade", "ended before it was made"), ("never-answers", "did not answer in time")],
)
def test_a_sidecar_that_can_not_be_made_fails_the_launch_and_nothing_else(host, entry, words):
    launcher = host.launcher(entry=entry)
    event = launcher.said()
    assert event["event"] == "failed" and words in event["reason"]
    assert launcher.tell("status")["bottles"] == ["one"]  # until its launcher says that it has finished


def test_one_name_is_launched_once(host):
    """A second launch under a name that runs is refused by the daemon too, and changes nothing."""
    launcher, event = host.ready()
    answer = launcher.tell("again")
    assert answer["event"] == "failed" and "running already" in answer["reason"]
    assert host.alive(event["sidecar"])


def test_a_second_daemon_for_one_state_root_is_refused(host):
    """Another socket directory (another XDG_RUNTIME_DIR) does not make another daemon; the message says why."""
    _, event = host.ready()
    options = host.options(bottle="two")
    other = host.root / "elsewhere"
    options["run"] = str(other)
    launcher = host.start(options)
    said = launcher.said()
    assert said["event"] == "failed"
    assert f"{event['daemon']} {host.layout.daemon_socket}" in said["reason"]


def test_a_launch_while_the_old_daemon_is_still_ending_gets_a_new_one(host):
    """Told to stop, it has given up its socket and waits for a reaper that takes its time."""
    launcher, event = host.ready("bad-one", reaper="hangs")
    launcher.end()
    host.eventually(lambda: '"event":"launcher-gone"' in host.log(), "the reaper runs")
    os.kill(event["daemon"], signal.SIGTERM)
    host.eventually(lambda: not host.layout.daemon_socket.exists(), "it is ending")
    _, again = host.ready("two")
    assert again["daemon"] != event["daemon"]
    assert not host.alive(event["daemon"])


def test_a_socket_file_of_a_killed_daemon_is_replaced(host):
    _, event = host.ready()
    os.kill(event["daemon"], signal.SIGKILL)
    host.eventually(lambda: not host.alive(event["daemon"]), "it is dead")
    assert host.layout.daemon_socket.exists()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(str(host.layout.daemon_socket))
    _, again = host.ready("two")
    assert again["daemon"] != event["daemon"]


def test_the_daemon_gets_little_of_its_starters_environment_and_no_descriptor(host):
    _, event = host.ready()
    environ = Path(f"/proc/{event['daemon']}/environ").read_bytes()
    assert b"HOME=" in environ and b"environment-mark" not in environ
    zygote = host.zygote(event["daemon"])
    names = {item.partition(b"=")[0] for item in Path(f"/proc/{zygote}/environ").read_bytes().split(b"\0")}
    assert names - {b""} == {b"LANG", b"MALLOC_ARENA_MAX"}
    assert os.readlink(f"/proc/{event['daemon']}/cwd") == "/"


def test_a_private_home_with_a_long_path_will_do(host):
    """90 characters of HOME, mode 0700: nothing that a bottle's uid must reach lies below it for root, and no
    socket for anybody (ruling 43)."""
    home = host.root / "operator" / ("h" * (90 - len(str(host.root / "operator")) - 1))
    home.mkdir(mode=0o700)
    if host.uid is not None:
        os.chown(home, host.uid, host.uid)
    assert len(str(home)) == 90
    state = home / ".bot-bottle"
    shared = host.root / "var" / "bot-bottle" / "01234567" if host.is_root else state
    host.layout = Layout(state, shared, host.root / "run" / "bot-bottle" / "01234567")
    launcher, event = host.ready("b" * 40, entry="proxy")
    assert event["ca"]
    assert launcher.tell("finish") == {"event": "finished"}
    host.eventually(lambda: not host.alive(event["sidecar"]), "the sidecar ends")
