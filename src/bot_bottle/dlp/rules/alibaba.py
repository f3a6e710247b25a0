"""Credentials of Alibaba Cloud."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="alibaba-access-key-id",
        vendor="Alibaba Cloud",
        docs="https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair",
        pattern="LTAI[A-Za-z0-9]{12,20}",
        edge=Edge.ALONE,
        end="[A-Za-z0-9_]",
        positives=("«LTAI5t{b62:18}»",),
    ),
    Rule(
        name="alibaba-access-key-secret",
        vendor="Alibaba Cloud",
        docs="https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair",
        pattern="[A-Za-z0-9]{30}",
        find=Find.ASSIGNED,
        keywords=(
            "alibaba",
            "aliyun",
            "alicloud",
            "ltai",
            "oss_",
        ),
        named=("secret",),
        entropy=3.6,
        rank=30,
        positives=("ALIBABA_CLOUD_ACCESS_KEY_SECRET=«{b62:15}8{b62:14}»",),
    ),
)
