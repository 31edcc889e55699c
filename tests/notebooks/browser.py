"""A page as a person sees it: headless Chromium opens it and reports what is visible."""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "there is no Chromium: install it (Debian: apt-get install chromium), or set $CHROMIUM to its path"

FLAGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1000,1200",
    "--virtual-time-budget=3000", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip

# Runs one second after the page is loaded. The contrast is that of WCAG 2, with the opacity and the backgrounds of all
# ancestors.
PROBE = r"""
<script>
const channels = text => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
const over = ([r, g, b, a], under) => [r, g, b].map((value, at) => value * a + under[at] * (1 - a));
const light = colour => {
  const [r, g, b] = colour.map(value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ancestors = element => element ? [...ancestors(element.parentElement), element] : [];
const contrast = element => {
  let ground = [255, 255, 255], opacity = 1;
  for (const each of ancestors(element)) {
    const style = getComputedStyle(each);
    ground = over(channels(style.backgroundColor), ground);
    opacity *= Number(style.opacity);
  }
  const [r, g, b, a] = channels(getComputedStyle(element).color);
  const [high, low] = [light(over([r, g, b, a * opacity], ground)), light(ground)].sort((one, two) => two - one);
  return (high + 0.05) / (low + 0.05);
};
const spoken = element => [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
const seen = element => element.checkVisibility() && spoken(element);
const look = () => {
  const texts = [...document.querySelectorAll(".lcu *")].filter(seen);
  const found = {
    text: document.body.innerText,
    dark: light(channels(getComputedStyle(document.body).backgroundColor)) < 0.2,
    pwned: window.pwned ?? null,
    loaded: performance.getEntriesByType("resource").map(entry => entry.name),
    links: [...document.querySelectorAll(".lcu a")].map(link => link.href),
    faint: texts.filter(each => contrast(each) < 4.5).map(each => each.innerText.slice(0, 60)),
    texts: texts.length,
    wide: [...document.querySelectorAll(".lcu")].filter(each => each.scrollWidth > each.clientWidth + 1).length,
    aligned: [...new Set([...document.querySelectorAll(".lcu td")].map(cell => getComputedStyle(cell).textAlign))],
  };
  const pre = document.createElement("pre");
  pre.id = "probe";
  pre.textContent = JSON.stringify(found);
  document.body.append(pre);
};
addEventListener("load", () => setTimeout(look, 1000));
</script>
"""


@dataclass(frozen=True)
class Sight:
    """What is visible. `faint`: our texts with a contrast below 4.5; `wide`: displays that are wider than the page."""

    text: str
    dark: bool
    pwned: Any
    loaded: list[str]
    links: list[str]
    faint: list[str]
    texts: int
    wide: int
    aligned: list[str]


def chromium() -> str | None:
    """The path of Chromium; `None` if there is none."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


def look(page: str, *, dark: bool = False) -> Sight:
    """Open a page. `dark`: with a dark system theme."""
    program = chromium()
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(page.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
        root = ["--no-sandbox"] if os.name != "nt" and os.geteuid() == 0 else []
        command = [
            program,
            *FLAGS,
            *root,
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            f"--user-data-dir={folder}/profile",
            "--dump-dom",
            file.as_uri(),
        ]
        out, err = _run(command)
    found = re.search(r'<pre id="probe">(.*?)</pre>', out, re.DOTALL)
    assert found is not None, f"Chromium showed nothing: {err[-2000:]}"
    return Sight(**json.loads(html.unescape(found[1])))


def _run(command: list[str]) -> tuple[str, str]:
    """The standard output and error of a command. At the end its child processes are ended, too."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            out, err = process.communicate(timeout=120)
        finally:
            if os.name == "nt":
                process.kill()
            else:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    return out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
