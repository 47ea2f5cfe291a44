"""The command `saddle`: one small file a verb.

No file here imports torch, numpy or matplotlib before a verb needs it, so `saddle --help` answers at once.
"""

from __future__ import annotations

from .main import app, main, run

__all__ = ["app", "main", "run"]
