"""A pytest plugin for ``make fuzz``: only the property tests, each with many more examples and no deadline.

Loaded by name (``-p fuzz_plugin``); the number comes from ``BOT_BOTTLE_FUZZ_EXAMPLES``. Without it nothing
changes, so that a property test is an ordinary test in ``make test``.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

EXAMPLES = int(os.environ.get("BOT_BOTTLE_FUZZ_EXAMPLES", "20000"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the property tests; a number of examples written in a test gives way to ours."""
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        function = getattr(item, "obj", None)
        if function is None or not is_hypothesis_test(function):
            left.append(item)
            continue
        function = getattr(function, "__func__", function)
        written = getattr(function, "_hypothesis_internal_use_settings", settings.default)
        # Hypothesis has no public way to replace the settings of a decorated test; the attribute is where
        # its own decorator puts them.
        function._hypothesis_internal_use_settings = settings(
            written, max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck)
        )
        kept.append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept
