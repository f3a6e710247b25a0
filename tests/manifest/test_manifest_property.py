"""What is written loads to an equal value; and no text whatever raises anything but ``ManifestError``."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot_bottle.base import yamltext
from bot_bottle.base.text import printable
from bot_bottle.egress.config import (
    Dlp,
    Inject,
    Match,
    Meter,
    MeterFormat,
    OnTaint,
    OutboundDetector,
    OutboundOnMatch,
    Passthrough,
    PathMatch,
    ProviderSchema,
    Route,
    Scheme,
    UpstreamProxy,
)
from bot_bottle.gitgate.config import Lfs, RepoPolicy, UrlScheme
from bot_bottle.gitgate.names import glob_problem
from bot_bottle.manifest import keys, load, source
from bot_bottle.manifest.decode_agent import decode_agent
from bot_bottle.manifest.decode_bottle import check_bottle_file
from bot_bottle.manifest.emit import EFFECTIVE, agent_data, bottle_data, front_matter, mapping_of, size
from bot_bottle.manifest.paths import Paths
from bot_bottle.manifest.schema import (
    Agent,
    AgentSource,
    AuthKind,
    Bottle,
    Budget,
    BudgetScope,
    DeployKey,
    EgressConfig,
    EnvEntry,
    Forge,
    GitUser,
    HostDirectory,
    HostVariable,
    Literal,
    Origin,
    Package,
    Period,
    Prompt,
    ProviderConfig,
    Repo,
    Resources,
    Shutdown,
    StaticKey,
    TokenKey,
    Upstream,
    Workspace,
    WorkspaceMode,
)
from bot_bottle.manifest.settings import decode_settings
from bot_bottle.manifest.tree import ManifestError, from_data

# -- values
text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
line = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1, max_size=12
)
variables = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)
names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
hosts = st.from_regex(r"[a-z][a-z0-9]{0,6}\.example", fullmatch=True)
globs = st.lists(line, max_size=2).map(tuple)
path_globs = st.lists(line.filter(lambda glob: glob_problem(glob) is None), max_size=2).map(tuple)
sizes = st.builds(
    lambda n, unit: n * unit, st.integers(1, 9999), st.sampled_from([2**10, 2**20, 2**30, 2**40])
)

sources = st.one_of(
    text.filter(lambda s: not s.startswith("?") and not s.startswith("${")).map(Literal),
    line.map(str.strip).map(Prompt),
    variables.map(HostVariable),
)


@st.composite
def envs(draw):
    out = {}
    for name in draw(st.lists(variables, max_size=3, unique=True)):
        where = draw(sources)
        allowed = () if isinstance(where, Literal) else tuple(draw(st.lists(hosts, max_size=2)))
        out[name] = EnvEntry(name, where, allowed)
    return out


plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), text, st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(text, inner, max_size=2)),
    max_leaves=4,
)
providers = st.one_of(
    st.builds(
        ProviderConfig,
        template=st.just("claude"),
        dockerfile=st.sampled_from(["", "/images/Dockerfile"]),
        auth_token=st.one_of(st.just(""), variables),
        auth_kind=st.sampled_from([None, *AuthKind]),
        settings=st.sampled_from([{}, {"startup_args": ()}, {"startup_args": ("-x", "y z")}]),
    ),
    st.builds(ProviderConfig, template=st.just("codex"), forward_host_credentials=st.booleans()),
    st.builds(ProviderConfig, template=st.just("command"), settings=st.just({"argv": ("true",)})),
    st.builds(
        ProviderConfig,
        template=st.just("pi"),
        settings=st.fixed_dictionaries(
            {}, optional={"models": st.just(("a:1",)), "max_tokens": st.integers(1, 9)}
        ),
    ),
    st.builds(ProviderConfig, template=st.just("own"), settings=st.dictionaries(text, plain, max_size=2)),
)


@st.composite
def repos(draw):
    out = {}
    for name in draw(st.lists(names, max_size=2, unique=True)):
        host = draw(hosts)
        if draw(st.booleans()):
            upstream = Upstream(f"https://{host}/t/a.git", UrlScheme.HTTPS, host, "t/a.git")
            key = TokenKey(draw(variables))
        else:
            upstream = Upstream(f"git@{host}:a.git", UrlScheme.SSH, host, "a.git", "git", None, scp=True)
            key = draw(
                st.one_of(
                    st.just(StaticKey("/keys/id")),
                    st.builds(DeployKey, st.sampled_from(Forge), variables, st.just(f"https://{host}/api")),
                )
            )
        out[name] = Repo(
            name,
            upstream,
            key,
            host_key=draw(st.sampled_from(["", "h ssh-ed25519 AAAA"])),
            alias=draw(st.sampled_from(["", "work"])),
            policy=RepoPolicy(
                allow_refs=draw(globs),
                deny_refs=draw(globs),
                allow_force=draw(st.booleans()),
                allow_delete=draw(st.booleans()),
                deny_paths=draw(path_globs),
                ask_paths=draw(st.none() | path_globs),
                max_pack_bytes=draw(sizes),
                stale_ok=draw(st.booleans()),
                lfs=draw(st.sampled_from(Lfs)),
            ),
        )
    return out


routes = st.builds(
    Route,
    host=hosts,
    ports=st.sampled_from([(), (443,), (80, 8443)]),
    auth=st.one_of(
        st.just(()),
        st.just(Passthrough()),
        st.builds(lambda scheme, token: (Inject(scheme, token),), st.sampled_from(Scheme), variables),
    ),
    matches=st.sampled_from([(), (Match((PathMatch("/v1"),), ("GET",)),)]),
    git_fetch=st.booleans(),
    dlp=st.sampled_from([Dlp(), Dlp((), ()), Dlp((OutboundDetector.ENTROPY,), None, OutboundOnMatch.BLOCK)]),
    headers=st.sampled_from([(), ("x-request-id",)]),
    allow_private=st.booleans(),
    meter=st.sampled_from([None, Meter("own", MeterFormat.GEMINI)]),
)
policies = st.builds(
    EgressConfig,
    log=st.sampled_from([0, 1, 2]),
    routes=st.lists(routes, max_size=3, unique_by=lambda route: route.host).map(tuple),
    extra_ca=st.sampled_from([None, "/ca.pem"]),
    upstream_proxy=st.sampled_from([None, UpstreamProxy("http://p.example:3128", "T", resolve_remote=True)]),
    on_taint=st.sampled_from([None, *OnTaint]),
    provider_features=st.sampled_from([(), ("web_search",)]),
    provider_schema=st.sampled_from([None, *ProviderSchema]),
)
users = st.builds(GitUser, st.one_of(st.just(""), line), st.one_of(st.just(""), line))
budgets = st.dictionaries(
    names,
    st.builds(
        Budget,
        st.integers(1, 10**9),
        st.sampled_from([None, *Period]),
        st.sampled_from([(), (0.5, 1.0)]),
        st.booleans(),
    ),
    min_size=1,
    max_size=2,
)
workspaces = st.builds(
    Workspace,
    st.sampled_from(WorkspaceMode),
    st.sampled_from([None, "/src/x", "/"[:0] + "/srv"]),
    globs,
    globs,
)
bottles = st.builds(
    Bottle,
    env=envs(),
    agent_provider=providers,
    git_user=users,
    repos=repos(),
    egress=policies,
    supervise=st.booleans(),
    budgets=st.lists(
        st.builds(BudgetScope, names, budgets), max_size=3, unique_by=lambda scope: scope.bottle
    ).map(tuple),
    shutdown=st.sampled_from([None, *Shutdown]),
    workspace=st.one_of(st.none(), workspaces),
    resources=st.builds(
        Resources,
        st.one_of(st.none(), st.floats(0.01, 99)),
        st.one_of(st.none(), sizes),
        st.one_of(st.none(), st.integers(1, 999)),
        st.one_of(st.none(), sizes),
    ),
    tools=st.sampled_from([(), (HostDirectory("/opt/x"), Package("ripgrep"))]),
)
agents = st.builds(
    Agent,
    name=names,
    bottle=st.none(),
    skills=st.sampled_from([(), ("review",)]),
    git_user=users,
    budget=st.one_of(st.just({}), budgets),
    prompt=text.map(str.strip),
)

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(bottles, agents)
def test_a_written_mapping_loads_to_an_equal_value(bottle, agent):
    """Through YAML as well: what ``run`` records, ``resume`` reads."""
    data = mapping_of(bottle, agent)
    assert yamltext.load(yamltext.dump(data)).data == data
    index = load.from_mapping(yamltext.load(yamltext.dump(data)).data)
    (name,) = [entry for entry in index.bottle_names if entry.startswith(EFFECTIVE)][-1:]
    assert load.load(index, None, (name,)).bottle == bottle
    found = load.load_agent(index, agent.name)
    assert (found.skills, found.git_user, found.budget, found.prompt) == (
        agent.skills, agent.git_user, agent.budget, agent.prompt
    )  # fmt: skip
    assert found.bottle == name


@quick
@given(bottles.map(lambda bottle: Bottle(**{**vars(bottle), "budgets": ()})))
def test_a_written_file_loads_to_an_equal_value(tmp_path_factory, bottle):
    home = tmp_path_factory.mktemp("home")
    directory = home / ".bot-bottle/bottles"
    directory.mkdir(parents=True)
    (directory / "dev.md").write_text(front_matter(bottle_data(bottle), "body\n"), encoding="utf-8")
    assert load.load(source.resolve(home, None), None, ("dev",)).bottle == bottle


@quick
@given(agents)
def test_a_written_agent_loads_to_an_equal_value(agent):
    content = source.split(front_matter(agent_data(agent), agent.prompt).encode(), "agents/x.md")
    assert decode_agent(agent.name, content.tree, content.body.strip(), AgentSource("", Origin.HOME)) == agent


def test_a_bottle_with_the_name_of_the_effective_one_stays_apart():
    bottle = Bottle(budgets=(BudgetScope(EFFECTIVE, {"claude": Budget(1)}),))
    index = load.from_mapping(mapping_of(bottle))
    assert load.load(index, None, (f"{EFFECTIVE}-",)).bottle == bottle


@pytest.mark.parametrize(
    ("value", "written"), [(1024, "1KiB"), (1536 * 1024, "1536KiB"), (2**40, "1TiB"), (3 * 2**30, "3GiB")]
)
def test_sizes(value, written):
    assert size(value) == written


# -- fuzz
words = st.sampled_from(
    sorted(
        {
            part.removesuffix("[]")
            for row in (*keys.BOTTLE, *keys.AGENT, *keys.SETTINGS)
            for part in row.pattern.split(".")
        }
    )
)
anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), text, words, st.binary(max_size=3),
        st.sampled_from(["claude", "ssh://git@h/a", "${A}", "?x", "a.example", "4GiB", "/x", "~/x", "~", "copy"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(words, text), inner, max_size=4)),
    max_leaves=12,
)  # fmt: skip
shaped = st.dictionaries(st.sampled_from(keys.below("bottle")), anything, max_size=4)


def only_manifest_errors(call, *args):
    """The message is fit for a terminal, whatever was in the text."""
    said = None
    try:
        call(*args)
    except ManifestError as error:
        said = str(error)
    assert said is None or (said and printable(said) == said)


@quick
@given(st.one_of(anything, shaped))
def test_any_data_is_a_value_or_a_manifest_error(data):
    tree = from_data(data, "fuzz")
    paths = Paths("/home/someone")
    only_manifest_errors(check_bottle_file, tree, paths)
    only_manifest_errors(decode_agent, "x", tree, "", AgentSource("", Origin.HOME))
    only_manifest_errors(decode_settings, tree)
    only_manifest_errors(load.from_mapping, {"bottles": {"dev": data}, "agents": {"worker": data}})
    if isinstance(data, dict):
        only_manifest_errors(load.from_mapping, data)


@quick
@given(st.one_of(st.binary(max_size=200), text.map(lambda t: f"---\n{t}\n---\n".encode())))
def test_any_bytes_are_a_content_or_a_manifest_error(data):
    only_manifest_errors(source.split, data, "fuzz.md")


YAML_PIECES = st.lists(
    st.one_of(
        words,
        st.sampled_from(
            ["\n", ": ", "- ", "  ", "{", "}", "[", "]", ",", "'", '"', "|", ">", "&a ", "*a", "!t ", "#", "---\n",
             "...", "? ", "1", "0o7", "0x", "1:30", ".inf", "~", "<<", "=", "%YAML 1.1\n", "\t",
             "2001-01-01", "\\x", "\x85", "\ufeff"]
        ),
        text,
    ),
    max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(YAML_PIECES)
def test_any_front_matter_is_a_bottle_or_a_manifest_error(pieces):
    data = f"---\n{pieces}\n---\n".encode()

    def run() -> None:
        check_bottle_file(source.split(data, "fuzz.md").tree, Paths(""))

    only_manifest_errors(run)


def test_deep_nesting_ends_as_an_error(tmp_path: Path):
    for opened in ("[" * 5000, "{a: " * 5000, "- " * 5000):
        with pytest.raises(ManifestError):
            source.split(f"---\nx: {opened}\n---\n".encode(), "deep.md")
