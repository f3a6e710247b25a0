"""Every key of a bottle: what is accepted becomes a typed value, what is not is refused with its place
(spec: manifest §5–7, 11; rulings 4, 25, 32, 48, 49, 59, 62)."""

from __future__ import annotations

import os

import pytest

from bot_bottle.egress.config import (
    Dlp,
    HeaderMatch,
    HeaderMatchType,
    InboundDetector,
    Inject,
    Match,
    Meter,
    MeterFormat,
    OnTaint,
    OutboundDetector,
    OutboundOnMatch,
    Passthrough,
    PathMatch,
    PathType,
    ProviderSchema,
    Route,
    Scheme,
    UpstreamProxy,
)
from bot_bottle.gitgate.config import Lfs, RepoPolicy, UrlScheme
from bot_bottle.manifest.load import from_mapping, load
from bot_bottle.manifest.schema import (
    AuthKind,
    Bottle,
    Budget,
    BudgetScope,
    DeployKey,
    EnvEntry,
    Forge,
    GitUser,
    HostDirectory,
    HostVariable,
    Literal,
    Package,
    Period,
    Prompt,
    Resources,
    Shutdown,
    StaticKey,
    TokenKey,
    Upstream,
    Workspace,
    WorkspaceMode,
)

KEY = "key: {provider: static, path: /k}"


def test_an_empty_bottle_is_the_default(files):
    """Template claude, no routes, log 0, supervise on; nothing else is set."""
    files.bottle("dev", "")
    bottle = files.effective("dev")
    assert bottle == Bottle()
    assert (bottle.agent_provider.template, bottle.supervise, bottle.egress.log) == ("claude", True, 0)
    assert bottle.workspace is None and bottle.resources.explicit == frozenset()


# -- env
@pytest.mark.parametrize(
    ("written", "source", "secret"),
    [
        ("plain", Literal("plain"), False),
        ('""', Literal(""), False),
        ('"a\\nb"', Literal("a\nb"), False),
        ('"1"', Literal("1"), False),
        ("'?What is it'", Prompt("What is it"), True),
        ("'? What is it '", Prompt("What is it"), True),
        ("'?'", Prompt(""), True),
        ("${HOST_VAR}", HostVariable("HOST_VAR"), True),
        ("x${HOST_VAR}", Literal("x${HOST_VAR}"), False),
        ("${HOST_VAR}x", Literal("${HOST_VAR}x"), False),
        ("${HOST VAR}", Literal("${HOST VAR}"), False),
        ("'${1X}'", Literal("${1X}"), False),
        ("'${A}\n\n'", Literal("${A}\n"), False),
    ],
)
def test_kinds_of_env_entries(files, written, source, secret):
    """A leading ``?`` asks, a whole ``${NAME}`` is read from the host, anything else is literal."""
    files.bottle("dev", f"env:\n  NAME: {written}")
    entry = files.effective("dev").env["NAME"]
    assert entry == EnvEntry("NAME", source)
    assert entry.secret is secret


def test_env_entries_with_an_empty_name_are_skipped(files):
    files.bottle("dev", "env: {'': x, A: y}")
    assert list(files.effective("dev").env) == ["A"]


def test_a_secret_entry_may_say_where_it_may_go(files):
    """Hosts are canonical, as in a route."""
    files.bottle("dev", "env: {A: {value: '${T}', allow_to: [API.Example.com., '*.example.org']}}")
    entry = files.effective("dev").env["A"]
    assert entry == EnvEntry("A", HostVariable("T"), ("api.example.com", "*.example.org"))
    assert entry.written == "${T}"


# -- agent_provider
@pytest.mark.parametrize(
    ("keys", "field", "value"),
    [
        ("template: codex", "template", "codex"),
        ("template: somebody-elses", "template", "somebody-elses"),
        ("auth_token: MY_TOKEN", "auth_token", "MY_TOKEN"),
        ("{template: codex, auth_token: MY_TOKEN}", "auth_token", "MY_TOKEN"),
        ("{template: pi, auth_token: MY_TOKEN}", "auth_token", "MY_TOKEN"),
        ("{template: own, auth_token: MY_TOKEN}", "auth_token", "MY_TOKEN"),
        ("{template: command, auth_token: ''}", "auth_token", ""),
        ("{auth_token: T, auth_kind: oauth}", "auth_kind", AuthKind.OAUTH),
        ("{auth_token: T, auth_kind: api_key}", "auth_kind", AuthKind.API_KEY),
        ("{template: codex, forward_host_credentials: true}", "forward_host_credentials", True),
        ("forward_host_credentials: false", "forward_host_credentials", False),
        ("dockerfile: ''", "dockerfile", ""),
        ("dockerfile: /images/Dockerfile", "dockerfile", "/images/Dockerfile"),
        ("settings: {startup_args: [--remote-control]}", "settings", {"startup_args": ("--remote-control",)}),
        ("{template: command, settings: {argv: [python3, -V]}}", "settings", {"argv": ("python3", "-V")}),
        ("{template: own, settings: {a: [1, {b: null}]}}", "settings", {"a": [1, {"b": None}]}),
        (
            "{template: pi, settings: {provider: ollama, base_url: 'http://x:1/v1', api: a, api_key: k, "
            "models: ['qwen3:14b'], context_window: 8, max_tokens: 9, max_tokens_field: max_tokens, "
            "supports_developer_role: true, supports_reasoning_effort: false, startup_args: [--no-stream]}}",
            "settings",
            {
                "provider": "ollama", "base_url": "http://x:1/v1", "api": "a", "api_key": "k",
                "models": ("qwen3:14b",), "context_window": 8, "max_tokens": 9,
                "max_tokens_field": "max_tokens", "supports_developer_role": True,
                "supports_reasoning_effort": False, "startup_args": ("--no-stream",),
            },
        ),
        ("{template: pi, settings: {api_key_env: K, max_tokens_field: max_completion_tokens}}", "settings",
         {"api_key_env": "K", "max_tokens_field": "max_completion_tokens"}),
    ],
)  # fmt: skip
def test_agent_provider(files, keys, field, value):
    keys = keys if keys.startswith("{") else f"{{{keys}}}"
    files.bottle("dev", f"agent_provider: {keys}")
    assert getattr(files.effective("dev").agent_provider, field) == value


def test_a_dockerfile_is_relative_to_the_file_that_names_it(files):
    """Not to the current directory, which may be a hostile project (ruling 49); ``~`` is the home."""
    files.bottle("base", "agent_provider: {dockerfile: ../images/Dockerfile}")
    files.bottle("dev", "extends: base")
    assert files.effective("dev").agent_provider.dockerfile == f"{files.home}/.bot-bottle/images/Dockerfile"
    files.bottle("base", "agent_provider: {dockerfile: ~/Dockerfile}")
    assert files.effective("base").agent_provider.dockerfile == f"{files.home}/Dockerfile"


# -- git-gate
@pytest.mark.parametrize(
    ("keys", "user"),
    [("{}", GitUser()), ("{name: A B}", GitUser("A B")), ("{email: a@example.com}", GitUser("", "a@example.com")),
     ("{name: '', email: e}", GitUser("", "e"))],
)  # fmt: skip
def test_git_identity_without_repositories(files, keys, user):
    files.bottle("dev", f"git-gate: {{user: {keys}}}")
    assert files.effective("dev").git_user == user


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("ssh://git@h.example/team/a.git", (UrlScheme.SSH, "h.example", "team/a.git", "git", None, False)),
        ("ssh://code.example.com:2222/a", (UrlScheme.SSH, "code.example.com", "a", "", 2222, False)),
        ("ssh://git@[2001:db8::1]:22/a", (UrlScheme.SSH, "[2001:db8::1]", "a", "git", 22, False)),
        ("ssh://git@[2001:db8::1]/a", (UrlScheme.SSH, "[2001:db8::1]", "a", "git", None, False)),
        ("git@Code.Example.com:team/a.git", (UrlScheme.SSH, "code.example.com", "team/a.git", "git", None, True)),
        ("code.example.com:a", (UrlScheme.SSH, "code.example.com", "a", "", None, True)),
        ("git@code.example.com:/srv/a", (UrlScheme.SSH, "code.example.com", "/srv/a", "git", None, True)),
    ],
)  # fmt: skip
def test_urls_of_repositories_are_split(files, url, parts):
    files.bottle("dev", f'git-gate: {{repos: {{a: {{url: "{url}", {KEY}}}}}}}')
    scheme, host, path, user, port, scp = parts
    upstream = files.effective("dev").repos["a"].upstream
    assert upstream == Upstream(url, scheme, host, path, user, port, scp)


def test_an_https_repository_takes_a_token(files):
    files.bottle(
        "dev",
        "git-gate: {repos: {a: {url: 'https://h.example:8443/t/a.git', key: {provider: token, token_ref: T}}}}",
    )
    repo = files.effective("dev").repos["a"]
    assert repo.upstream == Upstream(
        "https://h.example:8443/t/a.git", UrlScheme.HTTPS, "h.example", "t/a.git", "", 8443
    )
    assert repo.key == TokenKey("T")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("{provider: static, path: ~/.ssh/id_x}", lambda home: StaticKey(f"{home}/.ssh/id_x")),
        ("{provider: static, path: /keys/no-such-file}", lambda home: StaticKey("/keys/no-such-file")),
        *(
            (f"{{provider: {forge.value}, token_ref: T}}", lambda home, f=forge: DeployKey(f, "T", "https://h.example"))
            for forge in Forge
        ),
        ("{provider: gitea, token_ref: T, api_url: 'https://api.example:3000/x'}",
         lambda home: DeployKey(Forge.GITEA, "T", "https://api.example:3000/x")),
    ],
)  # fmt: skip
def test_keys_of_repositories(files, key, value):
    """A static key's file is not looked for here; a forge's API is at the upstream's host by default."""
    files.bottle("dev", f"git-gate: {{repos: {{a: {{url: 'ssh://git@h.example:2222/a', key: {key}}}}}}}")
    assert files.effective("dev").repos["a"].key == value(files.home)


def test_the_other_fields_of_a_repository(files):
    files.bottle(
        "dev",
        f"""
        git-gate:
          repos:
            a:
              url: git@h.example:a
              {KEY}
              host_key: h.example ssh-ed25519 AAAA
              alias: work
              allow_refs: [refs/heads/bot/*]
              deny_refs: [refs/heads/main]
              allow_force: true
              allow_delete: true
              deny_paths: [.github/workflows/**]
              ask_paths: [/Makefile]
              max_pack: 1GiB
              stale_ok: true
              lfs: pointers
            b: {{url: 'git@h.example:b', {KEY}}}
        """,
    )
    a, b = files.effective("dev").repos.values()
    assert (a.host_key, a.alias) == ("h.example ssh-ed25519 AAAA", "work")
    assert a.policy == RepoPolicy(
        allow_refs=("refs/heads/bot/*",),
        deny_refs=("refs/heads/main",),
        allow_force=True,
        allow_delete=True,
        deny_paths=(".github/workflows/**",),
        ask_paths=("/Makefile",),
        max_pack_bytes=2**30,
        stale_ok=True,
        lfs=Lfs.POINTERS,
    )
    assert b.policy == RepoPolicy(
        allow_refs=("refs/heads/*", "refs/tags/*"),
        deny_refs=(),
        allow_force=False,
        allow_delete=False,
        deny_paths=(),
        ask_paths=None,
        max_pack_bytes=256 * 2**20,
        stale_ok=False,
        lfs=Lfs.REFUSE,
    )


def test_ask_paths_is_merged_as_its_siblings_and_empty_is_not_unwritten(files):
    """A child's list replaces the parent's; `[]` asks about nothing, which is not the default."""
    files.bottle(
        "base", f"git-gate: {{repos: {{a: {{url: 'git@h.example:a', {KEY}, ask_paths: [Makefile]}}}}}}"
    )
    files.bottle("same", "extends: base\ngit-gate: {repos: {a: {stale_ok: true}}}")
    files.bottle("none", "extends: base\ngit-gate: {repos: {a: {ask_paths: []}}}")
    ask = {name: files.effective(name).repos["a"].policy.ask_paths for name in ("base", "same", "none")}
    assert ask == {"base": ("Makefile",), "same": ("Makefile",), "none": ()}


# -- egress
@pytest.mark.parametrize("log", [0, 1, 2])
def test_log_levels(files, log):
    files.bottle("dev", f"egress: {{log: {log}}}")
    assert files.effective("dev").egress.log == log


def test_every_key_of_a_route(files):
    """The route is the type that the proxy obeys (``egress.config``)."""
    files.bottle(
        "dev",
        """
        egress:
          routes:
            - host: API.example.com
              ports: [443, 8443]
              auth: {scheme: raw, token_ref: T, header: x-api-key}
              matches:
                - paths: [{value: /v1}, {type: exact, value: /x}, {type: regex, value: '/y[0-9]+'}]
                  methods: [GET, POST]
                  headers: [{name: x-a, value: b}, {name: x-c, value: 'd+', type: regex}]
              git: {fetch: true}
              headers: [x-request-id]
              allow_private: true
              dlp:
                outbound_detectors: [token_patterns, known_secrets, entropy]
                inbound_detectors: [naive_injection_detection]
                outbound_on_match: redact
              meter: {provider: own, format: openai-chat}
            - host: b.example.com
              auth: {scheme: Bearer, token_ref: T}
              dlp: {outbound_detectors: false, inbound_detectors: false}
            - host: c.example.com
              auth: [{scheme: token, token_ref: T}, {scheme: Basic, token_ref: U, header: x-b}]
            - {host: d.example.com, auth: {scheme: passthrough}}
            - {host: '*.e.example.com'}
        """,
    )
    a, b, c, d, e = files.effective("dev").egress.routes
    assert a == Route(
        host="api.example.com",
        ports=(443, 8443),
        auth=(Inject(Scheme.RAW, "T", "x-api-key"),),
        matches=(
            Match(
                (PathMatch("/v1"), PathMatch("/x", PathType.EXACT), PathMatch("/y[0-9]+", PathType.REGEX)),
                ("GET", "POST"),
                (HeaderMatch("x-a", "b"), HeaderMatch("x-c", "d+", HeaderMatchType.REGEX)),
            ),
        ),
        git_fetch=True,
        headers=("x-request-id",),
        allow_private=True,
        dlp=Dlp(
            (OutboundDetector.TOKEN_PATTERNS, OutboundDetector.KNOWN_SECRETS, OutboundDetector.ENTROPY),
            (InboundDetector.NAIVE_INJECTION_DETECTION,),
            OutboundOnMatch.REDACT,
        ),
        meter=Meter("own", MeterFormat.OPENAI_CHAT),
    )
    assert (b.auth, b.dlp) == ((Inject(Scheme.BEARER, "T"),), Dlp((), ()))
    assert c.auth == (Inject(Scheme.TOKEN, "T"), Inject(Scheme.BASIC, "U", "x-b"))
    assert d.auth == Passthrough()
    assert (e.host, e.auth, e.matches, e.git_fetch, e.dlp) == ("*.e.example.com", (), (), False, Dlp())


def test_presets_may_stand_without_a_host(files):
    files.bottle("dev", "egress: {routes: [{preset: pypi}, {preset: npm, access: [read]}]}")
    assert [(r.host, r.preset) for r in files.effective("dev").egress.routes] == [("", "pypi"), ("", "npm")]


def test_the_other_keys_of_egress(files):
    files.bottle(
        "dev",
        """
        egress:
          extra_ca: ../ca.pem
          upstream_proxy: {url: 'http://proxy.example:3128', token_ref: P, resolve: remote}
          on_taint: tighten
          provider_features: [web_search]
          provider_schema: log
        """,
    )
    egress = files.effective("dev").egress
    assert egress.extra_ca == f"{files.home}/.bot-bottle/ca.pem"
    assert egress.upstream_proxy == UpstreamProxy("http://proxy.example:3128", "P", resolve_remote=True)
    assert (egress.on_taint, egress.provider_schema) == (OnTaint.TIGHTEN, ProviderSchema.LOG)
    assert egress.provider_features == ("web_search",)


# -- the rest
@pytest.mark.parametrize(
    ("keys", "field", "value"),
    [
        ("supervise: false", "supervise", False),
        ("shutdown: freeze", "shutdown", Shutdown.FREEZE),
        ("workspace: {}", "workspace", Workspace()),
        ("workspace: {mode: none}", "workspace", Workspace(WorkspaceMode.NONE)),
        ("workspace: {mode: mount, path: /src/x, exclude: ['*.log'], protect: [.git/**]}", "workspace",
         Workspace(WorkspaceMode.MOUNT, "/src/x", ("*.log",), (".git/**",))),
        ("resources: {cpus: 0.5, memory: 512MiB, pids: 64, disk: 1TiB}", "resources",
         Resources(0.5, 2**29, 64, 2**40)),
        ("resources: {memory: 64KiB}", "resources", Resources(memory_bytes=2**16)),
        ("tools: [/opt/tool, ripgrep, '@scope/tool']", "tools",
         (HostDirectory("/opt/tool"), Package("ripgrep"), Package("@scope/tool"))),
        ("budget: {claude: 5, own: {tokens: 7, per: day, warn_at: [0.5, 1], hard: true}}", "budgets",
         (BudgetScope("dev", {"claude": Budget(5), "own": Budget(7, Period.DAY, (0.5, 1.0), True)}),)),
    ],
)  # fmt: skip
def test_keys_beyond(files, keys, field, value):
    files.bottle("dev", keys)
    assert getattr(files.effective("dev"), field) == value


def test_explicit_resources_are_named_as_the_sandbox_names_them(files):
    files.bottle("dev", "resources: {cpus: 1, disk: 1GiB}")
    assert files.effective("dev").resources.explicit == {"cpus", "disk_bytes"}


def test_home_paths_of_workspace_and_tools(files):
    files.bottle("dev", "{workspace: {path: ~/src/./x/}, tools: [~/go/bin]}")
    bottle = files.effective("dev")
    assert bottle.workspace.path == f"{files.home}/src/x"
    assert bottle.tools == (HostDirectory(f"{files.home}/go/bin"),)


REFUSED = [
    # top level
    ("rout: 1", "rout", ("unknown key 'rout'", "agent_provider, budget, egress, env, extends, git-gate")),
    ("runtime: docker", "runtime", ("runtime is gone", "backend")),
    ("supervise: 'yes'", "supervise", ("true or false", "a string")),
    ("supervise:", "supervise", ("true or false", "nothing")),
    ("shutdown: stop", "shutdown", ("cutoff, freeze, kill", "'stop'")),
    ("shutdown: 1", "shutdown", ("a number",)),
    # env
    ("env: [A]", "env", ("mapping", "a list")),
    ("env: {A: 1}", "env.A", ("must be a string", "a number", "quotes")),
    ("env: {A: true}", "env.A", ("must be a string", "a boolean")),
    ("env: {A: [x]}", "env.A", ("must be a string", "a list")),
    ('env: {A: "x\\0"}', "env.A", ("NUL",)),
    ("env: {'A=B': x}", "env.A=B", ("'A=B'",)),
    ("env: {A B: x}", "env.A B", ("white space",)),
    ("env: {A: {allow_to: [h.example]}}", "env.A.value", ("is missing",)),
    ("env: {A: {value: x, allow_to: [h.example]}}", "env.A.allow_to", ("for secrets",)),
    ("env: {A: {value: '?x', allow_to: h.example}}", "env.A.allow_to", ("list of hosts",)),
    ("env: {A: {value: '?x', allow_to: ['a b']}}", "env.A.allow_to[0]", ("not a host name",)),
    ("env: {A: {value: '?x', to: []}}", "env.A.to", ("unknown key 'to'", "allow_to, value")),
    # agent_provider
    ("agent_provider: claude", "agent_provider", ("mapping", "a string")),
    ("agent_provider: {templat: x}", "agent_provider.templat", ("unknown key", "template")),
    ("agent_provider: {template: ''}", "agent_provider.template", ("must not be empty",)),
    ("agent_provider: {template: 3}", "agent_provider.template", ("must be a string",)),
    ("agent_provider: {dockerfile: 3}", "agent_provider.dockerfile", ("must be a string",)),
    ("agent_provider: {auth_token: 'sk-ant secret'}", "agent_provider.auth_token", ("name of a host variable",)),
    ("agent_provider: {template: command, auth_token: T}", "agent_provider.auth_token",
     ("claude, codex, pi", "'command'")),
    ("agent_provider: {template: command, auth_kind: oauth}", "agent_provider.auth_kind", ("claude, codex, pi",)),
    ("agent_provider: {auth_kind: basic}", "agent_provider.auth_kind", ("oauth, api_key",)),
    *((f"agent_provider: {{template: {t}, forward_host_credentials: true}}",
       "agent_provider.forward_host_credentials", ("codex", repr(t))) for t in ("claude", "pi", "command")),
    ("agent_provider: {forward_host_credentials: 1}", "agent_provider.forward_host_credentials", ("true or false",)),
    ("agent_provider: {settings: []}", "agent_provider.settings", ("mapping",)),
    ("agent_provider: {template: own, settings: []}", "agent_provider.settings", ("mapping",)),
    ("agent_provider: {settings: {startup_args: -x}}", "agent_provider.settings.startup_args", ("array of strings",)),
    ("agent_provider: {settings: {startup_args: [a, 1]}}", "agent_provider.settings.startup_args[1]",
     ("must be a string",)),
    ("agent_provider: {settings: {startup_args: [a, '']}}", "agent_provider.settings.startup_args[1]", ("empty",)),
    *((f"agent_provider: {{template: {t}, settings: {{model: x}}}}", "agent_provider.settings.model",
       ("'model'", f"{t!r}", "accepted are startup_args")) for t in ("claude", "codex")),
    ("agent_provider: {template: command, settings: {startup_args: [x]}}", "agent_provider.settings.startup_args",
     ("accepted are argv",)),
    ("agent_provider: {template: command, settings: {argv: []}}", "agent_provider.settings.argv", ("empty",)),
    ("agent_provider: {template: pi, settings: {x: 1}}", "agent_provider.settings.x",
     ("api, api_key, api_key_env, base_url, context_window, max_tokens, max_tokens_field, models, provider, "
      "startup_args, supports_developer_role, supports_reasoning_effort",)),
    ("agent_provider: {template: pi, settings: {api_key: a, api_key_env: B}}", "agent_provider.settings.api_key_env",
     ("api_key", "keep one")),
    *((f"agent_provider: {{template: pi, settings: {{{key}: {value}}}}}", f"agent_provider.settings.{key}", says)
      for key, value, says in (
          ("provider", "''", ("empty",)), ("base_url", "1", ("string",)), ("api", "[]", ("string",)),
          ("api_key", "''", ("empty",)), ("api_key_env", "a-b", ("host variable",)),
          ("models", "x", ("array of strings",)), ("context_window", "0", ("between 1",)),
          ("context_window", "true", ("whole number", "a boolean")), ("max_tokens", "1.5", ("whole number",)),
          ("max_tokens_field", "tokens", ("max_tokens, max_completion_tokens",)),
          ("supports_developer_role", "1", ("true or false",)),
          ("supports_reasoning_effort", "x", ("true or false",)))),
    # git-gate
    ("git-gate: []", "git-gate", ("mapping",)),
    ("git-gate: {users: {}}", "git-gate.users", ("unknown key", "repos, user")),
    ("git-gate: {user: {nick: x}}", "git-gate.user.nick", ("email, name",)),
    ("git-gate: {user: {name: 1}}", "git-gate.user.name", ("must be a string",)),
    ('git-gate: {user: {name: "a\\n[core]"}}', "git-gate.user.name", ("control characters",)),
    ("git-gate: {repos: []}", "git-gate.repos", ("mapping",)),
    ("git-gate: {repos: {a: x}}", "git-gate.repos.a", ("mapping",)),
    *((f"git-gate: {{repos: {{'{name}': {{url: 'git@h:a', {KEY}}}}}}}", f"git-gate.repos.{name}", ("letters",))
      for name in ("../a", "a/b", "-a", "a.git", "a..b", "a b")),
    (f"git-gate: {{repos: {{a: {{{KEY}}}}}}}", "git-gate.repos.a.url", ("is missing",)),
    ("git-gate: {repos: {a: {url: 'git@h:a'}}}", "git-gate.repos.a.key", ("is missing",)),
    ("git-gate: {repos: {a: {url: 'git@h:a', identity: /k}}}", "git-gate.repos.a.identity",
     ("identity is gone", "provider: static")),
    ("git-gate: {repos: {a: {uri: x}}}", "git-gate.repos.a.uri", ("'uri'", "allow_delete", "url")),
    *((f'git-gate: {{repos: {{a: {{url: "{url}", {KEY}}}}}}}', "git-gate.repos.a.url", says) for url, says in (
        ("git@h:a\\n[core]", ("control characters",)), ("git@h:a\\r", ("control characters",)), ("", ("empty",)),
        ("/srv/a", ("ssh://",)), ("./a:b", ("ssh://",)), ("file:///a", ("ssh://",)), ("git://h/a", ("ssh://",)),
        ("http://h/a", ("ssh://",)), ("ext::sh -c x", ("plain path",)),
        ("ext::sh", ("plain path",)), ("ssh://h", ("path",)),
        ("ssh://-oProxyCommand=x/a", ("host name",)), ("ssh://-x@h/a", ("user",)), ("ssh://@h/a", ("user",)),
        ("ssh://u:p@h/a", ("user",)), ("ssh://h:0/a", ("port",)), ("ssh://h:65536/a", ("port",)),
        ("ssh://h:x/a", ("port",)), ("ssh://h:/a", ("port",)), ("ssh://[::1/a", ("ssh://",)),
        ("ssh://[::1]x/a", ("ssh://",)), ("ssh://[::1]:/a", ("ssh://",)),
        ("ssh://h/../a", ("..",)), ("ssh://h/-a", ("plain path",)),
        ("ssh://h/a b", ("plain path",)), ("ssh://h/a$(x)", ("plain path",)), ("h:", ("plain path",)),
        ("ssh://h..x/a", ("host name",)), ("git@-h:a", ("host name",)), ("@h:a", ("user",)),
        (f"ssh://h/{'a' * 2100}", ("2048",)))),
    ("git-gate: {repos: {a: {url: 'https://u:p@h/a', key: {provider: token, token_ref: T}}}}", "git-gate.repos.a.url",
     ("must not hold a credential",)),
    (f"git-gate: {{repos: {{a: {{url: 'https://h/a', {KEY}}}}}}}", "git-gate.repos.a.key",
     ("'static' does not fit a https url", "token")),
    ("git-gate: {repos: {a: {url: 'ssh://h/a', key: {provider: token, token_ref: T}}}}", "git-gate.repos.a.key",
     ("'token' does not fit a ssh url",)),
    *((f"git-gate: {{repos: {{a: {{url: 'git@h:a', key: {key}}}}}}}", f"git-gate.repos.a.key{at}", says)
      for key, at, says in (
          ("/k", "", ("mapping",)), ("{path: /k}", ".provider", ("is missing",)),
          ("{provider: vault}", ".provider", ("static, gitea", "'vault'")),
          ("{provider: static}", ".path", ("is missing",)), ("{provider: gitea}", ".token_ref", ("is missing",)),
          ("{provider: static, path: /k, token_ref: T}", ".token_ref", ("path, provider",)),
          ("{provider: gitea, token_ref: T, path: /k}", ".path", ("api_url, provider, token_ref",)),
          ("{provider: gitea, token_ref: 'a b'}", ".token_ref", ("host variable",)),
          ("{provider: gitea, token_ref: T, api_url: 'http://h'}", ".api_url", ("https://",)),
          ("{provider: token, token_ref: T, api_url: 'https://h'}", ".api_url", ("provider, token_ref",)),
          ("{provider: static, paht: /k}", ".paht", ("unknown key",)))),
    *((f"git-gate: {{repos: {{a: {{url: 'git@h:a', {KEY}, {field}: {value}}}}}}}",
       f"git-gate.repos.a.{field}{at}", says)
      for field, value, at, says in (
          ("host_key", '"a\\nb"', "", ("control characters",)), ("host_key", "1", "", ("string",)),
          ("alias", '"a\\nb"', "", ("control characters",)), ("alias", "-o", "", ("host alias",)),
          ("allow_refs", "x", "", ("array of strings",)), ("deny_refs", "['']", "[0]", ("empty",)),
          ("deny_paths", "[1]", "[0]", ("string",)), ("ask_paths", "x", "", ("array of strings",)),
          ("ask_paths", "['a', '!b']", "[1]", ("'!b'", "leave the '!' out")),
          ("deny_paths", "[/]", "[0]", ("names no file",)),
          ("allow_force", "1", "", ("true or false",)),
          ("allow_delete", "x", "", ("true or false",)), ("stale_ok", "x", "", ("true or false",)),
          ("max_pack", "256", "", ("size", "4GiB")), ("max_pack", "0MiB", "", ("size",)),
          ("max_pack", "1.5GiB", "", ("size",)), ("max_pack", "[]", "", ("a list",)),
          ("lfs", "yes", "", ("refuse, pointers",)))),
    # egress
    ("egress: []", "egress", ("mapping",)),
    ("egress: {route: []}", "egress.route", ("unknown key", "routes")),
    *((f"egress: {{log: {log}}}", "egress.log", says) for log, says in (
        ("3", ("between 0 and 2",)), ("-1", ("between 0 and 2",)), ("true", ("a boolean",)), ("'1'", ("a string",)))),
    ("egress: {extra_ca: ''}", "egress.extra_ca", ("empty",)),
    ("egress: {extra_ca: 1}", "egress.extra_ca", ("string",)),
    ("egress: {on_taint: x}", "egress.on_taint", ("note",)),
    ("egress: {provider_schema: x}", "egress.provider_schema", ("enforce",)),
    ("egress: {provider_features: x}", "egress.provider_features", ("list",)),
    ("egress: {upstream_proxy: {url: x}}", "egress.upstream_proxy.url", ("http://HOST:PORT",)),
    ("egress: {upstream_proxy: {url: 'http://p:1', token_env: T}}", "egress.upstream_proxy.token_env", ("token_ref",)),
    ("egress: {upstream_proxy: {url: 'http://p:1', resolve: x}}", "egress.upstream_proxy.resolve", ("local",)),
    ("egress: {routes: {}}", "egress.routes", ("list of routes", "a mapping")),
    ("egress: {routes: [x]}", "egress.routes[0]", ("mapping",)),
    ("egress: {routes: [{}]}", "egress.routes[0]", ("host",)),
    ("egress: {routes: [{host: ''}]}", "egress.routes[0].host", ()),
    ("egress: {routes: [{host: 3}]}", "egress.routes[0].host", ()),
    ("egress: {routes: [{host: a.example}, {host: 'b c'}]}", "egress.routes[1].host", ("not a host name",)),
    ("egress: {routes: [{host: a.example}, {host: A.example.}]}", "egress.routes[1].host",
     ("'a.example'", "dev.md:2: egress.routes[0]", "keep one")),
    ("egress: {routes: [{preset: npm}, {preset: npm}]}", "egress.routes[1].host", ("npm",)),
    *((f"egress: {{routes: [{{host: a.example, {keys}}}]}}", f"egress.routes[0].{at}", ("'a.example'", *says))
      for keys, at, says in (
          ("role: x", "role", ("reserved for future use",)), ("http2: true", "http2", ("does not exist yet",)),
          ("hosts: x", "hosts", ("hosts", "matches")), ("provider: claude", "provider", ()),
          ("auth: T", "auth", ()), ("auth: {}", "auth", ("scheme",)),
          ("auth: {scheme: Bearer}", "auth", ("token_ref",)),
          ("auth: {token_ref: T}", "auth", ("scheme",)), ("auth: {scheme: bearer, token_ref: T}", "auth.scheme", ()),
          ("auth: {scheme: Bearer, token_env: T}", "auth.token_env", ("token_ref",)),
          ("auth: {scheme: Bearer, token_ref: 'a b'}", "auth.token_ref", ()),
          ("auth_scheme: Bearer", "auth_scheme", ()), ("matches: {}", "matches", ()),
          ("matches: [{path: x}]", "matches[0].path", ("headers", "methods", "paths")),
          ("matches: [{paths: [{value: /, kind: x}]}]", "matches[0].paths[0].kind", ("type", "value")),
          ("matches: [{paths: [{type: glob, value: /}]}]", "matches[0].paths[0].type", ("prefix",)),
          ("matches: [{paths: [{type: regex, value: '('}]}]", "matches[0].paths[0].value", ()),
          ("matches: [{methods: [FETCH]}]", "matches[0].methods[0]", ("GET", "TRACE", "CONNECT")),
          ("matches: [{headers: [{name: a}]}]", "matches[0].headers[0]", ("value",)),
          ("matches: [{headers: [{name: a, value: '(', type: regex}]}]", "matches[0].headers[0].value", ()),
          ("matches: [{headers: [{name: a, value: b, x: c}]}]", "matches[0].headers[0].x", ()),
          ("git: {push: true}", "git.push", ("fetch",)), ("git: {fetch: 1}", "git.fetch", ()),
          ("dlp: {detectors: []}", "dlp.detectors", ("outbound_detectors", "inbound_detectors")),
          ("dlp: {outbound_detectors: true}", "dlp.outbound_detectors", ()),
          ("dlp: {outbound_detectors: [x]}", "dlp.outbound_detectors[0]", ("token_patterns", "entropy")),
          ("dlp: {inbound_detectors: [x]}", "dlp.inbound_detectors[0]", ("naive_injection_detection",)),
          ("dlp: {outbound_on_match: warn}", "dlp.outbound_on_match", ("block", "redact", "supervise")),
          ("dlp: {inbound_on_match: redact}", "dlp.inbound_on_match", ("block", "warn", "off")),
          ("ports: [0]", "ports[0]", ()), ("allow_private: 1", "allow_private", ()), ("headers: x", "headers", ()),
          ("meter: {provider: x}", "meter", ("format",)), ("access: [read]", "access", ("preset",)))),
    ("egress: {routes: [{host: '*.a.example', auth: {scheme: Bearer, token_ref: T}}]}", "egress.routes[0].host",
     ("wildcard",)),
    # the rest
    ("budget: 5", "budget", ("mapping",)),
    ("budget: {Claude: 5}", "budget.Claude", ("provider key",)),
    ("budget: {claude: 0}", "budget.claude", ("between 1",)),
    ("budget: {claude: true}", "budget.claude", ("number of tokens", "a boolean")),
    ("budget: {claude: {per: day}}", "budget.claude.tokens", ("is missing",)),
    ("budget: {claude: {tokens: 1, per: year}}", "budget.claude.per", ("hour, day, week, month",)),
    ("budget: {claude: {tokens: 1, warn_at: 0.5}}", "budget.claude.warn_at", ("fractions",)),
    ("budget: {claude: {tokens: 1, warn_at: [1.5]}}", "budget.claude.warn_at[0]", ("at most 1",)),
    ("budget: {claude: {tokens: 1, warn_at: [.nan]}}", "budget.claude.warn_at[0]", ("above 0",)),
    ("budget: {claude: {tokens: 1, hard: 1}}", "budget.claude.hard", ("true or false",)),
    ("budget: {claude: {tokens: 1, each: day}}", "budget.claude.each", ("hard, per, tokens, warn_at",)),
    ("workspace: copy", "workspace", ("mapping",)),
    ("workspace: {mode: link}", "workspace.mode", ("copy, mount, none",)),
    ("workspace: {path: src}", "workspace.path", ("absolute",)),
    ("workspace: {path: /}", "workspace.path", ("home directory or /",)),
    ("workspace: {path: //}", "workspace.path", ("home directory or /",)),
    ("workspace: {path: ~/}", "workspace.path", ("home directory or /",)),
    ("workspace: {path: ~/x/..}", "workspace.path", ("home directory or /",)),
    ("workspace: {exclude: x}", "workspace.exclude", ("array",)),
    ("workspace: {protect: [1]}", "workspace.protect[0]", ("string",)),
    ("workspace: {include: []}", "workspace.include", ("exclude, mode, path, protect",)),
    ("resources: []", "resources", ("mapping",)),
    ("resources: {ram: 1GiB}", "resources.ram", ("cpus, disk, memory, pids",)),
    ("resources: {cpus: 0}", "resources.cpus", ("above 0",)),
    ("resources: {cpus: .inf}", "resources.cpus", ("above 0",)),
    ("resources: {cpus: true}", "resources.cpus", ("a boolean",)),
    ("resources: {memory: 4}", "resources.memory", ("size", "4GiB")),
    ("resources: {memory: 4GB}", "resources.memory", ("'4GB'",)),
    ("resources: {pids: 0}", "resources.pids", ("between 1",)),
    ("resources: {disk: none}", "resources.disk", ("size",)),
    ("tools: x", "tools", ("list",)),
    ("tools: ['a b']", "tools[0]", ("'a b'",)),
    ("tools: [./bin]", "tools[0]", ("absolute",)),
    ("tools: [a/../b]", "tools[0]", ("absolute",)),
    ("tools: ['~other/bin']", "tools[0]", ("absolute",)),
    # extends, the shape
    ("extends: 3", "extends", ("string or list of strings", "a number")),
    ("extends: {}", "extends", ("string or list of strings", "a mapping")),
    ("extends: []", "extends", ("must not be empty",)),
    ("extends: ''", "extends", ("must not be empty",)),
    ("extends: ['']", "extends[0]", ("must not be empty",)),
    ("extends: [dev2, 3]", "extends[1]", ("extends[1] must be a string", "a number")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "path", "says"), REFUSED, ids=[f"{i}-{row[1]}" for i, row in enumerate(REFUSED)]
)
def test_what_is_refused_names_file_line_key_path_and_the_fix(files, check, keys, path, says):
    """Also when the bottle is only a parent of the one selected."""
    file = files.bottle("dev", keys)
    check(files.refusal("dev"), file, 2, path, *says)
    files.bottle("child", "extends: dev")
    if not keys.startswith("extends"):
        check(files.refusal("child"), file, 2, path, *says)


def test_lines_are_those_of_the_file(files, check):
    file = files.bottle("dev", "# comment\nenv:\n  A: x\n  B: 3\n")
    check(files.refusal("dev"), file, 5, "env.B", "string")


def test_a_mistake_in_what_a_child_replaces_is_an_error_all_the_same(files, check):
    file = files.bottle("base", "supervise: maybe")
    files.bottle("dev", "extends: base\nsupervise: true")
    check(files.refusal("dev"), file, 2, "supervise", "true or false")


def test_a_programs_mapping_has_the_same_rules():
    """Paths that are relative to nothing stay as they are."""
    index = from_mapping(
        {
            "bottles": {
                "dev": {
                    "agent_provider": {"dockerfile": "x/Dockerfile"},
                    "tools": ("~/bin",),
                    "workspace": {"path": "~/src"},
                }
            }
        }
    )
    bottle = load(index, None, ("dev",)).bottle
    assert bottle.agent_provider.dockerfile == "x/Dockerfile"
    assert (bottle.tools, bottle.workspace.path) == ((HostDirectory("~/bin"),), os.path.join("~", "src"))
