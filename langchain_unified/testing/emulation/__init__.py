"""The emulator: both providers' protocols, rules and prompt caches on this machine.

- `server.py`: the server (`with emulator() as server`); start to read here
- `app.py`: the routes; `recording.py`: the requests; `sending.py`: the answers on their way, by `delivery.py`
- `providers.py`: what happens to one call, without HTTP; `exchange.py`: its answers that are no model's
- `batches/`: the batch APIs and OpenAI's files
- `quota.py`: the rate limits
- `rules/`: what the providers refuse
- `script.py`, `assistant.py`: the answers, scripted or built in; values for JSON Schemas are made by `schema_values.py`
- `cache.py`: what a prompt reads from the cache and writes to it
- `servers.py`: how other servers answer, which `emulator(server=…)` plays
- `faults.py`: what goes wrong on demand
"""
