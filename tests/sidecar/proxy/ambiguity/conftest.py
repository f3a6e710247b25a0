"""What these tests share is imported from beside them (importlib mode puts nothing on the path)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
