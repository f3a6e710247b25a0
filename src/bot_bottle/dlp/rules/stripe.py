"""Credentials of Stripe."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="stripe-key",
        vendor="Stripe",
        docs="https://docs.stripe.com/keys",
        pattern="(?:sk|rk)_(?:live|test|prod|org_live|org_test)_[A-Za-z0-9]{16,}",
        prefix="sk_live_",
        positives=(
            "STRIPE_KEY=«sk_live_{b62:24}»",
            "«rk_live_{b62:99}»",
            "«sk_test_{b62:24}»",
            "«sk_live_51{b62:97}»",
        ),
        negatives=("sk_test_your_key_goes_here",),
    ),
    Rule(
        name="stripe-webhook-secret",
        vendor="Stripe",
        docs="https://docs.stripe.com/webhooks",
        pattern="whsec_[A-Za-z0-9+/=]{32,}",
        edge=Edge.FREE,
        positives=("STRIPE_WEBHOOK_SECRET=«whsec_{b62:32}»",),
    ),
)
