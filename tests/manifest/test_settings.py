"""``settings.yml``: typed, unknown keys refused with file, line and key path (spec: control-plane §2)."""

from __future__ import annotations

import pytest

from bot_bottle.manifest.schema import Budget, Period, Shutdown
from bot_bottle.manifest.settings import Gate, Settings, Weights, load_settings
from bot_bottle.manifest.tree import ManifestError


def test_without_a_file_the_defaults_hold(files):
    assert load_settings(files.home) == Settings()
    files.write("settings.yml", "")
    assert load_settings(files.home) == Settings()


def test_every_key(files):
    files.write(
        "settings.yml",
        """\
        budget:
          claude: 5000000
          codex: {tokens: 2000000, per: day}
        shutdown: freeze
        gate: estimate
        warn_at: [0.5, 0.9]
        weights: {input: 2, cache_read: 0}
        timezone: America/Argentina/Buenos_Aires
        ledger: postgresql+psycopg://user:hunter2@db.example/bottles
        metrics: "[::1]:9464"
        logs_days: 7
        kept_days: 9
        """,
    )
    settings = load_settings(files.home)
    assert settings == Settings(
        budget={"claude": Budget(5000000), "codex": Budget(2000000, Period.DAY)},
        shutdown=Shutdown.FREEZE,
        gate=Gate.ESTIMATE,
        warn_at=(0.5, 0.9),
        weights=Weights(2.0, 1.0, 1.0, 0.0),
        timezone="America/Argentina/Buenos_Aires",
        ledger="postgresql+psycopg://user:hunter2@db.example/bottles",
        metrics=("[::1]", 9464),
        logs_days=7,
        kept_days=9,
    )
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "line", "path", "says"),
    [
        ("a: 1\n", 1, "a", ("unknown key 'a'", "budget, gate, kept_days, ledger")),
        ("- a\n", 1, "", ("mapping",)),
        ("gate: response\ngate: exact\n", 2, "gate", ("duplicate key",)),
        ("gate: [\n", 2, "", ("not valid YAML",)),
        ("\n\ngate: maybe\n", 3, "gate", ("response, estimate, exact", "'maybe'")),
        ("shutdown: off\n", 1, "shutdown", ("cutoff, freeze, kill", "a boolean")),
        ("budget: 5\n", 1, "budget", ("mapping",)),
        ("budget:\n  claude: {per: day}\n", 2, "budget.claude.tokens", ("is missing",)),
        ("warn_at: 0.8\n", 1, "warn_at", ("fractions",)),
        ("warn_at: [2]\n", 1, "warn_at[0]", ("at most 1",)),
        ("weights: []\n", 1, "weights", ("mapping",)),
        ("weights: {inputs: 1}\n", 1, "weights.inputs", ("cache_read, cache_write, input, output",)),
        ("weights: {input: x}\n", 1, "weights.input", ("must be a number",)),
        ("weights: {input: -1}\n", 1, "weights.input", ("between 0",)),
        ("weights: {input: .nan}\n", 1, "weights.input", ("between 0",)),
        ("timezone: ../../etc/passwd\n", 1, "timezone", ("IANA time zone",)),
        ("timezone: 1\n", 1, "timezone", ("must be a string",)),
        ("ledger: mysql://h/d\n", 1, "ledger", ("sqlite",)),
        ("metrics: 9464\n", 1, "metrics", ("must be a string",)),
        ("metrics: localhost\n", 1, "metrics", ("HOST:PORT",)),
        ("metrics: 'h:70000'\n", 1, "metrics", ("HOST:PORT",)),
        ("logs_days: 0\n", 1, "logs_days", ("between 1",)),
        ("kept_days: 0\n", 1, "kept_days", ("between 1",)),
    ],
)
def test_what_is_refused(files, check, text, line, path, says):
    file = files.write("settings.yml", text)
    with pytest.raises(ManifestError) as caught:
        load_settings(files.home)
    check(caught.value, file, line, path, *says)


def test_a_file_that_is_not_utf_8(files, check):
    file = files.write("settings.yml", "")
    file.write_bytes(b"gate: response\nledger: \xff\n")
    with pytest.raises(ManifestError) as caught:
        load_settings(files.home)
    check(caught.value, file, 2, "", "UTF-8")


def test_a_password_is_not_in_the_error(files):
    files.write("settings.yml", "ledger: mysql://user:hunter2@h/d\n")
    with pytest.raises(ManifestError) as caught:
        load_settings(files.home)
    assert "hunter2" not in str(caught.value)
