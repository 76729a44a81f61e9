#!/usr/bin/env python3
"""The tests of the tests: a small tree is broken in every way that layers.py, headers.py and sizes.py must notice."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
TREE = {
    "CMakeLists.txt": "set(ACT_FLOORS base syntax graph ops sema check pass kernel llvm driver)\n",
    "compiler/base/str.h": "#ifndef STR_H\n#define STR_H\n#include <stddef.h>\ntypedef size_t Str;\n#endif\n",
    "compiler/graph/graph.h": '#ifndef G_H\n#define G_H\n#include "base/str.h"\n/*\n#include "driver/x.h"\n*/\n#endif\n',
    "compiler/graph/graph.c": '#include "graph/graph.h"\n',
    "compiler/check/check.c": '#include "graph/graph.h"\n',
    "compiler/pass/pass.c": '#include "graph/graph.h"\n',
    "compiler/llvm/cg.c": '#include <llvm-c/Core.h>\n#include "act/abi.h"\n',
    "compiler/driver/run.c": '#include "act/act.h"\n#include "pass/pass.h"\n',
    "grammar/act.y": '%{\n#include "syntax/ast.h"\n%}\n',
    "runtime/include/act/abi.h": "#ifndef ABI_H\n#define ABI_H\n#include <stddef.h>\n#endif\n",
    "runtime/core/fill.c": '#include "act/abi.h"\n#include "layout.h"\n',
    "runtime/core/layout.h": "#ifndef L_H\n#define L_H\n#endif\n",
}


def tool(name, *args):
    run = subprocess.run([sys.executable, HERE / name, *map(str, args)], text=True, capture_output=True)
    return run.returncode, run.stdout + run.stderr


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        for name, text in TREE.items():
            self.write(name, text)

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def refuses(self, name, text, line):
        self.write(name, text)
        code, said = tool("layers.py", self.root)
        self.assertIn(line, said.splitlines())
        self.assertEqual(code, 1)

    def test_sound(self):
        self.assertEqual(tool("layers.py", self.root), (0, "11 files, 0 upward includes\n"))

    def test_upward(self):
        self.refuses("compiler/graph/graph.c", '#include "graph/graph.h"\n\n#  include "ops/build.h"\n',
                     "compiler/graph/graph.c:3: ops/build.h: `ops` is above `graph`")
        self.refuses("compiler/base/str.c", '#include "driver/x.h"\n',
                     "compiler/base/str.c:1: driver/x.h: `driver` is above `base`")

    def test_grammar_is_syntax(self):
        self.refuses("grammar/act.y", '#include "graph/graph.h"\n',
                     "grammar/act.y:1: graph/graph.h: `graph` is above `syntax`")

    def test_siblings(self):
        self.refuses("compiler/pass/pass.c", '#include "check/check.h"\n',
                     "compiler/pass/pass.c:1: check/check.h: `pass` and `check` stand side by side")
        self.refuses("compiler/check/check.c", '#include "pass/pass.h"\n',
                     "compiler/check/check.c:1: pass/pass.h: `check` and `pass` stand side by side")

    def test_llvm(self):
        self.refuses("compiler/kernel/tile.c", "#include <llvm-c/Core.h>\n",
                     "compiler/kernel/tile.c:1: llvm-c/Core.h: only compiler/llvm includes LLVM")
        self.refuses("runtime/core/fill.c", "#include <llvm-c/Core.h>\n",
                     "runtime/core/fill.c:1: llvm-c/Core.h: only compiler/llvm includes LLVM")

    def test_runtime(self):
        self.refuses("compiler/llvm/cg.c", '#include "act/act.h"\n',
                     "compiler/llvm/cg.c:1: act/act.h: the compiler knows the runtime only through act/abi.h")
        self.refuses("runtime/core/fill.c", '#include "base/str.h"\n',
                     "runtime/core/fill.c:1: base/str.h: the runtime includes nothing of the compiler")

    def test_ways_round(self):
        self.refuses("compiler/graph/graph.c", '#include "../ops/build.h"\n',
                     "compiler/graph/graph.c:1: ../ops/build.h: an include names its floor, not a way through folders")
        self.refuses("runtime/core/fill.c", '#include "../../compiler/base/str.h"\n',
                     "runtime/core/fill.c:1: ../../compiler/base/str.h: an include names its folder, not a way through folders")
        self.refuses("compiler/graph/graph.c", '#include "core/random.h"\n',
                     "compiler/graph/graph.c:1: core/random.h: `core` is no floor")

    def test_unknown_floor(self):
        self.refuses("compiler/attic/x.c", "int x;\n",
                     f"compiler/attic/x.c:1: {self.root}/compiler/attic/x.c: `attic` is no floor")

    def headers(self):
        return tool("headers.py", "--cc", CC, "-I", self.root / "compiler", "-I", self.root / "runtime/include",
                    self.root / "compiler", self.root / "runtime")

    def test_headers(self):
        self.assertEqual(self.headers(), (0, "4 headers, 0 do not compile alone\n"))
        self.write("compiler/base/map.h", "Str map_get(Str key);\n")
        code, said = self.headers()
        self.assertEqual(code, 1)
        self.assertIn("compiler/base/map.h: does not compile alone", said)

    def test_header_guards(self):
        self.write("compiler/base/map.h", '#include "base/str.h"\ntypedef struct Map { Str key; } Map;\n')
        code, said = self.headers()
        self.assertEqual(code, 1)
        self.assertIn("redefinition", said)

    def test_sizes(self):
        self.assertEqual(tool("sizes.py", self.root)[0], 0)
        self.write("compiler/base/long.c", "\n" * 600)
        self.assertEqual(tool("sizes.py", self.root)[0], 0)
        self.write("compiler/base/long.c", "\n" * 601)
        self.assertEqual(tool("sizes.py", self.root),
                         (1, "compiler/base/long.c:601: 601 lines, more than 600\n11 files, 1 too long\n"))

    def test_columns(self):
        self.write("compiler/base/wide.c", "//" + "x" * 119 + "\n")
        self.assertEqual(tool("sizes.py", self.root)[0], 0)
        self.assertEqual(tool("sizes.py", self.root, "--columns"),
                         (1, "compiler/base/wide.c:1: 121 characters, more than 120\n11 files, 1 too long\n"))


if __name__ == "__main__":
    CC = sys.argv.pop() if len(sys.argv) > 1 else "cc"
    unittest.main()
