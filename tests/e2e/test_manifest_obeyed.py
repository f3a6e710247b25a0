"""Every key that is enforced is seen to be obeyed: by the upstream, or from inside (threat O3)."""

from __future__ import annotations

import json
import os

import pytest

from bot_bottle.testing.upstream import FakeUpstream


def bottle(keys: str) -> str:
    return f"---\nagent_provider: {{template: command}}\n{keys}\n---\n"


def run(person, script: str, *flags: str, env=None, cwd=None):
    done = person.run("run", "--bottle", "b", *flags, "--", "sh", "-c", script, env=env, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def api(person):
    """Plays api.example.com; its CA lies beside the bottle's file."""
    with FakeUpstream() as upstream:
        person.write(".bot-bottle/bottles/ca.pem", upstream.ca_pem)
        yield upstream


def way(api: FakeUpstream, name: str = "api.example.com", port: int = 443) -> list[str]:
    return ["--connect-to", f"{name}:{port}:127.0.0.1:{api.port}"]


def test_routes(person, api) -> None:
    """host, ports, matches, auth with its own header, headers; extra_ca relative to the bottle's file."""
    person.write(
        ".bot-bottle/bottles/b.md",
        bottle(
            "egress:\n"
            "  extra_ca: ca.pem\n"
            "  routes:\n"
            "    - host: api.example.com\n"
            "      ports: [443, 8443]\n"
            "      auth: [{scheme: raw, header: X-Api-Key, token_ref: KEY_ONE}, {scheme: Basic, token_ref: KEY_TWO}]\n"
            "      headers: [x-wanted]\n"
            "      matches: [{paths: [{value: /v1}], methods: [GET]}]\n"
        ),
    )
    script = (
        "for u in https://api.example.com/v1/a https://api.example.com:8443/v1/b https://api.example.com/v2; do "
        "curl -sS -o /dev/null -w '%{http_code} ' -H 'X-Wanted: w' -H 'X-Unwanted: u' -H 'X-Api-Key: mine' $u; done; "
        "curl -sS -o /dev/null -w '%{http_code} ' -X POST -d x https://api.example.com/v1/a"
    )
    keys = {"KEY_ONE": "first-key", "KEY_TWO": "user:word"}
    done = run(person, script, *way(api), *way(api, port=8443), env=keys)
    assert done.stdout.split() == ["200", "200", "403", "403"]
    assert [request.target for request in api.requests] == ["/v1/a", "/v1/b"]
    for request in api.requests:
        assert request.all("x-api-key") == ["first-key"]
        assert request.all("authorization") == ["Basic dXNlcjp3b3Jk"]
        assert request.all("x-wanted") == ["w"]
        assert request.all("x-unwanted") == []


@pytest.mark.parametrize(("allowed", "status"), [(True, "200"), (False, "403")])
def test_allow_private(person, allowed: bool, status: str) -> None:
    """A name of loopback's is reached only by a route that says so, with explicit ports."""
    with FakeUpstream(tls=False) as upstream:
        private = "allow_private: true, " if allowed else ""
        person.write(
            ".bot-bottle/bottles/b.md",
            bottle(f"egress: {{routes: [{{host: localhost, {private}ports: [{upstream.port}]}}]}}"),
        )
        script = f"curl -s --noproxy '' -o /dev/null -w '%{{http_code}}' http://localhost:{upstream.port}/x"
        assert run(person, script).stdout == status
        assert [request.target for request in upstream.requests] == (["/x"] if allowed else [])


def test_the_operators_own_machine(person) -> None:
    """host.bot-bottle.internal, on the port that the route names and no other (ruling 8)."""
    with FakeUpstream(tls=False) as upstream, FakeUpstream(tls=False) as other:
        person.write(
            ".bot-bottle/bottles/b.md",
            bottle(f"egress: {{routes: [{{host: host.bot-bottle.internal, ports: [{upstream.port}]}}]}}"),
        )
        script = "; ".join(
            f"curl -s -o /dev/null http://host.bot-bottle.internal:{each.port}/x"
            for each in (upstream, other)
        )
        run(person, script + "; true")
        assert [request.target for request in upstream.requests] == ["/x"]
        assert other.raw == b""


def test_env(person) -> None:
    """Literals and host variables arrive; the latter are said to be visible; nothing else of the host does."""
    person.write(".bot-bottle/bottles/b.md", bottle("env: {PLAIN: word, TAKEN: '${OF_THE_HOST}'}"))
    done = run(person, "env", env={"OF_THE_HOST": "taken-value", "OTHER": "stays-outside"})
    inside = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert (inside["PLAIN"], inside["TAKEN"]) == ("word", "taken-value")
    assert "stays-outside" not in done.stdout
    assert "TAKEN is visible to the agent" in done.stderr
    missing = person.run("run", "--bottle", "b", "--", "true")
    assert missing.returncode == 125
    assert "OF_THE_HOST" in missing.stderr


def test_a_prompted_secret_needs_somebody_to_ask(person) -> None:
    """Without a terminal it is an error that names the entry, never an empty value."""
    person.write(".bot-bottle/bottles/b.md", bottle("env: {TYPED: '?the pass phrase'}"))
    done = person.run("run", "--bottle", "b", "--", "env")
    if os.path.exists("/dev/tty") and done.returncode == 0:
        pytest.fail("it was asked from a terminal that the test does not have")
    assert done.returncode == 125
    assert "the pass phrase" in done.stderr


def test_workspace_and_tools(person) -> None:
    """The directory named in the bottle is copied without what is excluded; a tool is seen, read-only."""
    person.write("code/kept.txt", "kept")
    person.write("code/big/left.txt", "left")
    tool = person.write("tool/hello", "#!/bin/sh\necho hello of the tool\n")
    tool.chmod(0o755)
    if person.uid == 0:
        person.home.chmod(0o711)  # a bottle of root's runs as another uid
    person.write(
        ".bot-bottle/bottles/b.md",
        bottle(
            f"workspace: {{mode: copy, path: {person.home}/code, exclude: ['big/**']}}\ntools: [{person.home}/tool]"
        ),
    )
    script = f"pwd; find . -type f; {tool}; echo x >> {tool} || echo read-only"
    done = run(person, script)
    assert done.stdout.splitlines() == [
        "/home/node/workspace",
        "./kept.txt",
        "hello of the tool",
        "read-only",
    ]


def test_extends_gives_and_takes(person, api) -> None:
    """A parent's route is the child's too; two bottles compose."""
    person.write(
        ".bot-bottle/bottles/base.md", bottle("egress: {extra_ca: ca.pem, routes: [{host: api.example.com}]}")
    )
    person.write(".bot-bottle/bottles/b.md", "---\nextends: base\nenv: {WHO: child}\n---\n")
    done = run(person, "curl -sS https://api.example.com/x; echo $WHO", *way(api))
    assert done.stdout == "hellochild\n"
    person.write(".bot-bottle/bottles/b.md", bottle("env: {WHO: alone}"))
    done = run(
        person, "curl -sS -o /dev/null -w '%{http_code}' https://api.example.com/x; echo $WHO", *way(api)
    )
    assert done.stdout == "403alone\n"
    assert len(api.requests) == 1


def test_an_unenforced_key_keeps_the_bottle_from_starting(person) -> None:
    """With file and line, and nothing is made."""
    person.write(".bot-bottle/bottles/b.md", bottle("env: {A: b}\nshutdown: kill"))
    done = person.run("run", "--json", "--bottle", "b", "--", "true")
    assert done.returncode == json.loads(done.stdout)["status"] == 125
    assert "b.md:4: shutdown" in done.stderr
    assert person.states() == []


def test_roots_of_bottle_and_routes_file_both_count(person, api) -> None:
    """Each is relative to the file that names it, wherever the command is given; neither replaces the other."""
    with FakeUpstream() as other:
        person.write("elsewhere/other.pem", other.ca_pem)
        routes = person.write(
            "elsewhere/routes.yaml", "extra_ca: other.pem\nroutes: [{host: other.example.com}]\n"
        )
        person.write(
            ".bot-bottle/bottles/b.md",
            bottle("egress: {extra_ca: ca.pem, routes: [{host: api.example.com}]}"),
        )
        script = "curl -sS https://api.example.com/one; curl -sS https://other.example.com/two"
        run(person, script, "--routes", str(routes), *way(api), *way(other, "other.example.com"))
        assert [request.target for request in api.requests] == ["/one"]
        assert [request.target for request in other.requests] == ["/two"]
