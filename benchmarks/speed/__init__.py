"""How fast neurotools is beside other caches and the raw limit: ``python -m benchmarks.speed``.

Read `rows` first: what is measured, against what, and what it should come to. `works` prepares
each measurement for one contestant, `contestants` says how each cache is set up, `worker` is the
process in which one contestant runs, `runner` lets them take turns, `report` shows what came out.
`growth` measures how cost grows, and draws it.
"""
