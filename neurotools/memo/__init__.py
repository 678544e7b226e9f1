"""The engine: everything a memoized call passes through.

Read it in the order of a call: `function` (one memoized callable, top to bottom), `signature`
(arguments to a canonical form) with `digest` (values to digests), `fingerprint` (code to a digest),
`naming` (both to a file name) with `literals` (arguments as text), `hierarchy` and `tiers` (where
results are kept), `formats` (how a result becomes bytes) with `seal` (what stands behind them in
the file), `turns` (one computation per key) with `locking`. `entry` and `errors` hold the values
that travel. Beside the road: `background` (what is sent later), `upkeep` and `look` (what is in a
cache), `explain` and `lineage` (why, and from what), `many` and `working` (many calls, on many
processes), and what the other doors stand on: `nodes`, `commands`, `stages`, `layers`, `cells`.
"""
