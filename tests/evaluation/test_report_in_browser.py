"""The report as a browser shows it: accessible, without errors, and no wider than a telephone."""

import html
import json
import re
import shutil
import subprocess
from importlib import util
from pathlib import Path

import pytest

BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
AXE = util.find_spec("axe_core_python")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
    pytest.mark.skipif(AXE is None, reason="axe-core-python is not installed"),
]
LOOK = """
<script>
addEventListener("load", async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  const wide = [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .filter(e => !e.closest(".wide") && !e.closest("svg")).map(e => e.outerHTML.slice(0, 120));
  const seen = {
    violations: found.violations.map(v => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 160)]),
    scroll: document.documentElement.scrollWidth, width: innerWidth, wide,
    paper: getComputedStyle(document.body).backgroundColor,
  };
  const told = document.createElement("pre");
  told.id = "seen"; told.textContent = JSON.stringify(seen); document.body.append(told);
});
</script>
"""


def look_at(page: Path, folder: Path, *, dark: bool = False) -> dict:
    """What a browser of 400 px says of the page, and what it complains of."""
    axe = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8").replace("</head>", f"<script>{axe}</script>{LOOK}</head>")
    (folder / "inner.html").write_text(text, encoding="utf-8")
    outer = f'<iframe id="inner" width="400" height="900" style="border:0" srcdoc="{html.escape(text)}"></iframe>'
    copy = """<script>addEventListener("message", () => 0); const wait = setInterval(() => {
      const told = document.getElementById("inner").contentDocument.getElementById("seen");
      if (told) { document.body.append(told.cloneNode(true)); clearInterval(wait); } }, 50);</script>"""
    (folder / "outer.html").write_text(f"<!doctype html><html lang='en'><body>{outer}{copy}</body></html>", encoding="utf-8")
    dark_mode = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=20000"]
    done = subprocess.run(
        [*command, *dark_mode, f"--user-data-dir={folder / 'browser'}", "--dump-dom", str(folder / "outer.html")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout.rpartition("</iframe>")[2], re.S)
    assert told, done.stderr[-2000:]
    return json.loads(html.unescape(told[1])) | {"console": re.findall(r"CONSOLE.*", done.stderr)}


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_accessible_narrow_and_silent(finished: Path, tmp_path: Path, dark: bool) -> None:
    seen = look_at(finished / "evaluate" / "report.html", tmp_path, dark=dark)
    assert seen["width"] == 400
    assert seen["scroll"] <= 400, seen["wide"]
    assert [found for found in seen["violations"] if found[0] in ("serious", "critical")] == []
    assert seen["console"] == []
    assert seen["paper"] == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
