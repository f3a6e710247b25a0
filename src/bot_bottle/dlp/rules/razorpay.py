"""Credentials of Razorpay."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="razorpay-key-id",
        vendor="Razorpay",
        docs="https://razorpay.com/docs/api/authentication/",
        pattern="rzp_(?:live|test)_[A-Za-z0-9]{14}",
        prefix="rzp_live_",
        entropy=2.5,
        positives=("«rzp_live_{b62:14}»",),
    ),
    Rule(
        name="razorpay-key-secret",
        vendor="Razorpay",
        docs="https://razorpay.com/docs/api/authentication/",
        pattern="[A-Za-z0-9]{24}",
        find=Find.ASSIGNED,
        keywords=(
            "razorpay",
            "rzp",
        ),
        named=("secret",),
        entropy=3.4,
        rank=30,
        positives=("RAZORPAY_KEY_SECRET=«{b62:12}5{b62:11}»",),
    ),
)
