"""Shell commands that are remembered: run again only when something that counts has changed.

Read in this order: `call` (what is asked for), `contents` (what files hold), `state` (what a run
would read now), `records` (the runs that are remembered), `running` (a process, its streams and
signals), `kept` and `keeping` (copies of outputs), `remember` (one command, top to bottom). Nothing
here loads numpy but `keeping`: a command that is skipped is to cost little.
"""
