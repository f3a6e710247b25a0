"""Shipped fakes and the backend contract suite."""
