"""Texts as they are typed: whole and in parts, in every encoding of positions, with imports and their diagnostics."""
import os
import random
import subprocess
import unittest

from client import apply, place, span, units
from session import ACTC, SOURCE, Session, main

GOOD = """model m {
    input  x : f32[4]
    target y : class(3)
    z = x |> linear(8) |> relu |> linear(3)
    loss cross_entropy(z, y)
}
"""


def codes(found):
    return [d["code"] for d in found]


class Sync(Session):
    def test_diagnostic(self):
        self.assertEqual(self.show(GOOD), [])
        self.client.change(self.file, 2, GOOD.replace("relu", "rellu"))
        found, = self.client.diagnostics(self.file, 2)
        self.assertEqual(found["code"], "ACT1206")
        self.assertEqual((found["severity"], found["source"]), (1, "actc"))
        self.assertEqual(found["range"], span((3, 26), (3, 31)))
        self.assertIn("`rellu`", found["message"])
        self.assertIn("help: ", found["message"])
        self.client.change(self.file, 3, GOOD)
        self.assertEqual(self.client.diagnostics(self.file, 3), [])

    def test_warning_with_places(self):
        found = self.show(GOOD.replace("cross_entropy(z, y)", "cross_entropy(z |> softmax, y)"))
        first = next(d for d in found if d["code"] == "ACT201")
        related = first["relatedInformation"]
        self.assertTrue(related and all(r["location"]["uri"] == self.file for r in related))

    def test_unnecessary(self):
        found = self.show(GOOD.replace("    z =", "    @allow(saturating_hidden, reason = \"old\")\n    z ="))
        self.assertEqual([(d["code"], d["severity"], d["tags"]) for d in found], [("ACT0001", 2, [1])])

    def test_closed(self):
        self.assertTrue(self.show("model {"))
        self.client.close(self.file)
        self.assertEqual(self.client.diagnostics(self.file), [])
        self.assertIsNone(self.client.at("hover", self.file, (0, 0)))

    def test_incremental(self):
        self.show(GOOD)
        self.client.change(self.file, 2, ((3, 26), (3, 30), "tanh"), ((3, 20), (3, 21), "1"), ((3, 21), (3, 21), "6"))
        self.assertEqual(self.client.diagnostics(self.file, 2), [])
        self.text = GOOD.replace("linear(8) |> relu", "linear(16) |> tanh")
        self.assertIn("f32[4] -> f32[16]", self.hover("linear(16)"))
        self.client.change(self.file, 3, ((5, 1), (5, 1), "\nmodel"), ((0, 0), (99, 99), GOOD))
        self.assertEqual(self.client.diagnostics(self.file, 3), [])

    def test_surrogates(self):
        """Edits and places behind characters of two UTF-16 units."""
        text = GOOD + 'data d {\n    train { x = csv("\U0001F600\U0001F680 \u00e4.csv", colums = 1..4) }\n}\n'
        found = self.show(text)
        line, character = place(text, "colums")
        self.assertEqual(character, 34)
        self.assertEqual([d["range"] for d in found if d["severity"] == 1], [span((line, 34), (line, 40))])
        self.client.change(self.file, 2, ((line, 39), (line, 40), "ns"))
        self.assertEqual([d for d in self.client.diagnostics(self.file, 2) if d["severity"] == 1], [])

    def test_every_edit_arrives(self):
        """Many edits among characters of one to four bytes; formatting gives the text back as it was understood."""
        random.seed(5)
        lines = ["param  a%d=1 # ä\U0001F600b" % i for i in range(12)]
        self.show("\n".join(lines) + "\n")
        version = 1
        for version in range(2, 102):
            changes = []
            for _ in range(5):
                i = random.randrange(len(lines))
                a, b = sorted(random.randrange(14, len(lines[i]) + 1) for _ in range(2))
                b = min(b, a + 3)
                new = random.choice(["", "x", "\U0001F600", "ß", "\U0001F680y", "\u20ac"])
                changes.append(((i, units(lines[i][:a])), (i, units(lines[i][:b])), new))
                lines[i] = lines[i][:a] + new + lines[i][b:]
            self.client.change(self.file, version, *changes)
        text = "\n".join(lines) + "\n"
        edits = self.client.request("textDocument/formatting", {"textDocument": {"uri": self.file}, "options": {}})
        wanted = subprocess.run([ACTC, "fmt", "-"], input=text.encode(), capture_output=True).stdout.decode()
        self.assertEqual(apply(text, edits), wanted)

    def test_lone_surrogate(self):
        """Half of a pair in an escape does not cost the message."""
        self.show(GOOD)
        body = ('{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"%s","version":2},'
                '"contentChanges":[{"text":"# \\ud83d \\udc00\\u0000x\\nmodel"}]}}' % self.file).encode()
        self.client.raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.assertTrue(self.client.diagnostics(self.file, 2))

    def test_random_edits(self):
        """A thousand edits in steps; in the end the server has the same text as a fresh one would."""
        random.seed(11)
        text = GOOD
        self.show(text)
        pieces = ["", "x", "\n", "\r\n", "\U0001F600", "ß", "|> ", "linear(3)", "}", "(", "# é\n"]
        for version in range(2, 202):
            changes = []
            for _ in range(5):
                a, b = sorted((random.randrange(len(text) + 1), random.randrange(len(text) + 1)))
                b = min(b, a + 6)
                if text[a - 1:a + 1] == "\r\n" or text[b - 1:b + 1] == "\r\n":
                    continue
                new = random.choice(pieces)
                changes.append((self.position(text, a), self.position(text, b), new))
                text = text[:a] + new + text[b:]
            self.client.change(self.file, version, *changes)
        told = self.client.diagnostics(self.file, 201)
        fresh = self.uri("fresh.act")
        self.client.open(fresh, text)
        self.assertEqual([(d["code"], d["range"]) for d in told], [(d["code"], d["range"]) for d in self.client.diagnostics(fresh)])

    @staticmethod
    def position(text, at):
        before = text[:at].replace("\r\n", "\n").replace("\r", "\n")
        return before.count("\n"), units(before[before.rfind("\n") + 1:])

    def test_imports(self):
        (self.root / "blocks.act").write_text("block twice(x) {\n    x |> linear(4) |> relu |> liner(4)\n}\n")
        text = 'import "blocks.act"\n' + GOOD.replace("linear(8) |> relu", "twice")
        self.text, self.file = text, self.uri("m.act")
        blocks = self.uri("blocks.act")
        self.client.open(self.file, text)
        found, = self.client.diagnostics(blocks)  # a file nobody opened
        self.assertEqual((found["code"], found["range"]["start"]["line"]), ("ACT1206", 1))
        # opened and mended there, without being saved: the file that imports it sees it
        self.client.open(blocks, "block twice(x) {\n    x |> linear(5) |> relu\n}\n")
        self.assertEqual(self.client.diagnostics(blocks, 1), [])
        self.assertIn("f32[5] -> f32[3]", self.hover("linear(3)"))
        self.client.close(blocks)  # as saved: broken again
        self.assertEqual(self.client.diagnostics(blocks), [])
        self.assertEqual(codes(self.client.diagnostics(blocks)), ["ACT1206"])
        (self.root / "blocks.act").write_text("block twice(x) {\n    x |> linear(4) |> relu\n}\n")
        self.client.notify("workspace/didChangeWatchedFiles", {"changes": []})
        self.assertEqual(self.client.diagnostics(blocks), [])

    def test_missing_import(self):
        found = self.show('import "gone.act"\n' + GOOD)
        self.assertEqual(len(found), 1)
        self.assertIn("gone.act", found[0]["message"])

    def test_long_file(self):
        """Two thousand lines, edited at both ends and asked about in the middle."""
        lines = ["model m%d {\n    input x : f32[8]\n    target y : class(2)\n    h = x |> linear(%d) |> relu\n    z = h |> linear(2)\n"
                 "    loss cross_entropy(z, y)\n}\n" % (i, i + 3) for i in range(290)]
        text = "".join(lines)
        self.assertGreater(text.count("\n"), 2000)
        self.assertEqual([d for d in self.show(text) if d["severity"] == 1], [])
        self.client.change(self.file, 2, ((0, 0), (0, 0), "# first\n"))
        last = text.count("\n") + 1
        self.client.change(self.file, 3, ((last, 0), (last, 0), "model q {\n    input x : f32[2]\n    k = x |>"))
        found = self.client.diagnostics(self.file, 3)
        self.assertEqual({d["range"]["start"]["line"] for d in found if d["code"].startswith("ACT00")} - {last, last + 2}, set())
        self.text = "# first\n" + text + "model q {\n    input x : f32[2]\n    k = x |>"
        self.assertIn("f32[148]", self.hover("h |> linear", 0, 145))
        self.assertIn("f32[2]", self.hover("k = x"))
        self.assertIn("relu", self.complete("k = x |>", 8))

    def test_every_example(self):
        """The networks of the repository, opened one after the other: no error, and shapes to show."""
        for path in sorted((SOURCE / "examples").glob("*.act")):
            text = path.read_text()
            self.client.open(path.as_uri(), text)
            found = self.client.diagnostics(path.as_uri())
            self.assertEqual([d for d in found if d["severity"] < 3], [], path.name)
            hints = self.client.request("textDocument/inlayHint", {"textDocument": {"uri": path.as_uri()}, "range": span((0, 0), (9999, 0))})
            self.assertTrue(hints or "model" not in text, path.name)
            self.client.close(path.as_uri())


class Long(Session):
    def memory(self):
        with open(f"/proc/{self.client.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    @unittest.skipUnless(os.path.exists("/proc/self/status"), "no /proc")
    def test_memory(self):
        """A long session needs no more than a short one."""
        self.show(GOOD)
        used = []
        for version in range(2, 1202):
            text = GOOD.replace("linear(8)", "linear(%d)" % version)
            self.client.change(self.file, version, text if version % 2 else text.replace("relu", "relu |>"))
            self.assertEqual(bool(self.client.diagnostics(self.file, version)), version % 2 == 0)
            self.client.at("hover", self.file, (3, 6))
            self.client.at("completion", self.file, (3, 14))
            if version in (301, 1201):
                used.append(self.memory())
        self.assertLess(used[1], used[0] * 1.1 + 1000)

    def test_damaged_files(self):
        """Texts with pieces cut out, doubled and changed: every question is answered."""
        random.seed(23)
        sources = [p.read_text() for p in sorted((SOURCE / "examples").glob("*.act"))] + [GOOD]
        self.show("")
        signs = list("(){}[]|>=,.:#\"@\n\0 x9") + ["model", "loss", "\u00e9", "\U0001F600", "as", "for", "linear(", "@allow("]
        methods = ("hover", "definition", "references", "completion", "signatureHelp", "documentHighlight")
        for version in range(2, 152):
            text = random.choice(sources)
            for _ in range(random.randrange(1, 12)):
                a = random.randrange(len(text) + 1)
                b = min(len(text), a + random.randrange(40))
                text = text[:a] + random.choice([random.choice(signs), text[b:b + 30], "", text[a:b] * 2]) + text[b:]
            self.client.change(self.file, version, text)
            line = random.randrange(text.count("\n") + 1)
            for method in methods:
                self.client.at(method, self.file, (line, random.randrange(40)), context={"includeDeclaration": True})
            everything = {"textDocument": {"uri": self.file}, "range": span((0, 0), (9999, 0)),
                          "context": {"diagnostics": []}, "options": {}}
            for method in ("documentSymbol", "codeAction", "inlayHint", "formatting"):
                self.client.request("textDocument/" + method, everything)


class Utf8(Session):
    encodings = ["utf-8", "utf-16"]

    def test_positions(self):
        self.assertEqual(self.capabilities["positionEncoding"], "utf-8")
        text = GOOD.replace("x |> linear(8)", "x |> liner(8)").replace("    z =", "    # \U0001F600\n    z =")
        self.show("# é\n" + text)
        self.client.change(self.file, 2, ((4, 6), (4, 10), "ok"), ((0, 2), (0, 4), "e"))
        found = self.client.diagnostics(self.file, 2)
        self.assertEqual(found[0]["range"], span((5, 13), (5, 18)))


class Utf32(Session):
    encodings = ["utf-32"]

    def test_positions(self):
        self.assertEqual(self.capabilities["positionEncoding"], "utf-32")
        self.show("# \U0001F600 x\n" + GOOD)
        self.client.change(self.file, 2, ((0, 2), (0, 3), "y"), ((0, 4), (0, 5), "\nmodel"))
        found = self.client.diagnostics(self.file, 2)
        self.assertEqual(found[0]["range"]["start"]["line"], 1)


class Notes(Session):
    options = ("--notes",)

    def test_hint(self):
        found = self.show(GOOD.replace("relu", "tanh"))
        self.assertEqual([(d["code"], d["severity"]) for d in found], [("ACT302", 4)])


class Levels(Session):
    options = ("-A", "double_softmax", "--stdio")

    def test_allowed(self):
        found = self.show(GOOD.replace("cross_entropy(z, y)", "cross_entropy(z |> softmax, y)"))
        self.assertNotIn("ACT201", codes(found))


if __name__ == "__main__":
    main()
