"""Which directories of the installation a sidecar is shown: code, and never what holds the bottle's own files."""

from __future__ import annotations

import sys

import pytest

from bot_bottle.ipc import sidecar as messages
from bot_bottle.sidecar import confine, view
from bot_bottle.sidecar.kinds import KINDS


@pytest.fixture
def installation(monkeypatch, tmp_path):
    """An interpreter and a package of our own, in places that a test chooses."""

    def install(prefix, package, path=()):
        for place in (prefix, package, *path):
            (tmp_path / place).mkdir(parents=True, exist_ok=True)
        for name in ("prefix", "exec_prefix"):
            monkeypatch.setattr(sys, name, str(tmp_path / prefix))
        for name in ("base_prefix", "base_exec_prefix"):
            monkeypatch.setattr(sys, name, "/usr")
        monkeypatch.setattr(view.bot_bottle, "__file__", str(tmp_path / package / "__init__.py"))
        monkeypatch.setattr(sys, "path", [str(tmp_path / item) for item in path])
        return tmp_path

    return install


def test_an_environment_with_the_package_in_it_is_one_directory(installation):
    root = installation("venv", "venv/lib/site-packages/bot_bottle", ["venv/lib/site-packages"])
    assert view.code_directories([]) == [str(root / "venv")]


def test_a_checkout_shows_the_package_and_not_what_lies_beside_it(installation):
    root = installation("venv", "checkout/src/bot_bottle", ["checkout/src"])
    assert view.code_directories([]) == [str(root / "checkout/src/bot_bottle"), str(root / "venv")]


def test_a_users_own_packages_are_shown_without_the_home(installation):
    root = installation("venv", "home/.local/lib/site-packages/bot_bottle", ["home/.local/lib/site-packages"])
    assert str(root / "home/.local/lib/site-packages") in view.code_directories([])
    assert str(root / "home") not in view.code_directories([])


def test_a_directory_that_holds_the_bottles_files_is_never_shown(installation):
    root = installation("home", "home/src/bot_bottle", [])
    own = str(root / "home/.bot-bottle/guests/one/run")
    assert view.code_directories([own]) == [str(root / "home/src/bot_bottle")]


def test_what_is_in_usr_comes_with_usr(installation, monkeypatch):
    installation("venv", "package")
    monkeypatch.setattr(sys, "prefix", "/usr")
    monkeypatch.setattr(sys, "exec_prefix", "/usr/local")
    assert [path for path in view.code_directories([]) if path.startswith("/usr")] == []


def test_certificate_roots_are_found_and_no_private_key_with_them():
    found = view._certificates()
    assert found
    assert not any("private" in source or source in ("/", "/etc") for source in found.values())


@pytest.mark.parametrize(("uid", "euid"), [(None, 0), (0, 0), (7, 1000), (0, 1000)])
def test_an_identity_that_can_not_be_taken_on_is_refused_before_anything_is_done(monkeypatch, uid, euid):
    """Root never stays root, and a user can't become another one."""
    monkeypatch.setattr(confine.os, "geteuid", lambda: euid)
    monkeypatch.setattr(confine.linux, "unshare", lambda flags: pytest.fail("it went on"))
    with pytest.raises(confine.NotConfinable):
        confine.enter_namespaces(uid, network=True)


def test_the_table_of_kinds_names_each_kind_once():
    assert tuple(KINDS) == messages.KINDS
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS)
    assert all(0 < len(kind.name) <= 15 for kind in KINDS.values())  # the kernel cuts a name at 15
    assert KINDS["proxy"].network and KINDS["gate"].network


@pytest.mark.parametrize(
    ("host", "sidecar"),
    [
        (b"", b"search .\n"),
        (b"nameserver 192.0.2.1\n", b"nameserver 192.0.2.1\nsearch .\n"),
        (
            b"# made by hand\nsearch corp.example lan\ndomain corp.example\nnameserver 192.0.2.1\noptions edns0\n",
            b"# made by hand\nnameserver 192.0.2.1\noptions edns0\nsearch .\n",
        ),
        (b"  search corp.example", b"search .\n"),
    ],
)
def test_a_name_is_looked_up_as_it_was_judged(host: bytes, sidecar: bytes) -> None:
    """Without the host's search list a name that does not exist is not tried under another domain."""
    assert view.without_search(host) == sidecar
