"""Values to canonical 128-bit digests.

`values` has what others call. `walk` goes through a value, `scalars` and `arrays` write its ends,
`writers` knows which type is written how: `plain` for the standard library, `foreign` for others,
`objects` for the rest. `files` digests what lies on disk.
"""
