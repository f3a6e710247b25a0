"""Credentials of Tencent Cloud."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="tencent-secret-id",
        vendor="Tencent Cloud",
        docs="https://www.tencentcloud.com/document/product/598/34228",
        pattern="AKID[A-Za-z0-9]{32}",
        edge=Edge.ALONE,
        end="[A-Za-z0-9_]",
        positives=("«AKID{b62:32}»",),
    ),
    Rule(
        name="tencent-secret-key",
        vendor="Tencent Cloud",
        docs="https://www.tencentcloud.com/document/product/598/34228",
        pattern="[A-Za-z0-9]{32}",
        find=Find.ASSIGNED,
        keywords=(
            "tencent",
            "akid",
            "qcloud",
        ),
        named=("secret",),
        entropy=3.6,
        rank=30,
        positives=("TENCENTCLOUD_SECRET_KEY=«{b62:16}8{b62:15}»",),
    ),
)
