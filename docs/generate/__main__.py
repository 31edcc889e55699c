"""`python -m docs.generate [folder]`: write the generated pages into a folder, `docs` by default."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.generate import differences, errors, gateway, llms, media, models, parameters, scale, server_tools, servers

PAGES = {
    "differences.md": differences.page,
    "errors.md": errors.page,
    "gateway_config.md": gateway.page,
    "media.md": media.page,
    "models.md": models.page,
    "parameters.md": parameters.page,
    "scale.md": scale.page,
    "server_tools.md": server_tools.page,
    "servers.md": servers.page,
    "llms.txt": llms.page,  # last: it reads the others
}

if __name__ == "__main__":
    folder = Path(sys.argv[1] if sys.argv[1:] else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")
