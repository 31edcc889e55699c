"""The batch APIs of both providers, and OpenAI's files.

- `plan.py`: the settings, `emulator(batches=…)`
- `job.py`: one batch, its items and the time that it takes
- `anthropic.py`, `openai.py`: what each provider checks and shows of a batch; `lines.py`: the checks of a file's lines
- `files.py`: the files
- `routes.py`: the addresses
"""
