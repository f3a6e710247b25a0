"""Secret keys of web frameworks."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="django-secret-key",
        vendor="Django",
        docs="https://docs.djangoproject.com/en/stable/ref/settings/#secret-key",
        pattern="secret_key[\"'\\s]{0,4}[=:]\\s{0,4}[bru]{0,2}[\"']([a-z0-9!@#$%^&*(\\-_=+)]{50})[\"']",
        group=1,
        caseless=True,
        edge=Edge.FREE,
        entropy=3.8,
        rank=32,
        positives=("SECRET_KEY = '«{b36:20}#&({b36:27}»'\n",),
    ),
    Rule(
        name="wordpress-salt",
        vendor="WordPress",
        docs="https://developer.wordpress.org/apis/wp-config-php/",
        pattern=r"define\(\s{0,4}'(?:SECURE_|LOGGED_IN_)?(?:AUTH|NONCE|LOGGED_IN)_(?:KEY|SALT)',\s{1,20}'([^'\n]{40,80})'\s{0,2}\)",
        group=1,
        edge=Edge.FREE,
        entropy=4.2,
        rank=60,
        positives=("define('AUTH_KEY',         '«{b62:30}|+ -{b62:30}»');",),
        negatives=("define('AUTH_KEY', 'put your unique phrase here put your unique phrase');",),
    ),
)
