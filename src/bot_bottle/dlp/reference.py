"""``docs/reference/dlp-rules.md``: the formats of credentials that are looked for, as a table. Pure."""

from __future__ import annotations

from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.rule import Find, Rule

CHECKS_IN_WORDS = {
    "": "",
    "crc_base62": "CRC-32 in its last six characters",
    "crc_base36": "CRC-32 in its last seven characters",
    "macaroon": "a macaroon of the index",
    "jwt": "a header in JSON, a signature",
    "pem_base64": "decodes to a private key",
    "plain_password": "no stand-in for a password",
    "url_password": "no stand-in for a password",
    "basic_auth": "decodes to a user and a password",
}


def page() -> str:
    vendors = len({rule.vendor for rule in ALL_RULES})
    head = [
        "# Credentials that are looked for",
        "",
        "Made from the code by `make docs`; do not edit. One row of `src/bot_bottle/dlp/rules/` each: "
        f"{len(ALL_RULES)} rules, {vendors} vendors and formats.",
        "",
        "*Found*: `by itself` is a format that is known by its own look; `by name` is only characters drawn by "
        "chance, taken for a credential when one of the words is in the name of the variable, key or header, or "
        "near. *Entropy*: the least, in bits a character, of the part that is drawn by chance. Placeholders never "
        "count, nor values that read like words.",
        "",
        "| rule | vendor | found | words | check | entropy |",
        "|---|---|---|---|---|---|",
    ]
    rows = sorted(ALL_RULES, key=lambda rule: (rule.vendor.lower(), rule.name))
    return "\n".join([*head, *(_row(rule) for rule in rows)]) + "\n"


def _row(rule: Rule) -> str:
    found = "by itself" if rule.find is Find.ANYWHERE else "by name"
    words = ", ".join(f"`{word}`" for word in rule.keywords)
    entropy = f"{rule.entropy:g}" if rule.entropy else ""
    vendor = f"[{rule.vendor}]({rule.docs})"
    return f"| `{rule.name}` | {vendor} | {found} | {words} | {CHECKS_IN_WORDS[rule.check]} | {entropy} |"
