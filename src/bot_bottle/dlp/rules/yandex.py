"""Credentials of Yandex Cloud."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="yandex-cloud-key",
        vendor="Yandex Cloud",
        docs="https://yandex.cloud/en/docs/iam/concepts/authorization/api-key",
        pattern="AQVN[A-Za-z0-9_-]{35,38}",
        edge=Edge.ALONE,
        end="[A-Za-z0-9_-]",
        positives=("«AQVN{b64u:36}»",),
    ),
    Rule(
        name="yandex-iam-token",
        vendor="Yandex Cloud",
        docs="https://yandex.cloud/en/docs/iam/concepts/authorization/iam-token",
        pattern=r"t1\.[A-Z0-9a-z_-]{40,1000}[=]{0,2}\.[A-Z0-9a-z_-]{86}[=]{0,2}",
        trigger=r"t1\.[A-Za-z0-9_-]{40}",
        reach=1200,
        positives=("«t1.{b64u:80}.{b64u:86}»",),
    ),
    Rule(
        name="yandex-static-key",
        vendor="Yandex Cloud",
        docs="https://yandex.cloud/en/docs/iam/concepts/authorization/access-key",
        pattern="YC[A-Za-z0-9_-]{38}",
        edge=Edge.ALONE,
        end="[A-Za-z0-9_-]",
        keywords=(
            "yandex",
            "ycaj",
            "storage.yandexcloud",
            "yc_",
            "secret",
        ),
        positives=("aws_secret_access_key: «YC{b64u:38}»",),
    ),
    Rule(
        name="yandex-oauth-token",
        vendor="Yandex",
        docs="https://yandex.com/dev/id/doc/en/",
        pattern="y[0-3]_[A-Za-z0-9_-]{50,60}",
        prefix="y0_",
        positives=("«y0_{b64u:55}»",),
    ),
)
