"""What changes the text: fixes, silencing, formatting."""
import subprocess

from client import apply, place, span
from session import ACTC, Session, main

WRONG = """model m {
    input  x : f32[64]
    target y : class(10)
    p = x |> linear(10) |> softmax
    loss   cross_entropy(p, y)
    metric acuracy(p, y)
}
"""
DEEP = """model m {
    input  x : f32[64]
    target y : class(10)
    h = x |> linear(64) |> sigmoid
          |> linear(64) |> sigmoid
          |> linear(64) |> sigmoid
          |> linear(64) |> sigmoid
    loss cross_entropy(h |> linear(10), y)
}
"""


class Fixes(Session):
    def actions(self, mark=None, only=None):
        begin = place(self.text, mark) if mark else (0, 0)
        end = begin if mark else (9999, 0)
        context = {"diagnostics": [], **({"only": only} if only else {})}
        where = {"textDocument": {"uri": self.file}, "range": span(begin, end)}
        return self.client.request("textDocument/codeAction", dict(where, context=context))

    def applied(self, action):
        return apply(self.text, action["edit"]["changes"][self.file])

    def test_preferred(self):
        self.show(WRONG)
        fix, = [a for a in self.actions("acuracy") if a["kind"] == "quickfix"]
        self.assertTrue(fix["isPreferred"])
        self.assertEqual(fix["diagnostics"][0]["code"], "ACT1206")
        self.assertEqual(self.applied(fix), WRONG.replace("acuracy", "accuracy"))
        self.assertEqual([a["kind"] for a in self.actions("input")], ["source.fixAll.actc"])

    def test_fix_all(self):
        self.show(WRONG.replace("linear(", "liner("))
        fix, = self.actions(only=["source.fixAll"])
        self.assertEqual(self.applied(fix), WRONG.replace("acuracy", "accuracy"))
        self.assertEqual(self.actions(only=["refactor"]), [])
        self.assertTrue(all(a["kind"] == "quickfix" for a in self.actions(only=["quickfix"])))

    def test_fix_is_what_check_does(self):
        """Fixing all until nothing is left gives the file that `actc check --fix` writes."""
        wrong = WRONG.replace("acuracy", "accuracy")
        path = self.root / "fixed.act"
        path.write_text(wrong)
        subprocess.run([ACTC, "check", "--fix", str(path)], capture_output=True)
        self.show(wrong)
        text, version = wrong, 1
        while True:
            fixes = self.actions(only=["source.fixAll.actc"])
            if not fixes:
                break
            text = self.text = apply(text, fixes[0]["edit"]["changes"][self.file])
            version += 1
            self.client.change(self.file, version, text)
            self.assertLess(version, 9)
        self.assertEqual(text, path.read_text())

    def test_unsafe(self):
        self.show(DEEP)
        actions = self.actions("sigmoid")
        fix = next(a for a in actions if "edit" in a and a["title"].startswith("ACT302"))
        self.assertNotIn("isPreferred", fix)
        self.assertIn("changes what the network computes", fix["title"])
        self.assertNotIn("sigmoid", self.applied(fix))
        self.assertFalse([a for a in actions if a["kind"].startswith("source")])

    def test_guess(self):
        self.show("model m {\n    input x : f32[8]\n    output y = x |> Dense(2)\n}\n")
        fix = next(a for a in self.actions("Dense") if a["title"].startswith("ACT1206"))
        self.assertTrue(fix["title"].endswith("here it is called `linear` (a guess)"), fix["title"])

    def test_silence(self):
        self.show(DEEP)
        silence = next(a for a in self.actions("sigmoid") if a["title"].startswith("Silence"))
        text = self.applied(silence)
        self.assertEqual(text, DEEP.replace("    h =", '    @allow(saturating_hidden, reason = "say why it is meant")\n    h ='))
        self.client.change(self.file, 2, text)
        self.assertEqual(self.client.diagnostics(self.file, 2), [])

    def test_hard_errors_are_not_silenced(self):
        self.show(WRONG)
        self.assertFalse([a for a in self.actions("acuracy") if a["title"].startswith("Silence")])


class Formatting(Session):
    def format(self):
        options = {"tabSize": 4, "insertSpaces": True}
        return self.client.request("textDocument/formatting", {"textDocument": {"uri": self.file}, "options": options})

    def test_as_fmt(self):
        for name, text in (("a.act", WRONG.replace("    p =", "  p   =").replace("|> softmax", "|>softmax")),
                           ("b.act", "param  a=1 # \U0001F600\n\n\n\nparam b =2\n"),
                           ("c.act", "# only a comment"), ("d.act", DEEP.replace("\n          |>", " |>"))):
            self.show(text, name)
            done = subprocess.run([ACTC, "fmt", "-"], input=text.encode(), capture_output=True)
            self.assertEqual(apply(text, self.format()), done.stdout.decode(), name)

    def test_one_line(self):
        """Only the lines that differ are replaced."""
        self.show(WRONG.replace("p = x", "p  =  x"))
        edit, = self.format()
        self.assertEqual(edit["range"], span((3, 0), (4, 0)))

    def test_nothing(self):
        self.show(DEEP)
        self.assertEqual(self.format(), [])
        self.client.change(self.file, 2, DEEP + "model {")
        self.assertEqual(self.format(), [])  # a broken file stays as it is


if __name__ == "__main__":
    main()
