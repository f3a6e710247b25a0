"""Locations, names and the text of files (spec: manifest §2–4)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot_bottle.manifest import load, source
from bot_bottle.manifest.schema import Origin
from bot_bottle.manifest.tree import ManifestError


def test_names_are_listed_and_nothing_is_read(files, monkeypatch):
    """Agents: sorted union of home and project; bottles: sorted, home only; broken files are included."""
    files.bottle("zeta", "]broken[")
    files.bottle("alpha", "supervise: maybe")
    files.agent("worker", "nonsense: [")
    files.agent("builder", "", project=True)
    monkeypatch.setattr(source, "read_file", lambda *a, **k: pytest.fail("a file was read"))
    index = files.index()
    assert index.agent_names == ("builder", "worker")
    assert index.bottle_names == ("alpha", "zeta")
    assert index.warnings == ()


def test_a_project_agent_wins_over_the_home_agent_of_its_name(files):
    home = files.agent("dev", "", "from home")
    project = files.agent("dev", "", "from the project", project=True)
    entry = files.index().agents["dev"]
    assert (entry.file, entry.origin, entry.shadows) == (str(project), Origin.PROJECT, str(home))
    agent = load.load_agent(files.index(), "dev")
    assert agent.prompt == "from the project"
    assert agent.source.shadows == str(home)
    assert len(agent.source.sha256) == 64


def test_project_bottles_and_settings_are_never_read_and_warned_about_once_each(files):
    files.write("bottles/evil.md", "---\nsupervise: false\n---\n", project=True)
    files.write("settings.yml", "gate: exact\n", project=True)
    index = files.index()
    assert index.bottle_names == ()
    bottles, settings = index.warnings
    assert f"{files.project}/.bot-bottle/bottles" in bottles
    assert "only read from $HOME/.bot-bottle/bottles/" in bottles
    assert "move" in bottles and "delete" in bottles
    assert f"{files.project}/.bot-bottle/settings.yml is not read" in settings


def test_where_project_and_home_are_one_directory_there_is_no_project_layer(files):
    files.agent("dev", "")
    files.bottle("base", "")
    link = files.home.parent / "link"
    link.symlink_to(files.home)
    for cwd in (files.home, link):
        index = source.resolve(files.home, cwd)
        assert index.warnings == ()
        assert index.agents["dev"].origin is Origin.HOME


def test_without_a_project_only_the_home_counts(files):
    files.agent("dev", "")
    assert source.resolve(files.home, None).agent_names == ("dev",)


@pytest.mark.parametrize("where", ["home", "project"])
def test_the_obsolete_single_file_is_an_error_without_the_directory(tmp_path, where):
    """``bot-bottle.json`` beside a ``.bot-bottle`` directory is ignored."""
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    if where == "project":
        (home / ".bot-bottle").mkdir()
    directory = tmp_path / where
    file = directory / "bot-bottle.json"
    file.write_text("{}")
    with pytest.raises(ManifestError, match="convert") as caught:
        source.resolve(home, project)
    assert caught.value.file == str(file)
    assert "Markdown" in caught.value.message
    (directory / ".bot-bottle").mkdir()
    assert source.resolve(home, project).agent_names == ()


def test_a_missing_directory_is_an_error_with_guidance_or_an_empty_index(tmp_path):
    with pytest.raises(ManifestError, match="examples/") as caught:
        source.resolve(tmp_path, None)
    assert caught.value.file == str(tmp_path / ".bot-bottle")
    index = source.resolve(tmp_path, None, missing_ok=True)
    assert (index.agent_names, index.bottle_names) == ((), ())


@pytest.mark.parametrize(
    "name", ["Dev.md", "1st.md", "-x.md", "a_b.md", "notes.txt", "dev.MD", "dev", ".md", "a.b.md", "d\u00e9v.md",
             "x\n.md", "\u202edm.md"],
)  # fmt: skip
def test_other_file_names_are_skipped_with_a_warning(files, name):
    """The warning shows the pattern and the name, fit for a terminal."""
    files.bottle("good", "")
    files.write(f"bottles/{name}", "")
    index = files.index()
    assert index.bottle_names == ("good",)
    (warning,) = index.warnings
    assert "[a-z][a-z0-9-]*.md" in warning
    assert "\n" not in warning and "\u202e" not in warning
    shown = name.replace("\n", "\\n").replace("\u202e", "\\u202e")
    assert f"'{shown}'" in warning, "escaped once"


def test_a_directory_that_can_not_be_listed_is_a_warning(files):
    files.write("bottles", "a file, not a directory")
    (warning,) = files.index().warnings
    assert "bottles is not used" in warning


@pytest.mark.parametrize(
    ("text", "keys", "body"),
    [
        ("", {}, ""),
        ("only a body", {}, "only a body"),
        ("---\n---\nbody", {}, "body"),
        ("---\n\n# a comment\n---\nbody", {}, "body"),
        ("---\nbottle: dev\n---\n\n body \n\n", {"bottle": "dev"}, "body"),
        ("---\r\nbottle: dev\r\n---\r\nbody\r\n", {"bottle": "dev"}, "body"),
        ("\ufeff---\nbottle: dev\n---\nbody", {"bottle": "dev"}, "body"),
        ("---\nbottle: dev\n---  \nbody\n---\nrule above", {"bottle": "dev"}, "body\n---\nrule above"),
        ("# Title\n---\nnot: keys\n---\n", {}, "# Title\n---\nnot: keys\n---"),
    ],
)
def test_front_matter_and_body(files, text, keys, body):
    """YAML between ``---`` lines, then the prompt, stripped; without front matter there are no keys."""
    files.write("agents/dev.md", "")
    (files.home / ".bot-bottle/agents/dev.md").write_bytes(text.encode())
    agent = load.load_agent(files.index(), "dev")
    assert agent.prompt == body
    assert agent.bottle == keys.get("bottle")


@pytest.mark.parametrize(
    ("text", "line", "path", "says"),
    [
        (b"---\nbottle: dev\n", 1, "", "not closed"),
        (b"\n\n---\nbottle: dev\n---\n", 3, "", "first line"),
        (b"---\nbottle: d\xff\n---\n", 2, "", "UTF-8"),
        (b"---\nbottle: dev\n- x\n---\n", 3, "", "not valid YAML"),
        (b"---\n- bottle\n---\n", 2, "", "mapping"),
        (b"---\nbottle: a\nbottle: b\n---\n", 3, "bottle", "duplicate key 'bottle'"),
        (b"---\nskills: &s [a]\n---\n", 2, "", "anchors and aliases"),
        (b"---\nskills: *s\n---\n", 2, "", "anchors and aliases"),
        (b"---\nbottle: !!python/name:os.system x\n---\n", 2, "", "tags"),
        (b"---\n1: x\n---\n", 2, "", "keys must be strings"),
        (b"---\nbottle: \x01\n---\n", 2, "", "U+0001"),
    ],
)
def test_text_that_is_no_front_matter_is_an_error_with_its_line(files, check, text, line, path, says):
    file = files.write("agents/dev.md", "")
    file.write_bytes(text)
    with pytest.raises(ManifestError) as caught:
        load.load_agent(files.index(), "dev")
    check(caught.value, file, line, path, says)


def test_a_file_of_more_than_1_mib_is_refused(files, check):
    file = files.agent("dev", "", "x" * (1024 * 1024))
    with pytest.raises(ManifestError) as caught:
        load.load_agent(files.index(), "dev")
    check(caught.value, file, 0, "", "1048576 bytes")


def test_an_unreadable_file_names_path_and_os_error(files, check):
    file = files.agent("dev", "")
    index = files.index()
    file.unlink()
    with pytest.raises(ManifestError) as caught:
        load.load_agent(index, "dev")
    check(caught.value, file, 0, "", "No such file or directory")


@pytest.mark.parametrize("kind", ["fifo", "directory"])
def test_only_regular_files_are_read(files, kind, check):
    """A FIFO must not hang the reader."""
    file = files.home / ".bot-bottle/agents/dev.md"
    file.parent.mkdir()
    os.mkfifo(file) if kind == "fifo" else file.mkdir()
    with pytest.raises(ManifestError) as caught:
        load.load_agent(files.index(), "dev")
    check(caught.value, file, 0, "", "regular file")


def test_the_home_directory_may_use_links(files, tmp_path):
    """Dotfile managers do; the operator made them."""
    target = tmp_path / "elsewhere.md"
    target.write_text("linked prompt")
    (files.home / ".bot-bottle/agents").mkdir()
    (files.home / ".bot-bottle/agents/dev.md").symlink_to(target)
    assert load.load_agent(files.index(), "dev").prompt == "linked prompt"


@pytest.mark.parametrize("link", ["file", "agents", "root"])
def test_a_project_can_not_make_a_file_of_the_host_its_prompt(files, tmp_path, link):
    """No link is followed in a project: neither the file nor a directory above it."""
    secrets = tmp_path / "secrets"
    (secrets / "agents").mkdir(parents=True)
    for file in (secrets / "dev.md", secrets / "agents/dev.md"):
        file.write_text("-----BEGIN PRIVATE KEY-----")
    root = files.project / ".bot-bottle"
    if link == "root":
        root.symlink_to(secrets)
    elif link == "agents":
        root.mkdir()
        (root / "agents").symlink_to(secrets)
    else:
        (root / "agents").mkdir(parents=True)
        (root / "agents/dev.md").symlink_to(secrets / "dev.md")
    index = files.index()
    if link == "file":
        with pytest.raises(ManifestError, match="symbolic link"):
            load.load_agent(index, "dev")
    else:
        assert index.agent_names == ()
        assert any("is not used" in warning for warning in index.warnings)


def test_a_project_directory_exchanged_for_a_link_after_listing_is_not_followed(files, tmp_path):
    file = files.agent("dev", "", "prompt", project=True)
    index = files.index()
    moved = tmp_path / "moved"
    file.parent.rename(moved)
    file.parent.symlink_to(moved)
    with pytest.raises(ManifestError, match="symbolic link"):
        load.load_agent(index, "dev")


def test_an_error_while_reading_names_the_file(files, monkeypatch, check):
    def broken(_handle: int, _size: int) -> bytes:
        raise OSError(5, "Input/output error")

    file = files.agent("dev", "")
    monkeypatch.setattr(source.os, "read", broken)
    with pytest.raises(ManifestError) as caught:
        source.read_file(str(file), follow=True)
    check(caught.value, file, 0, "", "Input/output error")


def test_homes_that_do_not_exist_compare_by_name(tmp_path: Path):
    missing = tmp_path / "missing"
    assert source.resolve(missing, missing, missing_ok=True).warnings == ()
