"""Which key an upstream has: as OpenSSH itself reads ``known_hosts``; what is not known is refused with the fix."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot_bottle.launch.known_hosts import HostKeyUnknown, find_host_keys, lookup_name, parse_host_key


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two host keys, ``TYPE BASE64``."""
    directory = tmp_path_factory.mktemp("keys")
    found = []
    for kind in ("ed25519", "ecdsa"):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(directory / kind)], check=True)
        found.append(" ".join((directory / f"{kind}.pub").read_text().split()[:2]))
    return found[0], found[1]


def known(tmp_path: Path, *lines: str, hashed: bool = False, name: str = "known_hosts") -> Path:
    path = tmp_path / name
    path.write_text("".join(f"{line}\n" for line in lines))
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
        assert "example" not in path.read_text()
    return tmp_path


@pytest.mark.parametrize("hashed", [False, True])
def test_a_name_is_found_in_clear_and_hashed(tmp_path: Path, keys: tuple[str, str], hashed: bool) -> None:
    """Every key of it, in the file's order."""
    directory = known(tmp_path, f"g.example {keys[0]}", f"g.example {keys[1]} comment", hashed=hashed)
    assert find_host_keys(directory, "g.example", None) == keys


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("[g.example]:2222", "g.example", 2222),
        ("g.example", "g.example", 22),
        ("*.example,!bad.example", "g.example", None),
        ("::1", "[::1]", None),
        ("[::1]:2222", "[::1]", 2222),
    ],
)
def test_a_port_is_part_of_the_name(
    tmp_path: Path, keys: tuple[str, str], written: str, host: str, port: int | None
) -> None:
    assert find_host_keys(known(tmp_path, f"{written} {keys[0]}"), host, port) == keys[:1]


@pytest.mark.parametrize(
    ("lines", "host", "port", "words"),
    [
        (
            ("g.example {0}",),
            "g.example",
            2222,
            r"no key of '\[g.example\]:2222'.*ssh-keyscan -p 2222 g.example >>",
        ),
        (("[g.example]:2222 {0}",), "g.example", None, r"no key of 'g.example'.*ssh-keyscan g.example >>"),
        (("other.example {0}",), "g.example", None, "no key of 'g.example'"),
        (("*.example,!g.example {0}",), "g.example", None, "no key of 'g.example'"),
        (("@cert-authority g.example {0}",), "g.example", None, "no key of 'g.example'"),
        (("@revoked g.example {0}",), "g.example", None, "is revoked"),
        (("g.example {0}", "@revoked * {0}"), "g.example", None, "is revoked"),
        (("g.example ssh-ed25519 AAAA",), "g.example", None, "no key of 'g.example'"),
        ((), "g.example", None, "no key of 'g.example'"),
    ],
)
def test_what_is_not_known_is_refused(
    tmp_path: Path, keys: tuple[str, str], lines: tuple[str, ...], host: str, port: int | None, words: str
) -> None:
    """With the file, the command that fetches the key, and the advice to compare it."""
    directory = known(tmp_path, *(line.format(*keys) for line in lines))
    with pytest.raises(HostKeyUnknown, match=words) as caught:
        find_host_keys(directory, host, port)
    assert str(tmp_path / "known_hosts") in str(caught.value)
    assert "fingerprint" in str(caught.value) and "host_key" in str(caught.value)


def test_a_revoked_key_leaves_the_others(tmp_path: Path, keys: tuple[str, str]) -> None:
    directory = known(
        tmp_path, f"g.example {keys[0]}", f"g.example {keys[1]}", f"@revoked g.example {keys[0]}"
    )
    assert find_host_keys(directory, "g.example", None) == keys[1:]


def test_the_second_file_counts_and_a_missing_one_does_not(tmp_path: Path, keys: tuple[str, str]) -> None:
    directory = known(tmp_path, f"g.example {keys[0]}", name="known_hosts2")
    assert find_host_keys(directory, "g.example", None) == keys[:1]
    with pytest.raises(HostKeyUnknown):
        find_host_keys(tmp_path / "nowhere", "g.example", None)


def test_a_pinned_key_is_type_and_key(keys: tuple[str, str]) -> None:
    assert parse_host_key(f"{keys[0]} root@g") == keys[0]


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "SHA256:abc", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 !", "g.example {0}",
        "ssh-rsa {1}", "ssh-dss AAAAB3NzaC1kc3M=",
    ],
)  # fmt: skip
def test_what_is_no_host_key_is_refused(keys: tuple[str, str], text: str) -> None:
    """A fingerprint, a whole line of known_hosts, a type that the key itself doesn't have."""
    with pytest.raises(HostKeyUnknown, match="must be a public host key"):
        parse_host_key(text.format(keys[0], keys[0].split()[1]))


def test_names_as_known_hosts_has_them() -> None:
    assert [lookup_name("[::1]", 22), lookup_name("a", None), lookup_name("a", 23)] == ["::1", "a", "[a]:23"]
