"""Opens pages in Chromium, where there is one: no error on the console, nothing wider than the screen, values below the pointer."""
import html
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

NAMES = ("chromium", "chromium-browser", "google-chrome")

# What a reader's pointer would do, and what came of it, as the page's title.
PROBE = """<script>
addEventListener('load', function () {
  const hits = document.querySelectorAll('.hit'), tip = document.getElementById('tip');
  let said = 0;
  hits.forEach(function (hit) {
    const box = hit.getBoundingClientRect();
    hit.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: box.left + 1, clientY: 20}));
    if (!tip.hidden && tip.textContent.length > 3) said++;
  });
  document.body.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: 1, clientY: 1}));
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.title = 'probe ' + [hits.length, said, wide, tip.hidden, dark, getComputedStyle(document.body).backgroundColor].join('|');
});
</script>
"""


def dump(program, path, width, dark):
    with tempfile.TemporaryDirectory(prefix="browser") as home:
        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={home}", "--enable-logging=stderr", "--v=0",
                   f"--window-size={width},900", f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--dump-dom", path.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=dict(os.environ, HOME=home))
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def check(program, path, width, dark):
    dom, console = dump(program, path, width, dark)
    assert not console, (path.name, console[:3])
    probe = re.search(r"<title>probe ([^<]*)</title>", dom)
    assert probe, f"{path.name}: the script did not come to its end"
    hits, said, wide, hidden, is_dark, colour = html.unescape(probe.group(1)).split("|")
    assert int(hits) > 0 and hits == said, f"{path.name}: {said} of {hits} places say their values"
    assert int(wide) <= 0, f"{path.name} is {wide} pixels wider than a screen of {width}"
    assert hidden == "true" and is_dark == ("true" if dark else "false"), (path.name, hidden, is_dark)
    return colour


def look(folder, names):
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        print("skipped: there is no Chromium to open the pages in")
        return
    for name in names:
        page = pathlib.Path(folder, name).read_text()
        copy = pathlib.Path(folder, "probe-" + name)
        copy.write_text(page.replace("</body>", PROBE + "</body>"))
        light = check(program, copy, 360, False)
        dark = check(program, copy, 1400, True) if name == names[-1] else None
        assert light != dark, "light and dark look alike"
    broken = pathlib.Path(folder, "broken.html")  # would an error be seen?
    broken.write_text("<!DOCTYPE html><script>nothing.there()</script>")
    assert dump(program, broken, 360, False)[1]
    print(f"{len(names)} pages in {pathlib.Path(program).name}")
