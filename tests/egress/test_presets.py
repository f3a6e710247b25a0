"""Invariant: a preset opens what its clients need to read or to infer with, and nothing that stores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.codec import decode_route, dump_policy, load_policy
from bot_bottle.egress.config import ConfigError, Dialect, Policy, Route
from bot_bottle.egress.decide import decide
from bot_bottle.egress.match import CompiledPolicy, compile_policy
from bot_bottle.egress.presets.expand import expand, preset_of
from bot_bottle.egress.presets.forges import FORGES
from bot_bottle.egress.presets.models import MODELS
from bot_bottle.egress.presets.names import PRESETS, Kind
from bot_bottle.egress.presets.parts import Host
from bot_bottle.egress.presets.registries import REGISTRIES
from bot_bottle.egress.request import RequestHead, RequestIdentity, Tunnel, build_identity
from bot_bottle.egress.verdict import Allow

REPOS = ("owner/name", "some-body/a.b")
OWN = "own.example"


def hosts(preset: str, word: str | None = None) -> list[str]:
    """The public hosts of a preset, in its order."""
    rules = preset_of(Route("", preset=preset, repos=REPOS), {})
    return [host.host for host in rules.access[word or PRESETS[preset].access[0]]]


def compiled(**route: object) -> CompiledPolicy:
    return compile_policy(Policy(expand([decode_route(route, Dialect.MANIFEST)])))


def passes(policy: CompiledPolicy, host: str, method: str, target: str, *fields: tuple[bytes, bytes]) -> bool:
    head = RequestHead(method.encode(), target.encode(), b"HTTP/1.1", ((b"Host", host.encode()), *fields))
    identity = build_identity(head, tunnel=Tunnel(host, 443, tls=True))
    return isinstance(identity, RequestIdentity) and isinstance(decide(policy, identity), Allow)


OPEN = [
    ("pypi", 0, "GET", "/simple/"),
    ("pypi", 0, "GET", "/simple/requests/"),
    ("pypi", 0, "HEAD", "/simple/requests/"),
    ("pypi", 0, "GET", "/pypi/requests/json"),
    ("pypi", 0, "GET", "/pypi/requests/2.31.0/json"),
    ("pypi", 0, "GET", "/integrity/x/1.0/x-1.0.tar.gz/provenance"),
    ("pypi", 1, "GET", "/packages/ab/cd/ef/requests-2.31.0-py3-none-any.whl"),
    ("pypi", 1, "GET", "/packages/ab/cd/ef/requests-2.31.0-py3-none-any.whl.metadata"),
    ("npm", 0, "GET", "/lodash"),
    ("npm", 0, "GET", "/@types/node"),
    ("npm", 0, "GET", "/@types%2fnode"),
    ("npm", 0, "GET", "/@types%2Fnode"),
    ("npm", 0, "GET", "/lodash/latest"),
    ("npm", 0, "GET", "/lodash/-/lodash-4.17.21.tgz"),
    ("npm", 0, "GET", "/@types/node/-/node-20.1.0.tgz"),
    ("npm", 0, "GET", "/JSONStream"),
    ("npm", 0, "GET", "/token"),
    ("npm", 0, "GET", "/-/npm/v1/keys"),
    ("crates", 0, "GET", "/config.json"),
    ("crates", 0, "GET", "/1/a"),
    ("crates", 0, "GET", "/3/l/log"),
    ("crates", 0, "GET", "/se/rd/serde_json"),
    ("crates", 1, "GET", "/crates/serde/serde-1.0.0.crate"),
    ("crates", 1, "GET", "/crates/serde/1.0.0/download"),
    ("crates", 2, "GET", "/api/v1/crates/serde/1.0.0/download"),
    ("crates", 2, "GET", "/api/v1/crates/serde"),
    ("debian", 0, "GET", "/debian/dists/bookworm/InRelease"),
    ("debian", 0, "GET", "/debian/pool/main/h/hello/hello_2.10-3_amd64.deb"),
    ("debian", 1, "GET", "/debian-security/dists/bookworm-security/InRelease"),
    ("go", 0, "GET", "/golang.org/x/text/@v/list"),
    ("go", 0, "GET", "/golang.org/x/text/@v/v0.3.2.info"),
    ("go", 0, "GET", "/golang.org/x/text/@v/v0.3.2.mod"),
    ("go", 0, "GET", "/github.com/!burnt!sushi/toml/@v/v1.0.0+incompatible.zip"),
    ("go", 0, "GET", "/golang.org/x/text/@latest"),
    ("go", 0, "GET", "/cached-only/golang.org/x/text/@v/list"),
    ("go", 0, "GET", "/sumdb/sum.golang.org/supported"),
    ("go", 1, "GET", "/lookup/golang.org/x/text@v0.3.2"),
    ("go", 1, "GET", "/tile/8/1/x001/234.p/5"),
    ("go", 1, "GET", "/tile/8/data/000"),
    ("go", 1, "GET", "/latest"),
    ("anthropic", 0, "POST", "/v1/messages"),
    ("anthropic", 0, "POST", "/v1/messages/count_tokens"),
    ("openai", 0, "POST", "/v1/responses"),
    ("openai", 0, "POST", "/v1/chat/completions"),
    ("gemini", 0, "POST", "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"),
    ("gemini", 0, "POST", "/v1beta/openai/chat/completions"),
    ("mistral", 0, "POST", "/v1/chat/completions"),
    ("openrouter", 0, "POST", "/api/v1/chat/completions"),
    ("deepseek", 0, "POST", "/chat/completions"),
    ("groq", 0, "POST", "/openai/v1/chat/completions"),
    ("xai", 0, "POST", "/v1/chat/completions"),
    ("github", 0, "GET", "/owner/name/info/refs?service=git-upload-pack"),
    ("github", 0, "GET", "/owner/name.git/info/refs?service=git-upload-pack"),
    ("github", 0, "POST", "/owner/name.git/git-upload-pack"),
    ("github", 0, "GET", "/some-body/a.b/releases/download/v1/x.tar.gz"),
    ("github", 0, "GET", "/owner/name/archive/refs/tags/v1.tar.gz"),
    ("github", 1, "GET", "/repos/owner/name"),
    ("github", 1, "GET", "/repos/owner/name/contents/x?ref=main"),
    ("github", 1, "GET", "/rate_limit"),
    ("github", 2, "GET", "/owner/name/tar.gz/refs/tags/v1"),
    ("github", 3, "GET", "/owner/name/main/README.md"),
    ("github", 4, "GET", "/github-production-release-asset/1/2?sp=r&sig=abc&jwt=x"),
    ("gitlab", 0, "GET", "/owner/name.git/info/refs?service=git-upload-pack"),
    ("gitlab", 0, "GET", "/owner/name/-/archive/v1/name-v1.tar.gz"),
]

CLOSED = [
    # publishing
    ("pypi", 0, "POST", "/legacy/"),
    ("pypi", 0, "POST", "/simple/x/"),
    ("pypi", 1, "PUT", "/packages/x"),
    ("npm", 0, "PUT", "/lodash"),
    ("npm", 0, "PUT", "/@scope%2fname"),
    ("npm", 0, "DELETE", "/lodash/-/lodash-1.0.0.tgz/-rev/1"),
    ("crates", 2, "PUT", "/api/v1/crates/new"),
    ("crates", 2, "DELETE", "/api/v1/crates/serde/1.0.0/yank"),
    # accounts, tokens, owners
    ("pypi", 0, "GET", "/account/login/"),
    ("pypi", 0, "POST", "/_/oidc/mint-token"),
    ("npm", 0, "PUT", "/-/user/org.couchdb.user:name"),
    ("npm", 0, "POST", "/-/v1/login"),
    ("npm", 0, "GET", "/-/whoami"),
    ("npm", 0, "GET", "/-/npm/v1/tokens"),
    ("npm", 0, "POST", "/-/npm/v1/tokens"),
    ("npm", 0, "GET", "/-/npm/v1/user"),
    ("npm", 0, "PUT", "/-/package/lodash/dist-tags/x"),
    ("npm", 0, "PUT", "/-/team/o/t/package"),
    ("crates", 2, "GET", "/api/v1/me"),
    ("crates", 2, "PUT", "/api/v1/crates/serde/owners"),
    # search, and what takes data
    ("pypi", 0, "GET", "/search/?q=x"),
    ("pypi", 0, "POST", "/pypi"),
    ("npm", 0, "GET", "/-/v1/search?text=x"),
    ("npm", 0, "POST", "/-/npm/v1/security/advisories/bulk"),
    ("npm", 0, "POST", "/-/npm/v1/security/audits/quick"),
    ("npm", 0, "POST", "/-/npm/v1/security/audits"),
    ("npm", 0, "GET", "/-/all"),
    ("npm", 0, "GET", "/-/ping"),
    ("crates", 2, "GET", "/api/v1/crates?q=x"),
    ("crates", 2, "GET", "/api/v1/summary"),
    ("debian", 0, "POST", "/debian/pool/x"),
    ("debian", 0, "GET", "/other"),
    ("go", 0, "GET", "/"),
    ("go", 0, "POST", "/golang.org/x/text/@v/list"),
    ("go", 0, "GET", "/golang.org/x/text"),
    ("go", 0, "GET", "/sumdb/other.example/supported"),
    ("go", 1, "POST", "/lookup/golang.org/x/text@v0.3.2"),
    # identity on the way to what is open
    ("pypi", 0, "GET", "/simple/x/?token=abc"),
    ("npm", 0, "GET", "/lodash?api_key=x"),
    ("npm", 0, "GET", "/lodash;access_token=x"),
    # models
    ("anthropic", 0, "POST", "/v1/files"),
    ("anthropic", 0, "POST", "/v1/messages/batches"),
    ("anthropic", 0, "GET", "/v1/organizations/me"),
    ("anthropic", 0, "GET", "/v1/messages"),
    ("openai", 0, "POST", "/v1/files"),
    ("openai", 0, "GET", "/v1/responses/resp_1"),
    ("openai", 0, "POST", "/v1/batches"),
    ("openai", 0, "POST", "/v1/fine_tuning/jobs"),
    ("openai", 0, "POST", "/v1/chat/completions?key=x"),
    ("gemini", 0, "POST", "/upload/v1beta/files"),
    ("gemini", 0, "POST", "/v1beta/cachedContents"),
    ("gemini", 0, "POST", "/v1beta/models/gemini-2.5-pro:generateContent?key=x"),
    ("gemini", 0, "POST", "/v1beta/models/a:generateContent/../../tunedModels"),
    ("openrouter", 0, "POST", "/api/v1/keys"),
    # forges: pushing, other repositories, other services
    ("github", 0, "GET", "/owner/name.git/info/refs?service=git-receive-pack"),
    ("github", 0, "POST", "/owner/name.git/git-receive-pack"),
    ("github", 0, "GET", "/other/name.git/info/refs?service=git-upload-pack"),
    ("github", 0, "GET", "/owner/name2/info/refs?service=git-upload-pack"),
    ("github", 0, "POST", "/owner/name.git/info/lfs/objects/batch"),
    ("github", 0, "POST", "/owner/name/issues"),
    ("github", 0, "GET", "/login"),
    ("github", 1, "POST", "/gists"),
    ("github", 1, "POST", "/graphql"),
    ("github", 1, "GET", "/repos/other/name"),
    ("github", 1, "POST", "/repos/owner/name/forks"),
    ("github", 1, "POST", "/repos/owner/name/issues"),
    ("github", 1, "POST", "/repos/owner/name/pulls"),
    ("github", 1, "GET", "/repos/owner/name/../../other/name"),
    ("github", 1, "GET", "/user/repos"),
    ("github", 2, "GET", "/other/name/tar.gz/main"),
    ("github", 4, "PUT", "/github-production-release-asset/1/2?sig=abc"),
    ("github", 4, "GET", "/other/1"),
    ("gitlab", 0, "POST", "/api/graphql"),
    ("gitlab", 0, "POST", "/api/v4/snippets"),
    ("gitlab", 0, "GET", "/other/name.git/info/refs?service=git-upload-pack"),
]


@pytest.fixture(scope="module")
def policies() -> dict[str, CompiledPolicy]:
    """Each public preset as one writes it."""
    forge = {"repos": list(REPOS)}
    return {
        name: compiled(preset=name, **(forge if traits.kind is Kind.FORGE else {}))
        for name, traits in PRESETS.items()
        if traits.public
    }


@pytest.mark.parametrize(("preset", "host", "method", "target"), OPEN)
def test_what_is_open(
    policies: dict[str, CompiledPolicy], preset: str, host: int, method: str, target: str
) -> None:
    """What the documented clients ask."""
    assert passes(policies[preset], hosts(preset)[host], method, target)


@pytest.mark.parametrize(("preset", "host", "method", "target"), CLOSED)
def test_what_is_closed(
    policies: dict[str, CompiledPolicy], preset: str, host: int, method: str, target: str
) -> None:
    """What would store something under an account, or tell a service something; and the same on no other host."""
    assert not passes(policies[preset], hosts(preset)[host], method, target)


def test_writing_is_a_word_of_its_own() -> None:
    """``issues`` and ``pulls`` open what they are called, in the named repositories, without opening more."""
    policy = compiled(preset="github", repos=["owner/name"], access=["read", "issues", "pulls"])
    api = hosts("github")[1]
    root = "/repos/owner/name"
    opened = [
        ("POST", f"{root}/issues"),
        ("PATCH", f"{root}/issues/5"),
        ("POST", f"{root}/issues/5/comments"),
        ("PATCH", f"{root}/issues/comments/7"),
        ("POST", f"{root}/issues/5/labels"),
        ("POST", f"{root}/pulls"),
        ("PATCH", f"{root}/pulls/5"),
        ("POST", f"{root}/pulls/5/comments"),
        ("POST", f"{root}/pulls/5/reviews"),
        ("GET", f"{root}/issues"),
    ]
    closed = [
        ("POST", "/repos/other/name/issues"),
        ("PUT", f"{root}/pulls/5/merge"),
        ("POST", f"{root}/releases"),
        ("POST", f"{root}/forks"),
        ("PUT", f"{root}/contents/x"),
        ("POST", f"{root}/git/refs"),
        ("POST", f"{root}/actions/workflows/1/dispatches"),
        ("POST", f"{root}/keys"),
        ("POST", f"{root}/hooks"),
        ("DELETE", f"{root}/issues/comments/7"),
        ("POST", "/gists"),
        ("POST", "/graphql"),
    ]
    assert [case for case in opened if not passes(policy, api, *case)] == []
    assert [case for case in closed if passes(policy, api, *case)] == []


def test_words_by_themselves() -> None:
    """``pulls`` without ``issues`` comments on requests but opens no issue; without ``read`` nothing is read."""
    policy = compiled(preset="gitea", host=OWN, repos=["o/r"], access="pulls")
    assert passes(policy, OWN, "POST", "/api/v1/repos/o/r/pulls")
    assert passes(policy, OWN, "POST", "/api/v1/repos/o/r/issues/5/comments")
    assert not passes(policy, OWN, "POST", "/api/v1/repos/o/r/issues")
    assert not passes(policy, OWN, "GET", "/api/v1/repos/o/r")
    assert passes(compiled(preset="gitea", host=OWN, repos=["o/r"]), OWN, "GET", "/api/v1/repos/o/r")


def test_gitlab_by_number() -> None:
    """Its API names projects by a path with encoded slashes, which no request may have, or by number."""
    policy = compiled(preset="gitlab", host=OWN, repos=["g/s/p", "4711"], access=["read", "issues", "pulls"])
    assert passes(policy, OWN, "GET", "/g/s/p.git/info/refs?service=git-upload-pack")
    assert passes(policy, OWN, "GET", "/api/v4/projects/4711/repository/tree")
    assert passes(policy, OWN, "POST", "/api/v4/projects/4711/issues")
    assert passes(policy, OWN, "POST", "/api/v4/projects/4711/merge_requests/3/notes")
    assert not passes(policy, OWN, "GET", "/api/v4/projects/g%2Fs%2Fp")
    assert not passes(policy, OWN, "GET", "/api/v4/projects/4712")
    assert not passes(policy, OWN, "POST", "/api/v4/projects/4711/fork")
    paths_only = compiled(preset="gitlab", host=OWN, repos=["g/p"], access=["read", "issues"])
    assert not passes(paths_only, OWN, "POST", "/api/v4/projects/1/issues")


def test_cached_modules_only() -> None:
    """``access: cached``: the mirror fetches nothing from the host that a name names."""
    policy, host = compiled(preset="go", access="cached"), hosts("go")[0]
    assert passes(policy, host, "GET", "/cached-only/golang.org/x/text/@v/list")
    assert not passes(policy, host, "GET", "/evil.example/data/@v/list")
    assert not passes(policy, hosts("go")[1], "GET", "/lookup/evil.example/data@v1.0.0")


def test_a_host_of_ones_own() -> None:
    """A mirror or gateway: all that the preset opens, on that host alone, with a credential if one is named."""
    auth = {"scheme": "Bearer", "token_ref": "T"}
    (route,) = expand([decode_route({"preset": "pypi", "host": OWN, "auth": auth}, Dialect.MANIFEST)])
    policy = compile_policy(Policy((route,)))
    assert len(route.auth) == 1 if isinstance(route.auth, tuple) else False
    assert passes(policy, OWN, "GET", "/simple/x/")
    assert passes(policy, OWN, "GET", "/packages/x.whl")
    assert not passes(policy, OWN, "POST", "/legacy/")
    assert not passes(policy, hosts("pypi")[0], "GET", "/simple/x/")
    enterprise = compiled(preset="github", host=OWN, repos=["o/r"], auth=auth)
    assert passes(enterprise, OWN, "GET", "/api/v3/repos/o/r")
    assert not passes(enterprise, OWN, "GET", "/repos/o/r")


def test_one_of_its_hosts() -> None:
    """Named with the preset, only that one is opened, with its own rules."""
    index, files = hosts("pypi")
    (route,) = expand([decode_route({"preset": "pypi", "host": index}, Dialect.MANIFEST)])
    assert route.host == index
    assert not passes(compile_policy(Policy((route,))), index, "GET", "/packages/x.whl")
    assert files != index


def test_the_credential_stands_with_one_host() -> None:
    """``auth`` of a forge or registry goes to the host that knows accounts and nowhere else (ruling 3)."""
    auth = {"scheme": "Bearer", "token_ref": "T"}
    for preset in ("github", "npm", "anthropic"):
        extra = {"repos": ["o/r"]} if preset == "github" else {}
        made = expand([decode_route({"preset": preset, "auth": auth, **extra}, Dialect.MANIFEST)])
        assert [route.host for route in made if route.auth] == [hosts(preset)[1 if preset == "github" else 0]]


def test_what_stands_beside_a_preset_is_kept() -> None:
    """``dlp`` and ``headers`` for all hosts; headers add to the preset's own."""
    raw = {"preset": "crates", "dlp": {"outbound_on_match": "block"}, "headers": ["X-Mine"]}
    made = expand([decode_route(raw, Dialect.MANIFEST)])
    assert len(made) == 3
    assert all(route.dlp.outbound_on_match for route in made)
    assert made[0].headers == ("cargo-protocol", "X-Mine")
    assert made[1].headers == ("X-Mine",)


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ({"preset": "pipy"}, ("preset",), "must be one of anthropic, crates, debian"),
        ({"preset": "npm", "access": "write"}, ("access",), "must be of read, not 'write'"),
        ({"preset": "go", "access": ["read", "all"]}, ("access",), "must be of read, cached"),
        ({"preset": "github", "access": []}, ("access",), "must not be empty"),
        ({"preset": "npm", "repos": ["o/r"]}, ("repos",), "has no repositories"),
        ({"host": "a.example", "repos": ["o/r"]}, ("repos",), "belongs to a preset"),
        ({"preset": "github", "repos": ["o"]}, ("repos", 0), "as owner/name"),
        ({"preset": "github", "repos": ["o/r/s"]}, ("repos", 0), "as owner/name"),
        ({"preset": "github", "repos": ["o/r.git"]}, ("repos", 0), "as owner/name"),
        ({"preset": "github", "repos": ["../r"]}, ("repos", 0), "as owner/name"),
        ({"preset": "github", "repos": ["o/r*"]}, ("repos", 0), "as owner/name"),
        ({"preset": "github", "repos": ["o/r", "o/r"]}, ("repos", 1), "stands twice"),
        ({"preset": "github", "repos": "o/r"}, ("repos",), "must be a list"),
        ({"preset": "gitea", "repos": ["o/r"]}, ("host",), "name yours"),
        ({"preset": "npm", "host": "*.a.example"}, ("host",), "exact host"),
        ({"preset": "npm", "matches": [{"methods": ["PUT"]}]}, ("matches",), "it has its own"),
        ({"preset": "npm", "git": {"fetch": True}}, ("git",), "remove it"),
        ({"preset": "npm", "ports": [8443]}, ("ports",), "of your own"),
        ({"preset": "npm", "allow_private": True}, ("allow_private",), "of your own"),
        ({"preset": "npm", "meter": {"provider": "x", "format": "gemini"}}, ("meter",), "remove it"),
        ({"preset": "pypi", "auth": {"scheme": "Bearer", "token_ref": "T"}}, ("auth",), "take none"),
    ],
)
def test_what_can_not_be_said(raw: dict[str, object], path: tuple[object, ...], words: str) -> None:
    """Each error names its key, what is wrong and what to do."""
    with pytest.raises(ConfigError) as caught:
        decode_route(raw, Dialect.MANIFEST)
    assert caught.value.path == path
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("raws", "path", "words"),
    [
        ([{"preset": "npm"}, {"preset": "npm"}], (1, "preset"), "the preset 'npm' (routes[0])"),
        (
            [{"host": "github.com"}, {"preset": "github", "repos": ["o/r"]}],
            (1, "preset"),
            "routes[0] opens too",
        ),
        (
            [{"host": "a.example"}, {"preset": "github"}],
            (1, "repos"),
            "no repository: name them under 'repos'",
        ),
    ],
)
def test_what_does_not_go_together(
    raws: list[dict[str, object]], path: tuple[object, ...], words: str
) -> None:
    """Seen when presets are written out."""
    with pytest.raises(ConfigError) as caught:
        expand([decode_route(raw, Dialect.MANIFEST) for raw in raws])
    assert caught.value.path == path
    assert words in caught.value.message


def test_repositories_of_the_git_gate() -> None:
    """What a forge's preset opens where it names none; of its own host only."""
    gate = {"github.com": ("o/r",), OWN: ("x/y",)}
    route = decode_route({"preset": "github"}, Dialect.MANIFEST)
    policy = compile_policy(Policy(expand([route], gate)))
    assert passes(policy, "github.com", "GET", "/o/r.git/info/refs?service=git-upload-pack")
    assert not passes(policy, "github.com", "GET", "/x/y.git/info/refs?service=git-upload-pack")
    own = decode_route({"preset": "gitea", "host": OWN}, Dialect.MANIFEST)
    assert passes(compile_policy(Policy(expand([own], gate))), OWN, "GET", "/api/v1/repos/x/y")


def all_hosts() -> Iterator[tuple[str, str, Host]]:
    rules = {**REGISTRIES, **MODELS} | {name: make("", REPOS) for name, make in FORGES.items()}
    for name, preset in rules.items():
        for word, listed in preset.access.items():
            for host in listed:
                yield name, word, host


def test_the_data_is_sound() -> None:
    """Every name has rules and every rule a name; each host has methods, paths and a page to look them up."""
    assert {name for name, _, _ in all_hosts()} == PRESETS.keys()
    assert REGISTRIES.keys() | MODELS.keys() | FORGES.keys() == PRESETS.keys()
    for name, word, host in all_hosts():
        assert host.matches, name
        assert all(match.paths and match.methods for match in host.matches), name
        assert all(page.startswith("https://") for page in host.pages) and host.pages, name
        methods = {method for match in host.matches for method in match.methods}
        if word in ("read", "cached"):
            assert methods <= {"GET", "HEAD", *(["POST"] if host.git_fetch else [])}, name
            assert host.headers is not None or methods <= {"GET", "HEAD"}, name
        else:
            assert methods <= {"POST", "PATCH", "PUT"}, name
    for name, traits in PRESETS.items():
        words = {word for preset, word, _ in all_hosts() if preset == name}
        assert words <= set(traits.access), name
        signs = any(host.credential for preset, _, host in all_hosts() if preset == name)
        assert signs is (traits.credential or not traits.public), name


@given(st.data())
def test_property_what_is_expanded_is_a_routes_file(manifest_routes, data: st.DataObject) -> None:  # type: ignore[no-untyped-def]
    """Any valid route with a preset becomes routes without one, which the routes file holds unchanged."""
    route = data.draw(manifest_routes)
    made = expand([route], dict.fromkeys(("github.com", "gitlab.com", route.host), ("o/r",)))
    assert all(one.preset is None and not one.access and not one.repos for one in made)
    policy = Policy(made)
    assert load_policy(dump_policy(policy)) == policy
    assert compile_policy(policy).routes.keys() == {one.host for one in made}
