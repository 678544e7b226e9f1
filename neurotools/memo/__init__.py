"""The engine: everything a memoized call passes through.

Read it in the order of a call: `function` (one memoized callable, top to bottom), `signature`
(arguments to a canonical form) with `digest` (values to digests), `fingerprint` (code to a digest),
`naming` (both to a file name) with `literals` (arguments as text), `hierarchy` and `tiers` (where
results are kept), `formats` (how a result becomes bytes) with `seal` (what stands behind them in
the file), `flight` (one computation per key) and `maintenance` (what is in a cache). `entry` and
`errors` hold the values that travel.
"""
