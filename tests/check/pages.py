"""The rules and the examples on their pages, as actc prints them."""
import json
import re
import subprocess


def rules(actc):
    """One dict for each rule of the checker: code, name, group, level, summary. Those of the monitor speak while a network trains."""
    listed = subprocess.run([actc, "list", "rules", "--format=json"], capture_output=True, text=True, timeout=60)
    return [rule for rule in map(json.loads, listed.stdout.splitlines()) if rule["group"] != "monitor"]


def page(actc, name):
    return subprocess.run([actc, "explain", name], capture_output=True, text=True, timeout=60).stdout


def example(text, title):
    """The code under a title, "Wrong" or "Right", without its four spaces; None when there is none."""
    found = re.search(rf"^{title}:\n\n((?:    .*\n|\n)+)", text, re.M)
    return re.sub(r"^    ", "", found.group(1).rstrip("\n") + "\n", flags=re.M) if found else None


def flags(rule):
    """What makes a rule speak in spite of its level."""
    return {"allowed": ["-W", rule["code"]], "note": ["--notes"]}.get(rule["level"], [])
