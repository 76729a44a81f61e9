#!/usr/bin/env python3
"""SARIF documents of real runs: valid, and the same findings as `--error-format=json`.

    sarif.py ACTC GOLDENS...

Valid against profile.json beside this file, which allows only what actc means to write. With ACT_SARIF_SCHEMA in the
environment, the path of the schema that OASIS publishes for SARIF 2.1.0, also against that; it is not kept here because its
licence does not let it be changed and passed on freely.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

try:
    import jsonschema
except ImportError:
    # Debian's python3-jsonschema is there for Debian's python3 alone.
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])
    sys.exit("sarif: the package python3-jsonschema is missing; `./setup test` installs it")

ACTC = pathlib.Path(sys.argv[1]).resolve()
GOLDENS = [pathlib.Path(name).resolve() for name in sys.argv[2:]]
HERE = pathlib.Path(__file__).resolve().parent

MODEL = """\
model m {
    input  x : f32[8]
    target y : class(3)
    p      = x |> linear(16) |> relu |> linear(3) |> softmax # é 漢字
    @allow(collapsed_linear, reason = "a \\"study\\" of 100 %")
    r      = x |> linear(16)
    loss   cross_entropy(p, y)
    loss   cross_entropy(r |> linear(3), y)
}
"""
BROKEN = "model broken {\n    # 漢字\n    input x : f32[2]\n    output \"é漢\" |> linaer(2)\n    output wrong\n}\n"


def schemas():
    paths = [HERE / "profile.json"]
    if os.environ.get("ACT_SARIF_SCHEMA"):
        paths.append(pathlib.Path(os.environ["ACT_SARIF_SCHEMA"]))
    for path in paths:
        schema = json.loads(path.read_text())
        yield jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())


VALIDATORS = list(schemas())


def place(region):
    return region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]


def json_place(span):
    return span["line"], span["column"], span["end_line"], span["end_column"]


def path_of(location):
    return urllib.parse.unquote(location["artifactLocation"]["uri"])


class Sarif(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sarif")
        self.addCleanup(self.folder.cleanup)
        self.at = pathlib.Path(self.folder.name)

    def actc(self, *args, code=None):
        env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "CLICOLOR_FORCE")}
        done = subprocess.run([ACTC, "check", *args], cwd=self.at, env=env, capture_output=True, text=True, timeout=100)
        self.assertIn(done.returncode, (0, 1, 2) if code is None else (code,), done.stderr)
        return done

    def run_of(self, *args, code=None):
        document = json.loads(self.actc("--error-format=sarif", *args, code=code).stdout)  # one, or this fails
        for validator in VALIDATORS:
            validator.validate(document)
        run = document["runs"][0]
        rules = run["tool"]["driver"]["rules"]
        self.assertEqual([r["id"] for r in rules], sorted({r["id"] for r in rules}))
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
        self.assertEqual({r["id"] for r in rules}, {r["ruleId"] for r in run["results"]})
        prints = [(path_of(r["locations"][0]["physicalLocation"]) if r["locations"] else "",
                   r["partialFingerprints"]["actFinding/v1"]) for r in run["results"]]
        self.assertEqual(len(prints), len(set(prints)))
        return run

    def same_as_json(self, *args):
        """What is not suppressed says in SARIF what it says in JSON."""
        found = [json.loads(line) for line in self.actc("--error-format=json", *args).stdout.splitlines()]
        results = [r for r in self.run_of(*args)["results"] if "suppressions" not in r]
        self.assertEqual(len(found), len(results))
        for want, got in zip(found, results):
            self.assertEqual((got["ruleId"], got["level"]), (want["code"], want["level"]))
            lines = [want["message"]] + ["note: " + n for n in want["notes"]]
            self.assertTrue(got["message"]["text"].startswith("\n".join(lines)))
            spans = [(s["file"], json_place(s), s["label"]) for s in want["spans"]]
            places = got["locations"] + got.get("relatedLocations", [])
            self.assertEqual(spans, [(path_of(p["physicalLocation"]), place(p["physicalLocation"]["region"]),
                                      p.get("message", {}).get("text", "")) for p in places])
            edits = [(e.get("file", want["spans"][0]["file"]), json_place(e), e["text"])
                     for e in want.get("fix", {}).get("edits", [])]
            replaced = [(path_of(change), place(r["deletedRegion"]), r.get("insertedContent", {}).get("text", ""))
                        for fix in got.get("fixes", []) for change in fix["artifactChanges"]
                        for r in change["replacements"]]
            self.assertEqual(sorted(edits), sorted(replaced))
            for fix in got.get("fixes", []):
                self.assertEqual(fix["properties"]["applicability"], want["fix"]["applicability"])
        return len(found)

    def test_one_document_for_many_files(self):
        (self.at / "my models").mkdir()
        (self.at / "my models" / "é,%: b.act").write_text(MODEL)
        (self.at / "broken.act").write_text(BROKEN)
        (self.at / "clean.act").write_text("model c {\n    input x : f32[2]\n    output x |> linear(2)\n}\n")
        run = self.run_of(".", code=1)
        self.assertEqual([path_of(r["locations"][0]["physicalLocation"]) for r in run["results"]],
                         ["broken.act", "broken.act", "my models/é,%: b.act", "my models/é,%: b.act"])
        self.assertGreaterEqual(self.same_as_json("."), 3)
        # columns are code points, ends are exclusive
        text = BROKEN.splitlines()[3]
        region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
        self.assertEqual(text[region["startColumn"] - 1:region["endColumn"] - 1], "linaer")

    def test_suppressed(self):
        (self.at / "m.act").write_text(MODEL)
        results = self.run_of("m.act", code=1)["results"]
        self.assertEqual([(r["ruleId"], "suppressions" in r) for r in results], [("ACT201", False), ("ACT301", True)])
        self.assertEqual(results[1]["suppressions"][0]["justification"], 'a "study" of 100 %')
        # a suppressed finding stops nothing
        self.assertEqual(len(self.run_of("-A", "ACT201", "m.act", code=0)["results"]), 1)

    def test_nothing_to_say(self):
        (self.at / "c.act").write_text("model c {\n    input x : f32[2]\n    output x |> linear(2)\n}\n")
        run = self.run_of("c.act", code=0)
        self.assertEqual((run["results"], run["tool"]["driver"]["rules"]), ([], []))
        self.assertTrue(run["invocations"][0]["executionSuccessful"])
        self.assertFalse(self.run_of("c.act", "missing.act", code=2)["invocations"][0]["executionSuccessful"])

    def test_fingerprints_survive_moves(self):
        twice = MODEL + MODEL.replace("model m", "model n")
        (self.at / "m.act").write_text(twice)
        prints = [r["partialFingerprints"]["actFinding/v1"] for r in self.run_of("m.act")["results"]]
        self.assertEqual(len(set(prints)), len(prints))
        (self.at / "m.act").write_text("# moved\n\n\n" + twice.replace("    p  ", "  p  ").replace("    r  ", "\tr  "))
        self.assertEqual(prints, [r["partialFingerprints"]["actFinding/v1"] for r in self.run_of("m.act")["results"]])
        (self.at / "m.act").write_text(twice.replace("linear(16) |> relu", "linear(17) |> relu"))
        self.assertNotEqual(prints, [r["partialFingerprints"]["actFinding/v1"] for r in self.run_of("m.act")["results"]])

    def test_standard_input_and_absolute_paths(self):
        done = subprocess.run([ACTC, "check", "--error-format=sarif", "-"], input=MODEL, cwd=self.at, capture_output=True, text=True)
        document = json.loads(done.stdout)
        for validator in VALIDATORS:
            validator.validate(document)
        (self.at / "m.act").write_text(MODEL)
        uri = self.run_of(str(self.at / "m.act"))["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        self.assertEqual(uri, (self.at / "m.act").as_uri())

    def test_every_golden(self):
        said = 0
        for path in GOLDENS:
            with self.subTest(golden=path.name):
                (self.at / path.name).write_bytes(path.read_bytes())
                said += self.same_as_json("--notes", path.name)
        self.assertGreater(said, len(GOLDENS) // 3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
