"""Credentials of GitLab."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="gitlab-token",
        vendor="GitLab",
        docs="https://docs.gitlab.com/security/tokens/",
        pattern="(?:glpat|gldt|glrt|glrtr|glcbt|glptt|glft|glimt|glagent|glsoat|glffct|gloas|glwt)-(?:t[0-9]_)?[A-Za-z0-9_-]{20,64}",
        prefix="glpat-",
        edge=Edge.WORD,
        rank=60,
        positives=(
            "GITLAB_TOKEN=«glpat-{b64u:20}»",
            "«gldt-{b64u:20}»",
            "CI_JOB_TOKEN=«glcbt-64_{b64u:20}»",
            "«glptt-{hex:40}»",
            "«glagent-{b64u:50}»",
            "«gloas-{hex:64}»",
            "«glrt-t1_{b64u:20}»",
            "«glsoat-{b64u:20}»",
            "«glffct-{b64u:20}»",
            "«glimt-{b64u:25}»",
            "«glft-{hex:64}»",
        ),
        negatives=(
            "glpat-your-token-goes-here",
            "glpat-xxxxxxxxxxxxxxxxxxxx",
        ),
    ),
    Rule(
        name="gitlab-routable-token",
        vendor="GitLab",
        docs="https://handbook.gitlab.com/handbook/engineering/architecture/design-documents/cells/routable_tokens/",
        pattern=r"gl[a-z]{2,6}-(?:t[0-9]_)?[A-Za-z0-9_-]{27,300}\.[0-9a-z]{2}\.[0-9a-z]{9}",
        edge=Edge.FREE,
        check="crc_base36",
        rank=75,
        positives=("«glpat-{b64u:48}.01.1c{crc36}»",),
        negatives=("glxyz-{b64u:48}.01.1c{b36:7}",),
    ),
    Rule(
        name="gitlab-runner-registration-token",
        vendor="GitLab",
        docs="https://docs.gitlab.com/security/tokens/",
        pattern="GR1348941[A-Za-z0-9_-]{20}",
        edge=Edge.FREE,
        positives=("«GR1348941{b64u:20}»",),
    ),
)
