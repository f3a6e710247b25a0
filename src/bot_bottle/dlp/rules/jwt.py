"""Credentials of JSON Web Tokens."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="json-web-token",
        vendor="JSON Web Tokens",
        docs="https://www.rfc-editor.org/rfc/rfc7519",
        pattern=r"e[yw][A-Za-z0-9_-]{12,}\.[A-Za-z0-9_-]{2,}\.",
        trigger="(?:eyJ(?:hbGci|0eXAi|raWQi|lbmMi|jdHki|4NXQi|4NXQj|qa3Ui|6aXAi|4NWMi|jcml0|ub25jZ|pc3Mi|2ZXIi|hcHAi)|eyAi(?:YWxn|dHlw|a2lk|ZW5j)|ewog(?:ICJhbGci|ICJ0eXAi|ICJraWQi|ICAgImFsZyI|ICAgInR5cCI)|ew0KICAi(?:YWxn|dHlw))",
        edge=Edge.FREE,
        random=False,
        check="jwt",
        rank=40,
        reach=2048,
        positives=(
            "Authorization: Bearer «{jwt:32}»",
            '"id_token":"«{jwt:256}»",',
            "access_token=«{jwt:64}»&x=1",
        ),
        negatives=(
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
            "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJ4In0.placeholder",
        ),
    ),
)
