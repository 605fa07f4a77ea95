"""A model provider that needs no key: it speaks the real protocols and can rehearse failures.

Stand-alone (`python -m palaverd.simulator`), and in process for tests (`Simulator`).
"""

from __future__ import annotations

from palaverd.simulator.app import Simulator

__all__ = ["Simulator"]
