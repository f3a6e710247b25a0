"""Every key of every file: the decoders take their accepted keys from here, the reference page its rows.

A pattern is a key path in which ``*`` stands for a name of the operator's and ``[]`` for a list item.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class KeyRow:
    """One key. ``type``, ``default`` and ``rule`` are for people."""

    pattern: str
    type: str
    default: str
    rule: str


_REPO = "git-gate.repos.*"
_ROUTE = "egress.routes[]"
_SETTINGS = "agent_provider.settings"

BOTTLE: tuple[KeyRow, ...] = (
    KeyRow("extends", "string or list of strings", "none", "parents, folded left to right; this file wins"),
    KeyRow(
        "env",
        "mapping of name to entry",
        "{}",
        "variables of the bottle; entries with an empty name are skipped",
    ),
    KeyRow(
        "env.*",
        "string, or {value, allow_to}",
        "",
        "`?text` asks on the terminal, `${HOST_VAR}` is read from "
        "the host at launch, anything else is literal; numbers and booleans must be quoted",
    ),
    KeyRow("env.*.value", "string", "required", "as above"),
    KeyRow("env.*.allow_to", "list of hosts", "[]", "where a secret (`?`, `${}`) may be sent"),
    KeyRow("agent_provider", "mapping", "template claude", "taken as a whole block by extends"),
    KeyRow(
        "agent_provider.template",
        "string",
        "claude",
        "claude, codex, pi, command, or one that is not built in",
    ),
    KeyRow(
        "agent_provider.dockerfile",
        "path",
        "the provider's own",
        "custom image; relative to the file it is in",
    ),
    KeyRow("agent_provider.auth_token", "host variable", "none", "claude, codex, pi: holds the credential"),
    KeyRow("agent_provider.auth_kind", "oauth or api_key", "by the value's prefix", "claude, codex, pi"),
    KeyRow("agent_provider.forward_host_credentials", "boolean", "false", "codex: use the host's own login"),
    KeyRow(_SETTINGS, "mapping", "{}", "keys below for built-in templates; passed through for others"),
    KeyRow(
        f"{_SETTINGS}.startup_args",
        "list of strings",
        "[]",
        "claude, codex, pi: appended to the command line",
    ),
    KeyRow(f"{_SETTINGS}.argv", "list of strings", "none", "command: the program and its arguments"),
    KeyRow(f"{_SETTINGS}.provider", "string", "ollama", "pi: name of the model provider"),
    KeyRow(f"{_SETTINGS}.base_url", "string", "the local Ollama", "pi: API base"),
    KeyRow(f"{_SETTINGS}.api", "string", "openai-completions", "pi: API dialect"),
    KeyRow(
        f"{_SETTINGS}.api_key", "string", "a placeholder", "pi: literal, for servers that want a dummy key"
    ),
    KeyRow(f"{_SETTINGS}.api_key_env", "host variable", "none", "pi: holds the real key; not with api_key"),
    KeyRow(f"{_SETTINGS}.models", "list of strings", "one default model", "pi: model ids"),
    KeyRow(f"{_SETTINGS}.context_window", "positive integer", "omitted", "pi"),
    KeyRow(f"{_SETTINGS}.max_tokens", "positive integer", "omitted", "pi"),
    KeyRow(f"{_SETTINGS}.max_tokens_field", "max_tokens or max_completion_tokens", "omitted", "pi"),
    KeyRow(f"{_SETTINGS}.supports_developer_role", "boolean", "false", "pi"),
    KeyRow(f"{_SETTINGS}.supports_reasoning_effort", "boolean", "false", "pi"),
    KeyRow("git-gate", "mapping", "{}", "identity and repositories"),
    KeyRow("git-gate.user", "mapping", "{}", "git identity of the agent's commits"),
    KeyRow("git-gate.user.name", "string", "none", "the agent's own wins"),
    KeyRow("git-gate.user.email", "string", "none", "the agent's own wins"),
    KeyRow(
        "git-gate.repos",
        "mapping of name to repository",
        "{}",
        "the name is the path that the agent sees; `{}` clears what was inherited",
    ),
    KeyRow(
        f"{_REPO}.url",
        "URL",
        "required",
        "`ssh://[user@]host[:port]/path`, `user@host:path` or `https://host/path`",
    ),
    KeyRow(f"{_REPO}.key", "mapping", "required", "how the gate signs in upstream"),
    KeyRow(
        f"{_REPO}.key.provider",
        "static, gitea, forgejo, github, gitlab or token",
        "required",
        "token for https, the others for ssh",
    ),
    KeyRow(
        f"{_REPO}.key.path",
        "path",
        "required for static",
        "private key on the host; `~` is the home directory",
    ),
    KeyRow(
        f"{_REPO}.key.token_ref",
        "host variable",
        "required but for static",
        "holds the forge's API token, or the https token",
    ),
    KeyRow(f"{_REPO}.key.api_url", "https URL", "https://<upstream host>", "API of a forge"),
    KeyRow(f"{_REPO}.host_key", "string", "the user's known_hosts", "pinned SSH host key line"),
    KeyRow(f"{_REPO}.alias", "string", "none", "a further SSH host alias of the upstream"),
    KeyRow(
        f"{_REPO}.allow_refs", "list of globs", "refs/heads/*, refs/tags/*", "refs that a push may change"
    ),
    KeyRow(f"{_REPO}.deny_refs", "list of globs", "[]", "refs that it may not"),
    KeyRow(f"{_REPO}.allow_force", "boolean", "false", "pushes that rewrite history"),
    KeyRow(f"{_REPO}.allow_delete", "boolean", "false", "pushes that delete a ref"),
    KeyRow(f"{_REPO}.deny_paths", "list of globs", "[]", "files that a push may not change"),
    KeyRow(
        f"{_REPO}.ask_paths",
        "list of globs",
        "files that run elsewhere",
        "files whose change needs the operator ([the default](ask-paths.md)); `[]`: none",
    ),
    KeyRow(f"{_REPO}.max_pack", "size", "256MiB", "largest push"),
    KeyRow(f"{_REPO}.stale_ok", "boolean", "false", "serve a fetch from the mirror when upstream fails"),
    KeyRow(f"{_REPO}.lfs", "refuse or pointers", "refuse", "what to do with LFS pointers in a push"),
    KeyRow("egress", "mapping", "{}", "what may leave"),
    KeyRow("egress.log", "0, 1 or 2", "0", "off, blocks, everything (redacted)"),
    KeyRow("egress.extra_ca", "path", "none", "PEM file for upstreams; relative to the file it is in"),
    KeyRow("egress.upstream_proxy", "mapping", "none", "a corporate proxy"),
    KeyRow("egress.upstream_proxy.url", "URL", "required", "`http://host:port`"),
    KeyRow("egress.upstream_proxy.token_ref", "host variable", "none", "its credential"),
    KeyRow(
        "egress.upstream_proxy.resolve",
        "local or remote",
        "local",
        "remote is not covered by the address guard",
    ),
    KeyRow("egress.on_taint", "note or tighten", "none", "what an injection found in a response does"),
    KeyRow("egress.provider_features", "list of strings", "[]", "server-side features let through"),
    KeyRow("egress.provider_schema", "enforce or log", "none", "bodies of the provider's requests"),
    KeyRow("egress.routes", "list of routes", "[]", "one for each host"),
    KeyRow(f"{_ROUTE}.host", "host name, `*.name`, IP literal", "required", "case-insensitive"),
    KeyRow(f"{_ROUTE}.ports", "list of ports", "80, 443", ""),
    KeyRow(f"{_ROUTE}.auth", "mapping, or list of them", "none", "the credential that the proxy puts in"),
    KeyRow(f"{_ROUTE}.auth.scheme", "Bearer, token, Basic, raw or passthrough", "required", ""),
    KeyRow(
        f"{_ROUTE}.auth.token_ref", "host variable", "required but for passthrough", "never seen by the agent"
    ),
    KeyRow(f"{_ROUTE}.auth.header", "header name", "Authorization", ""),
    KeyRow(f"{_ROUTE}.matches", "list of mappings", "[]", "a request must satisfy at least one"),
    KeyRow(f"{_ROUTE}.matches[].paths", "list of mappings", "[]", "any of them"),
    KeyRow(
        f"{_ROUTE}.matches[].paths[].type",
        "prefix, exact or regex",
        "prefix",
        "a prefix matches whole elements",
    ),
    KeyRow(f"{_ROUTE}.matches[].paths[].value", "string", "required", ""),
    KeyRow(f"{_ROUTE}.matches[].methods", "list of HTTP methods", "[]", "any of them"),
    KeyRow(f"{_ROUTE}.matches[].headers", "list of mappings", "[]", "all of them"),
    KeyRow(f"{_ROUTE}.matches[].headers[].name", "header name", "required", ""),
    KeyRow(f"{_ROUTE}.matches[].headers[].value", "string", "required", ""),
    KeyRow(f"{_ROUTE}.matches[].headers[].type", "exact or regex", "exact", ""),
    KeyRow(f"{_ROUTE}.git", "mapping", "{}", ""),
    KeyRow(f"{_ROUTE}.git.fetch", "boolean", "false", "clone and fetch over HTTPS; push never"),
    KeyRow(
        f"{_ROUTE}.headers",
        "list of header names, or false",
        "none",
        "the request headers let through beside the standard ones; `false`: those alone",
    ),
    KeyRow(
        f"{_ROUTE}.allow_private",
        "boolean",
        "false",
        "RFC 1918 and ULA addresses; loopback with explicit ports",
    ),
    KeyRow(f"{_ROUTE}.dlp", "mapping", "{}", "scanning on this route"),
    KeyRow(
        f"{_ROUTE}.dlp.outbound_detectors",
        "false or list",
        "all defaults",
        "token_patterns, known_secrets, entropy",
    ),
    KeyRow(f"{_ROUTE}.dlp.inbound_detectors", "false or list", "all defaults", "naive_injection_detection"),
    KeyRow(f"{_ROUTE}.dlp.outbound_on_match", "block, redact or supervise", "supervise", ""),
    KeyRow(f"{_ROUTE}.dlp.inbound_on_match", "block, warn or off", "by detector", ""),
    KeyRow(f"{_ROUTE}.meter", "mapping", "none", "count tokens of a compatible API"),
    KeyRow(f"{_ROUTE}.meter.provider", "string", "required", "budget key"),
    KeyRow(f"{_ROUTE}.meter.format", "anthropic, openai-responses, openai-chat or gemini", "required", ""),
    KeyRow(
        f"{_ROUTE}.preset",
        "name of a preset",
        "none",
        "a named set of hosts, methods and paths ([presets](../presets.md)); `host` may then be left out",
    ),
    KeyRow(
        f"{_ROUTE}.access",
        "word, or list of words",
        "the preset's first",
        "which parts of the preset are open",
    ),
    KeyRow(
        f"{_ROUTE}.repos",
        "list of owner/name",
        "those of the git gate",
        "of a forge's preset: the repositories that it opens",
    ),
    KeyRow("supervise", "boolean", "true", "may the agent ask the operator for more"),
    KeyRow("budget", "mapping of provider to budget", "{}", "each bottle file is its own scope"),
    KeyRow("budget.*", "number of tokens, or mapping", "", ""),
    KeyRow("budget.*.tokens", "positive integer", "required", ""),
    KeyRow("budget.*.per", "hour, day, week or month", "for ever", "calendar windows"),
    KeyRow("budget.*.warn_at", "list of fractions", "the host's", ""),
    KeyRow("budget.*.hard", "boolean", "false", "cut the stream that crosses it"),
    KeyRow("shutdown", "cutoff, freeze or kill", "the host's", "when a budget is used up"),
    KeyRow("workspace", "mapping", "none", "merged field by field by extends"),
    KeyRow("workspace.mode", "copy, mount or none", "copy", ""),
    KeyRow(
        "workspace.path", "absolute path or ~/…", "the current directory", "neither the home directory nor /"
    ),
    KeyRow("workspace.exclude", "list of globs", "[]", "left out of the copy; lists of parents are added"),
    KeyRow("workspace.protect", "list of globs", "[]", "read-only in a mount; lists of parents are added"),
    KeyRow("resources", "mapping", "{}", "merged field by field by extends"),
    KeyRow("resources.cpus", "number", "2", ""),
    KeyRow("resources.memory", "size", "4GiB", ""),
    KeyRow("resources.pids", "positive integer", "512", ""),
    KeyRow("resources.disk", "size", "20GiB", ""),
    KeyRow(
        "tools", "list of strings", "[]", "directories (absolute or ~/…) seen read-only, or packages by name"
    ),
)

AGENT: tuple[KeyRow, ...] = (
    KeyRow("bottle", "string", "none", "default bottle; of a project's agent only a suggestion"),
    KeyRow("skills", "list of names", "[]", "directories of ~/.claude/skills; for template claude"),
    KeyRow("git-gate", "mapping", "{}", "only `user`"),
    KeyRow("git-gate.user", "mapping", "{}", "laid over the bottle's, field by field"),
    KeyRow("git-gate.user.name", "string", "the bottle's", ""),
    KeyRow("git-gate.user.email", "string", "the bottle's", ""),
    KeyRow("budget", "mapping of provider to budget", "{}", "a project's agent can only lower"),
    KeyRow("budget.*", "number of tokens, or mapping", "", ""),
    KeyRow("budget.*.tokens", "positive integer", "required", ""),
    KeyRow("budget.*.per", "hour, day, week or month", "for ever", "calendar windows"),
    KeyRow("budget.*.warn_at", "list of fractions", "the host's", ""),
    KeyRow("budget.*.hard", "boolean", "false", "cut the stream that crosses it"),
)

TOLERATED_AGENT_KEYS = (
    "name", "description", "tools", "disallowedTools", "model", "permissionMode", "maxTurns", "mcpServers",
    "hooks", "memory", "background", "effort", "isolation", "color",
)  # fmt: skip
"""Front matter of Claude Code's sub-agents (https://code.claude.com/docs/en/sub-agents): ignored, so that one
file serves both."""

SETTINGS: tuple[KeyRow, ...] = (
    KeyRow("budget", "mapping of provider to budget", "{}", "of the whole host"),
    KeyRow("budget.*", "number of tokens, or mapping", "", ""),
    KeyRow("budget.*.tokens", "positive integer", "required", ""),
    KeyRow("budget.*.per", "hour, day, week or month", "for ever", "calendar windows"),
    KeyRow("budget.*.warn_at", "list of fractions", "`warn_at`", ""),
    KeyRow("budget.*.hard", "boolean", "false", "cut the stream that crosses it"),
    KeyRow("shutdown", "cutoff, freeze or kill", "cutoff", "when a budget is used up"),
    KeyRow("gate", "response, estimate or exact", "response", "when a request is refused for its budget"),
    KeyRow("warn_at", "list of fractions", "[0.8]", ""),
    KeyRow("weights", "mapping", "", "how tokens count towards a budget"),
    KeyRow("weights.input", "number", "1", ""),
    KeyRow("weights.output", "number", "1", ""),
    KeyRow("weights.cache_write", "number", "1", ""),
    KeyRow("weights.cache_read", "number", "0.1", ""),
    KeyRow("timezone", "IANA name", "the host's", "of budget windows"),
    KeyRow("ledger", "sqlite or a PostgreSQL URL", "sqlite", "where usage is kept"),
    KeyRow("metrics", "HOST:PORT", "none", "Prometheus listener"),
    KeyRow("logs_days", "positive integer", "30", "how long logs outlive their bottle"),
    KeyRow(
        "kept_days",
        "positive integer",
        "30",
        "how long a kept bottle rests before `prune` offers to remove it",
    ),
)

_TABLES = {"bottle": BOTTLE, "agent": AGENT, "settings": SETTINGS}


@cache
def below(table: str, prefix: str = "") -> tuple[str, ...]:
    """The keys that may stand directly below *prefix* (empty: the top level), in the table's order."""
    start = f"{prefix}." if prefix else ""
    names = [row.pattern[len(start) :] for row in _TABLES[table] if row.pattern.startswith(start)]
    return tuple(dict.fromkeys(name for name in names if not set(name) & set(".[*")))
