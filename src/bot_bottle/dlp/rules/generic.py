"""Secrets of nobody in particular, known by their name and by chance."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="bearer-token",
        vendor="Any service",
        docs="https://www.rfc-editor.org/rfc/rfc6750",
        pattern="bearer\\s{1,4}[\"\\']?([A-Za-z0-9._~+/-]{24,}={0,2})",
        group=1,
        caseless=True,
        edge=Edge.WORD,
        entropy=3.5,
        rank=9,
        positives=("headers: Bearer «{b62:40}»",),
        negatives=(
            "Bearer authentication-scheme-with-many-words",
            "bearer {lb}token{rb}",
        ),
    ),
    Rule(
        name="generic-secret",
        vendor="Any service",
        docs="https://cwe.mitre.org/data/definitions/798.html",
        pattern=r"[!#$%*+\-./0-9:=?@A-Z^_a-z~]{8,512}",
        find=Find.ASSIGNED,
        keywords=("secret",),
        rank=10,
        positives=(
            'client_secret: "«{b62:30}7k»"',
            'const apiToken = "«{b62:12}8{b62:17}»";',
            "X-Api-Key: «{b62:30}7k»\r\n",
            "--api-key «{b62:30}7k» ",
            "os.environ['SERVICE_PASSWORD'] = '«{b62:16}4k»'",
            "<password>«{b62:16}4k»</password>",
            '- name: DEPLOY_TOKEN\n  value: "«{b62:30}7k»"\n',
            r"{lb}\"secret\":\"«{b62:30}7k»\"{rb}",
        ),
        negatives=(
            'api_key = os.environ["SERVICE_API_KEY_2"]',
            'token: "your-token-goes-here-12345678"',
            'password = getPassword1234567("x")',
            '"token": "{uuid}"',
            'cache_key = "{hex:64}"',
            '"integrity_token": "sha512-{b64:86}=="',
            "secret: ${lb}SERVICE_SECRET_12{rb}",
            'const tokenType2 = "authorization_code_v2_long"',
            "max_tokens: 123456789012",
        ),
    ),
)
