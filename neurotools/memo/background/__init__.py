"""Results on their way to slower tiers, while callers go on."""
