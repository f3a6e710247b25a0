"""Names under which services take an account out of a URL, each with the page that says so (egress.md §10.1).

On a host where our credential stands, such a name would have the request counted as somebody else's (threats
E1). The table is compared with a parameter's name in letters and digits alone and in lower case: servers part
words differently (PHP reads ``api key`` and ``api.key`` as ``api_key``). What reads the URL is ``decide``.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot_bottle.egress.paths import unquoted

_OAUTH = "https://www.rfc-editor.org/rfc/rfc6749 (section 8.5)"
_AZURE = "https://learn.microsoft.com/rest/api/storageservices/create-service-sas"
_S3 = "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"
_S3_OLD = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html"
_GITLAB = "https://docs.gitlab.com/api/rest/authentication/"
_OPENAPI = "https://spec.openapis.org/oas/v3.1.0#security-scheme-object (in: query)"
_OSS = "https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-a-url"
_DATADOG = "https://docs.datadoghq.com/api/latest/authentication/"
_CLOUDFRONT = (
    "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
    "private-content-creating-signed-url-canned-policy.html"
)

IDENTITY_KEYS: Mapping[str, str] = {
    # keys
    "key": "https://cloud.google.com/docs/authentication/api-keys-use",
    "api_key": _OPENAPI,
    "app_key": "https://api-portal.tfl.gov.uk/faq",
    "appsecret_proof": "https://developers.facebook.com/docs/graph-api/guides/secure-requests",
    "application_key": _DATADOG,
    "dd-api-key": _DATADOG,
    "dd-application-key": _DATADOG,
    "access_key": "https://apilayer.com/docs",
    "access_key_id": "https://docs.cloud.google.com/storage/docs/authentication/hmackeys",
    "auth_key": "https://developers.deepl.com/docs/getting-started/auth",
    "consumer_key": "https://www.rfc-editor.org/rfc/rfc5849 (OAuth 1.0)",
    "license_key": "https://dev.maxmind.com/geoip/updating-databases",
    "secret_key": "https://developers.google.com/recaptcha/docs/verify",
    "subscription-key": "https://learn.microsoft.com/azure/api-management/api-management-subscriptions",
    "ocp-apim-subscription-key": "https://learn.microsoft.com/azure/api-management/api-management-subscriptions",
    "user_key": "https://pushover.net/api",
    "x-api-key": "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html",
    "x-algolia-api-key": "https://www.algolia.com/doc/rest-api/search/#section/Authentication",
    "x-algolia-application-id": "https://www.algolia.com/doc/rest-api/search/#section/Authentication",
    # tokens
    "access_token": "https://www.rfc-editor.org/rfc/rfc6750 (section 2.3)",
    "api_token": "https://docs.readthedocs.com/platform/stable/api/v3.html",
    "app_token": "https://dev.socrata.com/docs/app-tokens.html",
    "assertion": "https://www.rfc-editor.org/rfc/rfc7521 (section 4.1)",
    "auth": "https://docs.ntfy.sh/publish/#query-param",
    "auth_token": "https://www.hipchat.com/docs/api/auth",
    "authenticity_token": "https://guides.rubyonrails.org/security.html#cross-site-request-forgery-csrf",
    "authorization": "https://www.dropbox.com/developers/documentation/http/documentation",
    "bearer": "https://www.rfc-editor.org/rfc/rfc6750",
    "bearer_token": "https://jupyter-server.readthedocs.io/en/latest/operators/security.html",
    "bot_token": "https://core.telegram.org/bots/api#authorizing-your-bot",
    "client_assertion": "https://www.rfc-editor.org/rfc/rfc7521 (section 4.2)",
    "code_verifier": "https://www.rfc-editor.org/rfc/rfc7636 (section 4.5)",
    "device_code": "https://www.rfc-editor.org/rfc/rfc8628 (section 3.4)",
    "feed_token": "https://docs.gitlab.com/security/tokens/#feed-token",
    "id_token": "https://openid.net/specs/openid-connect-core-1_0.html (section 2)",
    "id_token_hint": "https://openid.net/specs/openid-connect-core-1_0.html (section 3.1.2.1)",
    "job_token": _GITLAB,
    "jwt": "https://docs.nginx.com/nginx/admin-guide/security-controls/configuring-jwt-authentication/",
    "oauth_token": "https://www.rfc-editor.org/rfc/rfc5849",
    "personal_access_token": _GITLAB,
    "private_token": _GITLAB,
    "refresh_token": _OAUTH,
    "security-token": _OSS,
    "session_token": "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html",
    "token": "https://api.slack.com/authentication/token-types",
    "user_token": "https://api.slack.com/authentication/token-types",
    "x-auth-token": "https://docs.openstack.org/api-ref/identity/v3/",
    "x-access-token": "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app",
    # who asks, and passwords
    "client_id": _OAUTH,
    "client_secret": _OAUTH,
    "api_secret": "https://cloudinary.com/documentation/upload_images#generating_authentication_signatures",
    "os_username": "https://developer.atlassian.com/server/jira/platform/basic-authentication/",
    "os_password": "https://developer.atlassian.com/server/jira/platform/basic-authentication/",
    "passwd": "https://www.rfc-editor.org/rfc/rfc7617",
    "password": "https://www.rfc-editor.org/rfc/rfc7617",
    "quota_user": "https://docs.cloud.google.com/apis/docs/capping-api-usage",
    "user_project": "https://docs.cloud.google.com/storage/docs/using-requester-pays",
    "secret": "https://developers.google.com/recaptcha/docs/verify",
    # sessions
    "session": "https://docs.djangoproject.com/en/stable/topics/http/sessions/",
    "session_id": "https://www.php.net/manual/en/session.idpassing.php",
    "sid": "https://www.php.net/manual/en/session.idpassing.php",
    "phpsessid": "https://www.php.net/manual/en/session.idpassing.php",
    "jsessionid": "https://jakarta.ee/specifications/servlet/6.0/ (section 7.1.3)",
    # signed URLs
    "awsaccesskeyid": _S3_OLD,
    "signature": _S3_OLD,
    "sig": _AZURE,
    "skoid": "https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas",
    "sktid": "https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas",
    "shared_access_signature": _AZURE,
    "googleaccessid": "https://docs.cloud.google.com/storage/docs/access-control/signed-urls-v2",
    "ossaccesskeyid": _OSS,
    "key-pair-id": _CLOUDFRONT,
    "hdnts": "https://github.com/akamai/EdgeAuth-Token-Python",
    "hdnea": "https://github.com/akamai/EdgeAuth-Token-Python",
    "hmac": "https://shopify.dev/docs/apps/build/authentication-authorization",
    "q-ak": "https://www.tencentcloud.com/document/product/436/14114",
    "q-signature": "https://www.tencentcloud.com/document/product/436/14114",
    "oauth_consumer_key": "https://www.rfc-editor.org/rfc/rfc5849",
    "oauth_signature": "https://www.rfc-editor.org/rfc/rfc5849",
    "oauth_verifier": "https://www.rfc-editor.org/rfc/rfc5849",
}
"""Name as it is documented, to the page."""

IDENTITY_PREFIXES: Mapping[str, str] = {
    "x-amz-": _S3,
    "x-goog-": "https://docs.cloud.google.com/storage/docs/authentication/signatures",
    "x-oss-": _OSS,
    "x-cos-": "https://www.tencentcloud.com/document/product/436/14114",
}
"""Beginnings of a name: whole families of signed URLs."""

MIN_SECRET_CHARS = 8
"""of a part of a path that is taken for the secret of a documented form"""


def plain(name: str) -> str:
    """*name* as it is compared: letters and digits, in lower case."""
    return "".join(char for char in name.lower() if char.isascii() and char.isalnum())


_KEYS = {plain(name): name for name in IDENTITY_KEYS}
_PREFIXES = {plain(name): f"{name}*" for name in IDENTITY_PREFIXES}


def identity_key(compared: str) -> str | None:
    """The documented name of the key that *compared* (:func:`plain`) is; None: it is none."""
    found = _KEYS.get(compared)
    if found is None and compared.startswith("x"):
        return next((name for prefix, name in _PREFIXES.items() if compared.startswith(prefix)), None)
    return found


def identity_in_path(path: str) -> str | None:
    """The documented form of a canonical *path* that carries an account's secret; None: it has none.

    ``bot<id>:<secret>`` is Telegram's (https://core.telegram.org/bots/api#making-requests),
    ``services/T…/B…/…`` Slack's (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks),
    ``webhooks/<id>/<token>`` Discord's (https://docs.discord.com/developers/resources/webhook), ``user:password@``
    in a path is a URL in a URL (RFC 3986 section 3.2.1), ``name=value`` a matrix parameter without its semicolon
    (https://www.w3.org/DesignIssues/MatrixURIs.html).
    """
    segments = (unquoted(path) if "%" in path else path).split("/")[1:]
    for index, segment in enumerate(segments):
        head, colon, tail = segment.partition(":")
        lower = head.lower()
        if colon and lower.startswith("bot") and lower[3:].isdecimal() and len(tail) >= MIN_SECRET_CHARS:
            return "bot<id>:<secret>"
        if colon and "@" in tail and head and tail.index("@"):
            return "user:password@"
        name, equals, _ = segment.partition("=")
        if equals and (key := identity_key(plain(name))):
            return f"{key}=…"
        rest = segments[index + 1 : index + 4]
        if lower == "services" and len(rest) == 3 and rest[0][:1] == "T" and rest[1][:1] == "B":
            return "services/T…/B…/…"
        if (
            lower == "webhooks"
            and len(rest) > 1
            and rest[0].isdecimal()
            and len(rest[1]) >= 3 * MIN_SECRET_CHARS
        ):
            return "webhooks/<id>/<token>"
    return None
