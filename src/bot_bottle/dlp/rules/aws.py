"""Credentials of Amazon Web Services."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="aws-access-key-id",
        vendor="Amazon Web Services",
        docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
        pattern="AKIA[A-Z2-7]{16}",
        edge=Edge.SHORT,
        entropy=2.6,
        positives=(
            "aws_access_key_id = «AKIA{b32:16}»",
            "x«AKIA{b32:16}»AKIA",
        ),
        negatives=(
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAXXXXXXXXXXXXXXXX",
            "AKIA1234567890123456",
            "{b32:40}AKIA{b32:60}",
        ),
    ),
    Rule(
        name="aws-temporary-key-id",
        vendor="Amazon Web Services",
        docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
        pattern="(?:ASIA|ABIA|ACCA)[A-Z2-7]{16}",
        prefix="ASIA",
        edge=Edge.ALONE,
        end="[A-Za-z0-9+/=]",
        entropy=2.6,
        positives=("«ASIA{b32:16}»",),
        negatives=("ASIAIOSFODNN7EXAMPLE",),
    ),
    Rule(
        name="aws-key-pair",
        vendor="Amazon Web Services",
        docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
        pattern="(?:AKIA|ASIA)[A-Z2-7]{16}[^A-Za-z0-9+/=](?:.{0,100}?[^A-Za-z0-9+/=_-])?([A-Za-z0-9+/]{40})(?:[^A-Za-z0-9+/=_-]|$)",
        group=1,
        trigger="(?:AKIA|ASIA)[A-Z2-7]{16}",
        edge=Edge.FREE,
        entropy=4.2,
        rank=45,
        reach=180,
        positives=(
            "AKIA{b32:16},«{b64:40}»\n",
            "boto3.client('s3', 'AKIA{b32:16}', '«{b64:40}»')",
        ),
    ),
    Rule(
        name="aws-secret-access-key",
        vendor="Amazon Web Services",
        docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
        pattern="[A-Za-z0-9+/]{40}",
        find=Find.ASSIGNED,
        keywords=(
            "aws",
            "amazon",
            "secret_access",
            "secretaccess",
            "secret-access",
            "s3",
            "akia",
            "asia",
        ),
        named=(
            "secret",
            "key",
        ),
        entropy=4.0,
        rank=30,
        positives=(
            "aws_secret_access_key = «{b64:38}7x»",
            '{lb}"SecretAccessKey": "«{b64:20}3{b64:19}»"{rb}',
            "export AWS_SECRET_ACCESS_KEY=«{b64:12}9{b64:27}»",
        ),
        negatives=(
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_SECRET_ACCESS_KEY=${lb}AWS_SECRET{rb}",
        ),
    ),
    Rule(
        name="aws-session-token",
        vendor="Amazon Web Services",
        docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html",
        pattern="(?:IQoJ|FwoG|AQoD|FQoG)[A-Za-z0-9+/=]{100,}",
        find=Find.ASSIGNED,
        keywords=(
            "session",
            "security",
        ),
        rank=30,
        positives=("aws_session_token = «IQoJb3JpZ2luX2Vj{b64:300}»",),
        known="begins with the base64 of a protobuf head",
    ),
    Rule(
        name="aws-bedrock-key",
        vendor="Amazon Web Services",
        docs="https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
        pattern="ABSK[A-Za-z0-9+/]{100,270}={0,2}",
        positives=("AWS_BEARER_TOKEN_BEDROCK=«ABSK{b64:128}»",),
    ),
    Rule(
        name="aws-bedrock-short-term-key",
        vendor="Amazon Web Services",
        docs="https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
        pattern="bedrock-api-key-[A-Za-z0-9+/=_-]{60,}",
        edge=Edge.FREE,
        positives=("«bedrock-api-key-{b64:200}»",),
    ),
    Rule(
        name="amazon-mws-token",
        vendor="Amazon Marketplace",
        docs="https://developer-docs.amazon.com/sp-api/docs/welcome",
        pattern=r"amzn\.mws\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        positives=("«amzn.mws.{uuid}»",),
    ),
)
