"""What lies in ``examples/`` loads, and this version can launch it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot_bottle.egress.codec import dump_policy, load_policy
from bot_bottle.manifest import load, source
from bot_bottle.manifest.preset_routes import bottle_routes
from bot_bottle.manifest.schema import ProviderConfig
from bot_bottle.manifest.unenforced import refuse_unenforced

EXAMPLES = Path(__file__).parents[2] / "examples"
BOTTLES = sorted(path.stem for path in (EXAMPLES / "bottles").iterdir())
AGENTS = sorted(path.stem for path in (EXAMPLES / "agents").iterdir())


@pytest.fixture
def index(tmp_path):
    shutil.copytree(EXAMPLES, tmp_path / ".bot-bottle")
    return source.resolve(tmp_path, None)


def test_every_file_has_a_name_that_is_read(index):
    assert index.warnings == ()
    assert (list(index.bottle_names), list(index.agent_names)) == (BOTTLES, AGENTS)


@pytest.mark.parametrize("name", BOTTLES)
def test_each_bottle_can_be_launched(index, name):
    loaded = load.load(index, None, (name,))
    refuse_unenforced(loaded)
    bottle_routes(loaded.bottle)


@pytest.mark.parametrize("name", AGENTS)
def test_each_agent_can_be_launched(index, name):
    """With its own bottle, or with a chosen one where it is portable."""
    agent = load.load_agent(index, name)
    loaded = load.load(index, name, () if agent.bottle else ("claude",))
    refuse_unenforced(loaded)
    assert loaded.agent.prompt


def test_the_claude_bottle_shows_the_template_and_the_tokens_name_only(index):
    bottle = load.load(index, None, ("claude",)).bottle
    assert bottle.agent_provider == ProviderConfig(auth_token="BOT_BOTTLE_CLAUDE_OAUTH_TOKEN")
    assert set(bottle.tree.value) == {"agent_provider"}
    assert set(bottle.tree.value["agent_provider"].value) == {"template", "auth_token"}


def test_the_routes_file_loads_and_is_written_back_equal():
    policy = load_policy((EXAMPLES / "routes.yaml").read_text(encoding="utf-8"))
    assert policy.routes
    assert load_policy(dump_policy(policy)) == policy
