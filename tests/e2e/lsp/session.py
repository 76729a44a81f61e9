"""What the tests of the server share: a server of their own, a folder, and files in it."""
import os
import pathlib
import tempfile
import unittest

from client import Client, place

ACTC = os.environ["ACTC"]
SOURCE = pathlib.Path(os.environ["SOURCE"])


class Session(unittest.TestCase):
    encodings = None
    options = ()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="act lsp ä")  # a name that a URI must escape
        self.root = pathlib.Path(self.folder.name).resolve()
        self.client = Client(ACTC, *self.options, cache=self.root / "cache")
        self.capabilities = self.client.start(self.encodings)["capabilities"]

    def tearDown(self):
        code = self.client.stop()
        self.client.process.stdin.close()
        self.client.process.stdout.close()
        self.folder.cleanup()
        self.assertEqual(code, 0)

    def uri(self, name):
        return (self.root / name).as_uri()

    def show(self, text, name="m.act"):
        """Opens `text` as a file; its diagnostics."""
        self.text, self.file = text, self.uri(name)
        self.client.open(self.file, text)
        return self.client.diagnostics(self.file)

    def hover(self, mark, inside=0, nth=0):
        found = self.client.at("hover", self.file, place(self.text, mark, inside, nth))
        return found["contents"]["value"] if found else ""

    def complete(self, mark, inside=0, nth=0):
        found = self.client.at("completion", self.file, place(self.text, mark, inside, nth))
        return {item["label"]: item for item in found["items"]}


def main():
    unittest.main(verbosity=1)
