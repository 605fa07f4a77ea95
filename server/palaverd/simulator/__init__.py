"""A simulated model provider: real protocols, no key, failures on request.

Stand-alone (`python -m palaverd.simulator`), and in process for tests (`Simulator`).
"""

from __future__ import annotations

from palaverd.simulator.app import Simulator

__all__ = ["Simulator"]
