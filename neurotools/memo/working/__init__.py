"""The kinds of workers that `neurotools.memo.executors` offers under one interface."""
