"""Every fault of the emulator, on each API, whole and streamed, sync and async: class, attempts, requests, partial message."""
