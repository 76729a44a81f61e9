"""What stands here, where does it come from, what could come next: hover, definitions, completion and their kin, above all in files
that are not finished."""
import pathlib
import urllib.parse

from client import apply, place, span
from session import Session, main

UNFINISHED = """## A bend.
activation bent(x) = 0.5 * (x + sqrt(x^2 + 1))
param width = 64
block residual(x, width) {
    inner = x |> linear(width) |> relu
    x + (inner |> linear(x.features))
}
model m {
    input  image : f32[28, 28, 1] in [0, 1]
    target label : class(10)
    h = image |> flatten |> linear(128) |> bent
    k = h |> linear(width) |>
    r = h |> residual(32)
          |> layer
    z = h |> linear(10) as head
    loss cross_entropy(z, label)
    metric accuracy(z, label)
"""

HEALTHY = """model m {
    input  x : f32[64]
    target y : class(10)
    h = x |> linear(256) |> relu
    z = h |> linear(10)
    loss cross_entropy(z, y)
    metric accuracy(z, y)
}
data d {
    train {
        x = csv("a.csv", columns = 1..64)
        y = csv("a.csv", column = 65)
    }
}
train m {
    data d
    epochs 10
    optimizer adamw(lr = 1e-3)
    schedule cosine(warmup = 20)
}
"""


class Hover(Session):
    def test_unfinished(self):
        """No `}` at the end, a chain that breaks off, a layer that is none: every value still has its shape."""
        self.assertGreater(len(self.show(UNFINISHED)), 1)
        self.assertIn("image : f32[28, 28, 1] in [0, 1]", self.hover("image |>"))
        self.assertIn("label : class(10)", self.hover("label", 0))
        self.assertIn("h : f32[128]", self.hover("h = image"))
        self.assertIn("k : f32[64]", self.hover("k = h"))  # as far as it goes
        self.assertIn("z : f32[10]", self.hover("z = h"))
        self.assertIn("z : f32[10]", self.hover("(z, label)", 1))
        self.assertIn("x : f32[128]", self.hover("x |> linear(width)"))  # in the block, as it is used
        self.assertIn("inner : f32[32]", self.hover("inner = x"))
        self.assertIn("image |> flatten : f32[784]", self.hover("|> flatten"))  # the chain up to here

    def test_layer(self):
        self.show(UNFINISHED)
        text = self.hover("linear(128)")
        self.assertIn("f32[784] -> f32[128]", text)
        self.assertIn("100480 parameters", text)
        self.assertIn("`linear1.weight` [784, 128]", text)
        self.assertIn("`features`", text)
        self.assertIn("head : f32[128] -> f32[10]", self.hover("linear(10)"))

    def test_definitions(self):
        self.show(UNFINISHED)
        text = self.hover("bent\n")
        self.assertIn("f32[128] -> f32[128]", text)
        self.assertIn("A bend.", text)
        self.assertIn("| gain | 1.1547 |", text)
        self.assertIn("0.5 * (x + sqrt(x^2 + 1))", text)
        self.assertIn("units can die", self.hover("relu"))
        self.assertIn("Takes logits", self.hover("cross_entropy"))
        self.assertIn("the number 64", self.hover("width = 64"))
        self.assertIn("metric accuracy", self.hover("accuracy"))

    def test_signal(self):
        self.assertEqual(self.show(HEALTHY), [])
        self.assertRegex(self.hover("z = h"), r"std \*\*[0-9.]+\*\*, gradient norm \*\*[0-9.]+\*\*")
        self.assertRegex(self.hover("relu"), r"before the first step: std")
        self.assertIn("Adam", self.hover("adamw"))
        self.assertIn("warmup", self.hover("warmup"))
        self.assertIn("epochs 10", self.hover("epochs"))
        self.assertIn("input image", self.hover("input"))

    def test_allow(self):
        self.show('model m {\n    input x : f32[4]\n    @allow(saturating_hidden, reason = "old")\n    output x |> linear(3)\n}\n')
        text = self.hover("saturating_hidden")
        self.assertIn("ACT302", text)
        self.assertIn("Wrong:", text)

    def test_argument(self):
        self.show(HEALTHY.replace("linear(256)", "linear(256, bias = false)"))
        self.assertIn("`bias`", self.hover("bias"))

    def test_mistake_on_the_way(self):
        self.show(HEALTHY.replace("relu", "rellu"))
        self.assertIn("z", self.hover("z = h"))
        self.assertIn("not known", self.hover("z = h"))
        self.assertIn("x : f32[64]", self.hover("x |>"))

    def test_repeat(self):
        self.show("model m {\n    input x : f32[8]\n    output x |> repeat(3, linear(8))\n}\n")
        self.assertIn("the first of 3 copies", self.hover("linear"))


class Definition(Session):
    def target(self, mark, inside=0, nth=0):
        found = self.client.at("definition", self.file, place(self.text, mark, inside, nth))
        if not found:
            return None
        path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(found["uri"]).path))
        start = found["range"]["start"]
        return path, start if path == self.root / "m.act" else path.read_text().split("\n")[start["line"]]

    def test_own(self):
        self.show(UNFINISHED)
        for use, line, character in (("h |> linear(width)", 10, 4), ("bent\n", 1, 11), ("residual(32)", 3, 6), ("image |>", 8, 11),
                                     ("(width)", 3, 18), ("x.features", 3, 15)):
            path, start = self.target(use, 1 if use[0] == "(" else 0)
            self.assertEqual((start["line"], start["character"]), (line, character), use)
        self.assertEqual(self.target("linear(width) |>\n", 8)[1], {"line": 2, "character": 6})

    def test_library(self):
        self.show(HEALTHY)
        path, line = self.target("relu")
        self.assertTrue(line.startswith("activation relu(x)"), line)
        self.assertIn("optimizer adamw(", self.target("adamw")[1])
        path, line = self.target("linear")
        self.assertIn("linear", line)
        # it opens as any file, and nothing is said about it
        self.client.open(path.as_uri(), path.read_text())
        self.assertEqual(self.client.diagnostics(path.as_uri()), [])

    def test_fields_and_settings(self):
        self.show(HEALTHY)
        self.assertEqual(self.target("x = csv")[1]["line"], 1)
        self.assertEqual(self.target("data d\n", 5, 0)[1]["line"], 8)
        self.assertEqual(self.target("train m", 6)[1]["line"], 0)

    def test_import(self):
        (self.root / "my blocks.act").write_text("\n## Doubles.\nblock twice(x) {\n    x + x\n}\n")
        self.show('import "my blocks.act"\nmodel m {\n    input x : f32[3]\n    output x |> twice |> linear(2)\n}\n')
        path, line = self.target("my blocks", 2)
        self.assertEqual(path, self.root / "my blocks.act")
        self.assertEqual(self.target("twice")[1], "block twice(x) {")
        self.assertIn("Doubles.", self.hover("twice"))


class References(Session):
    def test_all(self):
        self.show(UNFINISHED)
        found = self.client.at("references", self.file, place(UNFINISHED, "h = image"), context={"includeDeclaration": True})
        self.assertEqual(sorted(r["range"]["start"]["line"] for r in found), [10, 11, 12, 14])
        found = self.client.at("references", self.file, place(UNFINISHED, "h = image"), context={"includeDeclaration": False})
        self.assertEqual(len(found), 3)
        self.assertEqual(len(self.client.at("documentHighlight", self.file, place(UNFINISHED, "inner = x"))), 2)

    def rename(self, mark, new, inside=0):
        found = self.client.at("rename", self.file, place(self.text, mark, inside), newName=new)
        return apply(self.text, found["changes"][self.file])

    def test_rename(self):
        self.show(HEALTHY)
        self.assertEqual(self.rename("x : f32", "pixels"),
                         HEALTHY.replace("  x :", "  pixels :").replace("= x |>", "= pixels |>").replace("x = csv", "pixels = csv"))
        self.assertEqual(self.rename("h |>", "hidden"),
                         HEALTHY.replace("h = x", "hidden = x").replace("h |> linear(10)", "hidden |> linear(10)"))
        self.assertEqual(self.rename("train m", "net", 6), HEALTHY.replace("model m", "model net").replace("train m", "train net"))

    def test_rename_parameter(self):
        """The block's own `width`, its named argument, and not the param of the same name."""
        text = UNFINISHED.replace("residual(32)", "residual(width = 32)")
        self.show(text)
        new = self.rename("width) {", "units")
        wanted = text.replace("(x, width)", "(x, units)").replace("linear(width) |> relu", "linear(units) |> relu")
        self.assertEqual(new, wanted.replace("residual(width", "residual(units"))

    def test_refused(self):
        self.show(HEALTHY)

        def code(mark, new):
            where = {"textDocument": {"uri": self.file}, "newName": new}
            line, character = place(HEALTHY, mark)
            return self.client.refused("textDocument/rename", dict(where, position={"line": line, "character": character}))
        self.assertEqual(code("relu", "bent"), -32803)  # the library's
        self.assertEqual(code("h =", "z"), -32803)  # taken
        self.assertEqual(code("h =", "a b"), -32602)
        self.assertEqual(code("h =", "then"), -32602)
        prepared = self.client.at("prepareRename", self.file, place(HEALTHY, "h ="))
        self.assertEqual(prepared["placeholder"], "h")

    def test_rename_across_files(self):
        (self.root / "blocks.act").write_text("block twice(x) {\n    x + x\n}\n")
        self.show('import "blocks.act"\nmodel m {\n    input x : f32[3]\n    output x |> twice |> linear(2)\n}\n')
        found = self.client.at("rename", self.file, place(self.text, "twice"), newName="double")["changes"]
        self.assertEqual({self.uri("blocks.act"), self.file}, set(found))


class Completion(Session):
    def test_stage(self):
        self.show(UNFINISHED)
        found = self.complete("k = h |> linear(width) |>", 25)
        self.assertTrue({"linear", "relu", "softmax", "bent", "residual", "repeat"} <= set(found))
        self.assertFalse({"h", "image", "input", "mse"} & set(found))
        self.assertEqual(found["linear"]["insertText"], "linear(${1:features})")
        self.assertEqual(found["bent"]["insertText"], "bent")
        page = self.client.request("completionItem/resolve", found["relu"])["documentation"]["value"]
        self.assertIn("| formula | `max(x, 0)` |", page)

    def test_statements(self):
        self.show("\nmodel m {\n    \n    h =\n}\ntrain m {\n    \n}\ndata d {\n    train {\n        \n    }\n}\n")
        at = lambda line, column: {i["label"] for i in self.client.at("completion", self.file, (line, column))["items"]}
        self.assertTrue({"model", "train", "data", "activation", "import"} <= at(0, 0))
        self.assertTrue({"input", "target", "loss", "share"} <= at(2, 4))
        self.assertTrue({"epochs", "batch", "optimizer", "stop"} <= at(6, 4))
        self.assertNotIn("model", at(6, 4))
        self.client.change(self.file, 2, "model m {\n    input pixels : f32[3]\n}\ndata d {\n    train {\n        \n    }\n}\n")
        self.assertTrue({"pixels", "augment"} <= at(5, 8))

    def test_values(self):
        self.show(UNFINISHED)
        found = self.complete("(z, label)", 4)
        self.assertTrue({"image", "label", "h", "z", "width"} <= set(found))
        self.assertNotIn("inner", found)  # of the block
        self.assertEqual(found["h"]["detail"], "[128]")
        self.assertIn("inner", self.complete("inner |>"))

    def test_arguments(self):
        self.show(HEALTHY.replace("linear(256)", "linear(256, )"))
        found = self.complete("linear(256, ", 12)
        self.assertTrue({"weight = ", "bias = ", "trainable = "} <= set(found))
        self.assertNotIn("features = ", found)
        found = self.complete("adamw(lr = 1e-3", 15)
        self.assertNotIn("w = ", found)
        self.client.change(self.file, 2, HEALTHY.replace("linear(256)", "linear(256, weight = )").replace("adamw(", "adamw(eps = 1, "))
        self.text = HEALTHY.replace("linear(256)", "linear(256, weight = )").replace("adamw(", "adamw(eps = 1, ")
        self.assertTrue({"kaiming_normal", "zeros", "auto"} <= set(self.complete("weight = ", 9)))
        found = self.complete("eps = 1, ", 9)
        self.assertTrue({"lr = ", "beta1 = "} <= set(found))
        self.assertNotIn("eps = ", found)

    def test_words(self):
        self.show("model m {\n}\n")
        self.assertTrue({"true", "false"} <= set(self.complete_in("x |> linear(3, trainable = )", "trainable = ", 12)))

    def complete_in(self, chain, mark, inside):
        self.text = "model m {\n    input x : f32[8]\n    z = %s\n}\n" % chain
        self.client.change(self.file, 9, self.text)
        return self.complete(mark, inside)

    def test_other_places(self):
        self.show(HEALTHY)
        self.assertTrue({"saturating_hidden", "double_softmax"} <= set(self.complete_in("x\n    @allow(\n    k = x", "@allow(", 7)))
        self.assertEqual({"f32", "class", "token", "binary"}, set(self.complete(": f32", 2)))
        self.assertTrue({"features", "channels", "shape"} <= set(self.complete_in("x |> linear(x.)", "x.", 2)))
        self.client.change(self.file, 10, HEALTHY)
        self.text = HEALTHY
        self.assertIn("accuracy", self.complete("accuracy"))
        self.assertIn("cross_entropy", self.complete("cross_entropy", 3))
        self.assertEqual({"d"}, set(self.complete("data d\n", 5)))
        self.assertEqual({"m"}, set(self.complete("train m", 6)))
        self.assertIn("adam", self.complete("adamw"))
        self.assertIn("csv", self.complete("csv"))
        self.assertEqual({}, self.complete_in("x # comment", "comment", 3))
        self.assertEqual({}, self.complete_in('csv("folder")', "folder", 3))

    def test_weights(self):
        self.show("model m {\n    input x : f32[8]\n    z = x |> linear(3) as fc1\n    loss mean(z) + sum(fc1.)\n}\n")
        self.assertTrue({"weight", "bias"} <= set(self.complete("fc1.)", 4)))


class Signature(Session):
    def test_argument(self):
        self.show(HEALTHY.replace("linear(256)", "linear(256, bias = "))
        found = self.client.at("signatureHelp", self.file, place(self.text, "linear(256", 8))
        one = found["signatures"][0]
        self.assertTrue(one["label"].startswith("linear(features, weight = auto"))
        self.assertEqual(found["activeParameter"], 0)
        found = self.client.at("signatureHelp", self.file, place(self.text, "bias = ", 7))
        self.assertEqual(found["signatures"][0]["parameters"][found["activeParameter"]]["label"], "bias = zeros")
        self.assertIsNone(self.client.at("signatureHelp", self.file, (0, 0)))


class Outline(Session):
    def test_symbols(self):
        self.show(UNFINISHED)
        found = self.client.request("textDocument/documentSymbol", {"textDocument": {"uri": self.file}})
        self.assertEqual([s["name"] for s in found], ["bent", "width", "residual", "m"])
        inside = {s["name"]: s.get("detail") for s in found[3]["children"]}
        self.assertEqual(list(inside), ["image", "label", "h", "k", "r", "z", "loss", "metric"])
        self.assertEqual(inside["h"], "[128]")
        for s in found:
            self.assertLessEqual(s["range"]["start"]["line"], s["selectionRange"]["start"]["line"])

    def test_hints(self):
        self.show(UNFINISHED.replace("layer\n", "linear(7)\n"))
        found = self.client.request("textDocument/inlayHint", {"textDocument": {"uri": self.file}, "range": span((0, 0), (99, 0))})
        hints = {(h["position"]["line"], h["label"]) for h in found}
        self.assertTrue({(10, ": [128]"), (11, ": [64]"), (12, ": [7]"), (12, "[128]"), (13, "[7]"), (14, ": [10]")} <= hints, hints)
        found = self.client.request("textDocument/inlayHint", {"textDocument": {"uri": self.file}, "range": span((10, 0), (10, 99))})
        self.assertEqual([h["label"] for h in found], [": [128]"])


if __name__ == "__main__":
    main()
