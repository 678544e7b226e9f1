"""Stages and pipelines: functions whose inputs and results have names, and graphs of them.

Read in this order: `binding` (a stage's arguments), `files` (paths among values), `memory` (what a
stage remembers), `graph` (which stage feeds which), `running` (a graph, run), `plan` (a graph, and
what would run), `drawing` (a picture of it), `progress`.
"""
