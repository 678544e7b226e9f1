"""Functions to fingerprints: `source`, `reach`, `manifest`."""
