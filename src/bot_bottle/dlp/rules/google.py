"""Credentials of Google."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="google-api-key",
        vendor="Google",
        docs="https://cloud.google.com/docs/authentication/api-keys",
        pattern="AIza[A-Za-z0-9_-]{35}",
        positives=(
            "https://maps.googleapis.com/maps/api/js?key=«AIza{b64u:34}Q»",
            "GEMINI_API_KEY=«AIzaSy{b64u:33}»",
        ),
        negatives=("AIzaxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",),
    ),
    Rule(
        name="google-auth-key",
        vendor="Google",
        docs="https://ai.google.dev/gemini-api/docs/api-key",
        pattern=r"AQ\.Ab[A-Za-z0-9_-]{40,}",
        positives=("GEMINI_API_KEY=«AQ.Ab8RN6{b64u:44}»",),
    ),
    Rule(
        name="google-oauth-client-secret",
        vendor="Google",
        docs="https://developers.google.com/identity/protocols/oauth2",
        pattern="GOCSPX-[A-Za-z0-9_-]{28}",
        positives=('"client_secret":"«GOCSPX-{b64u:28}»"',),
    ),
    Rule(
        name="google-oauth-access-token",
        vendor="Google",
        docs="https://developers.google.com/identity/protocols/oauth2",
        pattern=r"ya29\.[A-Za-z0-9_-]{30,}",
        positives=("Authorization: Bearer «ya29.a0{b64u:160}»",),
    ),
    Rule(
        name="google-oauth-refresh-token",
        vendor="Google",
        docs="https://developers.google.com/identity/protocols/oauth2",
        pattern="1//0[A-Za-z0-9_-]{60,}",
        edge=Edge.ALONE,
        end="[+/=]",
        positives=('"refresh_token": "«1//0{b64u:98}»"',),
    ),
    Rule(
        name="gcp-service-account-key",
        vendor="Google",
        docs="https://cloud.google.com/iam/docs/keys-create-delete",
        pattern="private_key[\\\\\"':\\s=]{1,16}(-----BEGIN (?:RSA )?PRIVATE KEY-----(?:\\\\{1,4}[nr]|\\s){0,4}[A-Za-z0-9+/]{32})",
        group=1,
        trigger="private_key[\\\\\"':\\s=]{1,16}-----BEGIN (?:RSA )?PRIVATE KEY-----",
        edge=Edge.FREE,
        keywords=(
            "service_account",
            "client_email",
            "private_key_id",
            "gserviceaccount",
        ),
        random=False,
        rank=95,
        reach=1024,
        positives=(
            r'{lb}"type": "service_account", "private_key": "«-----BEGIN PRIVATE KEY-----\n{pem:900}\n-----END PRIVATE KEY-----»\n"{rb}',
        ),
    ),
    Rule(
        name="firebase-server-key",
        vendor="Google",
        docs="https://firebase.google.com/docs/cloud-messaging/migrate-v1",
        pattern="AAAA[A-Za-z0-9_-]{7}:[A-Za-z0-9_-]{140}",
        trigger="",
        positives=("key=«AAAA{b64u:7}:{b64u:140}»",),
    ),
)
