"""Secrets stay outside by their names, unless they are named; excluded globs stay outside always."""

from __future__ import annotations

import pytest

from bot_bottle.launch.workspace_names import SECRET, Names


def _reason(path: str, *globs: str) -> str | None:
    return Names(globs).reason_to_leave_out(tuple(path.split("/")))


@pytest.mark.parametrize(
    "path",
    [".env", ".env.local", "prod.env", ".envrc", "a/b/.env", "server.pem", "tls.KEY", "x.p12", "id_rsa",
     "id_ed25519", "keys/id_ecdsa_work", ".npmrc", ".netrc", ".pypirc", ".git-credentials", ".ssh/config",
     ".aws/credentials", "deep/.aws/config", ".kube/config", "a/.docker/config.json", ".cargo/credentials.toml",
     ".config/gcloud/access_tokens.db", "home/.config/gh/hosts.yml", "terraform.tfstate", "prod.tfvars",
     "credentials.json", "service-account-prod.json", ".ENV"],
)  # fmt: skip
def test_secret_by_name(path: str) -> None:
    """Usual names of credentials, at any depth, whatever their case."""
    assert _reason(path) == SECRET


@pytest.mark.parametrize(
    "path",
    ["main.py", "environment.yml", "src/env.py", "keyboard.py", "id_rsa.pub", "config", "docker/config.json",
     "kube/config", "monkey.txt", "package.json", "docs/pem.md", ".github/workflows/ci.yml", "gcloud/x"],
)  # fmt: skip
def test_no_secret(path: str) -> None:
    """Names that only look alike, and public halves of keys."""
    assert _reason(path) is None


@pytest.mark.parametrize(
    ("path", "globs", "expected"),
    [
        ("a.log", ("*.log",), "excluded"),
        ("x/a.log", ("*.log",), "excluded"),
        ("build/a/b", ("build",), "excluded"),
        ("src/build/b", ("build/",), "excluded"),
        ("build/a", ("/build/*",), "excluded"),
        ("build/a", ("build/*",), "excluded"),
        ("build/a/b", ("build/*",), "excluded"),
        ("x/build/a", ("build/*",), None),
        ("x/build/a", ("**/build/*",), "excluded"),
        ("build/a", ("**/build/*",), "excluded"),
        ("a/b/c/d.txt", ("a/**/d.txt",), "excluded"),
        ("a/d.txt", ("a/**/d.txt",), "excluded"),
        ("a/b/x", ("a/*",), "excluded"),
        ("ab/x", ("a?/x",), "excluded"),
        ("a.txt", ("*.[ch]",), None),
        ("a.c", ("*.[ch]",), "excluded"),
        (".env", ("!.env",), None),
        (".env.local", ("!.env",), SECRET),
        (".env.example", ("!.env.example",), None),
        ("certs/ca.pem", ("!certs/ca.pem",), None),
        ("certs/key.pem", ("!certs/ca.pem",), SECRET),
        (".ssh/known_hosts", ("!.ssh/known_hosts",), None),
        (".ssh/id_rsa", ("!.ssh/known_hosts",), SECRET),
        (".ssh/id_rsa", ("!.ssh",), None),
        (".env", (".env", "!.env"), "excluded"),
        ("a", ("",), None),
        ("a", ("/",), None),
        ("a", ("!",), None),
    ],
)
def test_globs(path: str, globs: tuple[str, ...], expected: str | None) -> None:
    """Where a glob fits, what ``**`` spans, and what ``!`` brings back."""
    assert _reason(path, *globs) == expected


def test_many_stars_over_a_hostile_name() -> None:
    """The longest name that a file can have, made to backtrack, is judged at once."""
    assert _reason("a" * 255, "*a*a*a*a*a*a*a*a*a*a*a*a*b") is None
    assert _reason("/".join(["a"] * 256), "**/a/**/a/**/a/**/a/**/b") is None
