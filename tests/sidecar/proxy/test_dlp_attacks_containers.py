"""A secret in a file of some format, packed, or packed in packed, is found before it goes (threats G1).

Read from what the upstream received; on a route without detectors each arrives.
"""

from __future__ import annotations

import pytest
from attack_containers import CHAINS, CONTAINERS, UNREAD
from attack_support import KIB, SECRETS, attacking, words
from dlp_support import BLOCK

FILES = CONTAINERS | CHAINS
READ = {name: write for name, write in FILES.items() if name not in UNREAD}


@pytest.fixture(scope="module")
def attack(run_shared_proxy, to):
    yield from attacking(run_shared_proxy, to)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("write", FILES.values(), ids=FILES)
def test_a_file_that_holds_it(attack, write, secret):
    attack.is_stopped(write(secret.encode()), (("Content-Type", "application/octet-stream"),))


@pytest.mark.parametrize("write", READ.values(), ids=READ)
def test_a_file_that_holds_none(attack, write):
    """The same with words in its place arrives: what is found above is the secret, not the format."""
    attack.arrives(BLOCK, write(b"nothing in particular"))


FAR = ("zip, deflated", "tar.gz", "PNG, zTXt", "git, pack", "PDF, Flate", "JSON of base64 of zip")


@pytest.mark.parametrize("name", FAR)
def test_far_into_a_large_body(attack, name):
    """Behind what had gone already by then: the request never ends. Whatever precedes it, is text or none."""
    body = words(700 * KIB) + FILES[name](SECRETS["known"].encode()) + words(100 * KIB)
    attack.is_stopped(body, chunked=10_000)
