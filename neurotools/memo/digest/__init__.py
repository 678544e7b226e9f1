"""Values to canonical 128-bit digests: `values`, `arrays`, `files`, `foreign`."""
