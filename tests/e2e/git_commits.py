"""Commits with secrets in one of a push's places: run in a clone with PLACE [allow], secrets by rule on stdin.

It runs in a bottle too, where nothing of the product is.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import subprocess
import sys
import zipfile

place, allow = sys.argv[1], " # gitleaks:allow" if sys.argv[2:] else ""
given = json.load(sys.stdin)  # rule -> secret


def git(*argv, text=None, env=None):
    done = subprocess.run(
        ["git", *argv], input=text, text=True, capture_output=True, env={**os.environ, **(env or {})}
    )
    assert done.returncode == 0, (argv, done.stderr)
    return done.stdout.strip()


def lay(turn, suffix=".txt", folder="kinds"):
    os.makedirs(folder, exist_ok=True)
    for rule, secret in given.items():
        with open(f"{folder}/{rule}{suffix}", "wb") as file:
            file.write(turn(f'one\ntwo\nvalue = "{secret}"{allow}\nfour\n'.encode()))


def commit(message="words"):
    git("add", "-A", "-f")
    git("commit", "-qm", message)


def zipped(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inner.txt", data)
    return out.getvalue()


def base64_line(data):
    line = data.split(b"\n")[2]
    return b"one\ntwo\nvalue = " + base64.b64encode(line) + b"\n"


git("checkout", "-q", "-B", "work", "origin/main")
refs = ["work"]
if place in ("file", "reverted", "attributes", "suppressed by files"):
    if place == "attributes":
        with open(".gitattributes", "w") as file:
            file.write("* -diff binary\n")
    if place == "suppressed by files":
        with open(".gitleaks.toml", "w") as file:
            file.write("[allowlist]\npaths = ['.*']\n")
    lay(bytes)
    commit()
    if place == "suppressed by files":
        head = git("rev-parse", "HEAD")
        with open(".gitleaksignore", "w") as file:
            file.write(
                "".join(
                    f"{head}:kinds/{rule}.txt:{other}:3\n"
                    for rule in given
                    for other in (rule, "generic-api-key")
                )
            )
        commit("ignore")
    if place == "reverted":
        git("revert", "--no-edit", "HEAD")
elif place == "message":
    git(
        "commit",
        "-q",
        "--allow-empty",
        "-F",
        "-",
        text="Title\n\n" + "".join(f'value = "{s}"\n' for s in given.values()),
    )
elif place == "tag":
    git(
        "tag",
        "-f",
        "-a",
        "marked",
        "-F",
        "-",
        text="Title\n\n" + "".join(f'value = "{s}"\n' for s in given.values()),
    )
    refs = ["marked"]
elif place == "file name":
    os.makedirs("kinds", exist_ok=True)
    for secret in given.values():
        open(f"kinds/{secret}", "w").close()
    commit()
elif place == "branch name":
    refs = []
    git("commit", "-q", "--allow-empty", "-m", "words")
    for secret in given.values():
        if subprocess.run(["git", "branch", "-f", secret], capture_output=True).returncode == 0:
            refs.append(secret)
elif place == "author":
    for secret in given.values():
        git("commit", "-q", "--allow-empty", "-m", "words", env={"GIT_AUTHOR_NAME": secret})
elif place == "merge":
    git("checkout", "-q", "-B", "other", "origin/main")
    git("commit", "-q", "--allow-empty", "-m", "theirs")
    git("checkout", "-q", "work")
    git("commit", "-q", "--allow-empty", "-m", "ours")
    git("merge", "-q", "--no-commit", "--no-ff", "other")
    lay(bytes)
    commit("a merge that brings more")
elif place == "zip":
    lay(zipped, ".zip")
    commit()
elif place == "gzip":
    lay(gzip.compress, ".gz")
    commit()
elif place == "base64":
    lay(base64_line)
    commit()
elif place == "utf-16":
    lay(lambda data: data.decode().encode("utf-16"))
    commit()
elif place == "lock file":
    lay(bytes, "/package-lock.json".replace("/", "-"), "node_modules/x")
    os.rename("node_modules/x", "node_modules/y")
    commit()
elif place == "note":
    head = git("rev-parse", "HEAD")
    git("notes", "add", "-f", "-F", "-", head, text="".join(f'value = "{s}"\n' for s in given.values()))
    refs = ["refs/notes/commits:refs/heads/notes"]
else:
    raise SystemExit(f"no place {place!r}")
print(json.dumps({"refs": refs, "commits": git("rev-list", "--all", "--not", "--remotes").split()}))
