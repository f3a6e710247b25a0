"""Connections and streams around a strict parser; the decision itself is egress.decide."""
