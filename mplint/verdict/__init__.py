"""What becomes of an exception on its way from a worker to the parent: the constructor re-executed symbolically, before and after pickle.

`judge.verdict` decides, `alarms` says it, `recipes` repairs.  Inside: `terms` are the values, `machine` is one run, `expressions`,
`statements`, `calls` and `objects` execute facts, `builtins` are the exceptions written in C, `transit` is pickle.
"""
