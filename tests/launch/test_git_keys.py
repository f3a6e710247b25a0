"""Key files of the operator's: a good one is read, and every mistake has its own sentence and fix."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot_bottle.launch.git_keys import MAX_KEY_BYTES, KeyUnusable, read_private_key


def generate(path: Path, *options: str, passphrase: str = "") -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", *(options or ("-t", "ed25519")), "-N", passphrase, "-f", str(path)], check=True
    )
    return path


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (("-t", "ed25519"), "ed25519"),
        (("-t", "ecdsa"), "ecdsa"),
        (("-t", "rsa", "-b", "2048"), "rsa"),
        (("-t", "rsa", "-b", "2048", "-m", "PEM"), "rsa"),
        (("-t", "ecdsa", "-m", "PKCS8"), "ecdsa"),
    ],
)
def test_a_key_that_works_is_read(tmp_path: Path, options: tuple[str, ...], kind: str) -> None:
    """OpenSSH's format and PEM, with the file's own text."""
    path = generate(tmp_path / "k", *options)
    key = read_private_key(path)
    assert (key.kind, key.warnings) == (kind, ())
    assert key.text.reveal() == path.read_text()


def test_dos_line_ends_and_a_missing_last_one_are_mended(tmp_path: Path) -> None:
    """ssh reads neither: "error in libcrypto"."""
    path = generate(tmp_path / "k")
    right = path.read_text()
    path.write_bytes(right.rstrip("\n").replace("\n", "\r\n").encode())
    assert read_private_key(path).text.reveal() == right


def test_a_link_is_the_operators_own_business(tmp_path: Path) -> None:
    path = generate(tmp_path / "k")
    (tmp_path / "link").symlink_to(path)
    assert read_private_key(tmp_path / "link").kind == "ed25519"


def test_a_file_that_others_can_read_is_a_warning(tmp_path: Path) -> None:
    path = generate(tmp_path / "k")
    path.chmod(0o644)
    (warning,) = read_private_key(path).warnings
    assert str(path) in warning and "0644" in warning and "chmod 600" in warning


@pytest.mark.parametrize(
    "options", [(), ("-t", "rsa", "-b", "2048", "-m", "PEM"), ("-t", "ecdsa", "-m", "PKCS8")]
)
def test_a_passphrase_is_refused_with_a_way_out(tmp_path: Path, options: tuple[str, ...]) -> None:
    """In each of the three formats; the passphrase is never asked for."""
    path = generate(tmp_path / "k", *options, passphrase="long enough")
    with pytest.raises(KeyUnusable, match="passphrase") as caught:
        read_private_key(path)
    assert str(path) in str(caught.value) and "ssh-keygen -t ed25519 -N ''" in str(caught.value)


def test_a_public_key_is_told_from_its_private_half(tmp_path: Path) -> None:
    generate(tmp_path / "k")
    with pytest.raises(KeyUnusable, match="is a public key") as caught:
        read_private_key(tmp_path / "k.pub")
    assert repr(str(tmp_path / "k")) in str(caught.value)
    (tmp_path / "odd").write_text((tmp_path / "k.pub").read_text())
    with pytest.raises(KeyUnusable, match=r"is a public key: name the file without \.pub"):
        read_private_key(tmp_path / "odd")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no private key"),
        (b"hello\n", "is no private key"),
        (b"\xff\xfe\x00", "is no private key"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\n", "puttygen"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "is damaged"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "is damaged"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is damaged"),
        (b"-----BEGIN " + b"A" * MAX_KEY_BYTES, "bytes, which no key has"),
    ],
)
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "k"
    path.write_bytes(content)
    with pytest.raises(KeyUnusable, match=words) as caught:
        read_private_key(path)
    assert str(path) in str(caught.value)


def test_half_a_key_is_damaged(tmp_path: Path) -> None:
    """A file that was cut off in copying, at every line; no part of it is told."""
    path = generate(tmp_path / "k")
    lines = path.read_text().splitlines(keepends=True)
    for count in range(1, len(lines) - 1):
        path.write_text("".join(lines[:count]))
        with pytest.raises(KeyUnusable) as caught:
            read_private_key(path)
        assert not any(line.strip() in str(caught.value) for line in lines[1:-1])


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="is not there: make it") as caught:
        read_private_key(tmp_path / "k")
    assert "public half" in str(caught.value)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    for name, words in (("fifo", "no regular file"), ("directory", "no regular file|can't be read")):
        with pytest.raises(KeyUnusable, match=words):
            read_private_key(tmp_path / name)


@pytest.mark.parametrize("options", [("-t", "rsa", "-b", "1024")])
def test_a_weak_key_is_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = generate(tmp_path / "k", *options)
    with pytest.raises(KeyUnusable, match="that upstreams refuse"):
        read_private_key(path)
