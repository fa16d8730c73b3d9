"""Reports of many regions with one command: parameters checked, notebooks run side by side, outputs placed whole.

`run.run(file)` is the way in; importing this package itself costs nothing.
"""
