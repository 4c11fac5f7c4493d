"""Wall and monotonic time, and what is known of the wall clock. The only room that reads a clock."""

from __future__ import annotations

from gateway.clock.system import Clock, SystemClock, boot_id

__all__ = ["Clock", "SystemClock", "boot_id"]
