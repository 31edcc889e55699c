"""The emulator: both providers' protocols, rules and prompt caches on this machine.

`server.py` is where to start (a thread, a port, `with emulator() as server`), `app.py` the HTTP, `engine.py` a
request's way without HTTP: `rules*.py` refuse, `script.py` and `assistant.py` answer, `cache.py` counts, `delivery.py`
frames, `faults.py` breaks.
"""
