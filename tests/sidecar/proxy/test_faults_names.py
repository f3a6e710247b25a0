"""Names that don't resolve, or resolve badly: the system's own resolver against a DNS server of the test's.

All of it in a network and mount namespace of its own, where ``resolv.conf`` names that server and a public
address belongs to the test's upstream. What the upstream gets is asserted on; other names go on meanwhile.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = {
    "good": 200,
    "nxdomain": 502,
    "servfail": 502,
    "refused": 502,
    "empty": 502,
    "garbage": 504,
    "silent": 504,
    "loop": 502,
    "hundred": 200,
    "mixed": 403,
    "private": 403,
    "metadata": 403,
    "mapped": 403,
    "rebinding": 200,
}
"""Name to status; see ``dns_scenario`` for what each answers."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    unshare = ["unshare", "--net", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user", "--user"))]
    try:
        subprocess.run([*unshare, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no network namespace can be made here")
    directory = tmp_path_factory.mktemp("names")
    argv = [*unshare, sys.executable, str(HERE / "dns_scenario.py"), str(directory), *CASES]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CASES)
def test_what_a_name_comes_to(outcome, name):
    status, reason = outcome["answers"][name]
    assert status == CASES[name], reason


def test_who_was_reached(outcome):
    """The public address alone, for the names that have it; nothing else was connected to."""
    assert sorted(set(outcome["public"])) == ["good", "hundred", "rebinding"]
    assert outcome["private"] == [], "the control below shows that it could have been"
    assert outcome["control"] is True


def test_a_name_that_changes_its_address_is_judged_each_time(outcome):
    """Public at the first look-up, private at the second: the connection of the first goes to the checked
    address; a new one is refused."""
    assert outcome["rebound"][0] == 403


def test_names_that_hang_keep_no_other_waiting(outcome):
    """While six look-ups were waiting for a server that says nothing, this many other requests passed."""
    assert outcome["meanwhile"] >= 5


def test_a_name_that_may_not_be_asked_for_never_is(outcome):
    """Threats B1: the server has seen no query for it."""
    assert outcome["denied"] == 403
    assert "secret-in-a-label" not in outcome["asked"]
    assert "good" in outcome["asked"]
