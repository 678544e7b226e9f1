"""Real faults, laid on purpose: kills, full disks, failing calls, other users."""
