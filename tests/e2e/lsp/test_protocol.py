"""Framing, the life of a session, and messages that are damaged or come at the wrong time."""
import json
import os
import random
import unittest

from client import Client
from session import ACTC, main

MESSAGE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}


class Protocol(unittest.TestCase):
    def setUp(self):
        self.client = Client(ACTC)

    def tearDown(self):
        process = self.client.process
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def error(self):
        return self.client.wait(lambda m: m.get("id", 0) is None)["error"]["code"]

    def test_life(self):
        client = self.client
        self.assertEqual(client.refused("textDocument/hover"), -32002)  # before initialize
        client.notify("textDocument/didOpen", {"textDocument": {"uri": "file:///a.act", "text": "model"}})  # dropped
        result = client.start()
        self.assertEqual(result["serverInfo"]["name"], "actc")
        self.assertEqual(result["capabilities"]["textDocumentSync"]["change"], 2)
        self.assertEqual(client.refused("initialize"), -32600)
        self.assertEqual(client.refused("textDocument/nothing"), -32601)
        self.assertEqual(client.refused("$/nothing"), -32601)
        client.notify("$/nothing")
        client.notify("textDocument/nothing")
        client.send({"jsonrpc": "2.0", "id": 77, "result": None})  # an answer to nothing
        self.assertIsNone(client.request("textDocument/hover", {"textDocument": {"uri": "file:///a.act"}}))
        self.assertIsNone(client.request("shutdown"))
        self.assertEqual(client.refused("textDocument/hover"), -32600)
        client.notify("exit")
        self.assertEqual(client.process.wait(60), 0)

    def test_exit_without_shutdown(self):
        self.client.start()
        self.client.notify("exit")
        self.assertEqual(self.client.process.wait(60), 1)

    def test_end_of_stream(self):
        self.client.start()
        self.client.process.stdin.close()
        self.assertEqual(self.client.process.wait(60), 1)
        self.client.process.stdin = open(os.devnull, "wb")

    def test_damaged_headers(self):
        client = self.client
        good = client.framed(MESSAGE)
        for bad in (b"Content-Length: x\r\n\r\n{}", b"Content-Length: -5\r\n\r\n", b"nonsense\r\n\r\n",
                    b"Content-Length: 99999999999999999999999\r\n\r\n{}", b"Content-Type: a\r\n\r\n",
                    b"Content-Length: 5\r\n\r\n{\"a\"\r\n", b"X" * 20000 + b"\r\n\r\n", b"\0\xff\r\n\r\n"):
            client.raw(bad)
            self.assertEqual(client.refused("textDocument/hover"), -32002, bad)
            self.assertEqual(self.error(), -32700, bad)
        client.raw(good)
        self.assertIn("capabilities", client.answer(1)["result"])

    def test_wrong_lengths(self):
        client = self.client
        body = json.dumps(MESSAGE).encode()
        # longer than it is: the next message is eaten, and found again
        client.raw(b"Content-Length: %d\r\n\r\n" % (len(body) + 30) + body + client.framed(dict(MESSAGE, id=2)))
        self.assertEqual(self.error(), -32700)
        self.assertIn("result", client.answer(2))
        # shorter: the rest of it is no header
        client.raw(b"Content-Length: %d\r\n\r\n" % (len(body) - 9) + body)
        self.assertEqual(self.error(), -32700)
        self.assertEqual(client.refused("textDocument/nothing"), -32601)

    def test_spellings(self):
        client = self.client
        body = json.dumps(MESSAGE).encode()
        client.raw(b"content-LENGTH:%d  \r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n" % len(body) + body)
        self.assertIn("result", client.answer(1))
        body = json.dumps({"jsonrpc": "2.0", "id": "text", "method": "shutdown"}).encode()
        client.raw(b"Content-Length: %d\n\n" % len(body) + body)
        self.assertIsNone(client.answer("text")["result"])

    def test_pieces(self):
        for byte in self.client.framed(MESSAGE):
            self.client.raw(bytes([byte]))
        self.assertIn("result", self.client.answer(1))

    def test_no_message(self):
        client = self.client
        client.start()
        for thing in ([], 5, "text", None, {}, {"id": 3}, {"method": 4}, {"id": [1], "method": "shutdown"}, [MESSAGE]):
            client.send(thing)
            self.assertEqual(self.error(), -32600, thing)
        deep = b"[" * 100000
        client.raw(b"Content-Length: %d\r\n\r\n" % len(deep) + deep)
        self.assertEqual(self.error(), -32700)
        self.assertIsNone(client.request("shutdown"))

    def test_wrong_params(self):
        """Every method, with params of every wrong kind: an answer, or silence, but a server that lives."""
        client = self.client
        client.start()
        client.open("file:///a.act", "model m {\n    input x : f32[3]\n}\n")
        methods = ["textDocument/" + m for m in (
            "didOpen", "didChange", "didClose", "didSave", "hover", "definition", "references", "documentHighlight", "rename",
            "prepareRename", "completion", "signatureHelp", "codeAction", "formatting", "inlayHint", "documentSymbol")]
        methods += ["completionItem/resolve", "workspace/didChangeWatchedFiles", "actc/words", "$/cancelRequest", "initialized"]
        document = {"uri": "file:///a.act", "version": "x", "text": 5}
        far = {"line": 2147483647, "character": 4294967295}
        for method in methods:
            for params in (None, [], 5, "x", {}, {"textDocument": 5}, {"textDocument": {"uri": 7}}, {"textDocument": document},
                           {"textDocument": document, "position": 5}, {"textDocument": document, "position": {"line": -1, "character": 1e300}},
                           {"textDocument": document, "position": far, "newName": "", "range": {"start": far, "end": far}, "context": 5},
                           {"textDocument": document, "contentChanges": [5, {}, {"text": 5}, {"text": "y", "range": {}}]},
                           {"textDocument": document, "position": {"line": 0, "character": 0}, "context": {"only": [5]}, "range": 3}):
                number = client.ask(method, params)
                client.notify(method, params)
                client.answer(number)
        self.assertIsNone(client.request("shutdown"))

    def test_cancel(self):
        client = self.client
        client.start()
        client.open("file:///a.act", "model m {\n    input x : f32[3]\n}\n")
        # one piece of bytes: the cancellation arrives while the request waits
        request = {"jsonrpc": "2.0", "id": "c", "method": "textDocument/documentSymbol", "params": {"textDocument": {"uri": "file:///a.act"}}}
        cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "c"}}
        client.raw(client.framed(dict(request, id="b")) + client.framed(request) + client.framed(cancel))
        self.assertIn("result", client.answer("b"))
        self.assertEqual(client.answer("c")["error"]["code"], -32800)

    def test_noise(self):
        """Bytes changed at random in a stream of good messages: the server outlives them."""
        random.seed(4)
        client = self.client
        client.start()
        text = "model m {\n    input x : f32[3]\n    h = x |> linear(3)\n    loss mean(h)\n}\n"
        opening = client.framed({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {
            "textDocument": {"uri": "file:///n.act", "languageId": "act", "version": 1, "text": text}}})
        hover = client.framed({"jsonrpc": "2.0", "id": "h", "method": "textDocument/hover", "params": {
            "textDocument": {"uri": "file:///n.act"}, "position": {"line": 2, "character": 5}}})
        for _ in range(300):
            noise = bytearray(opening + hover)
            for _ in range(random.randrange(1, 6)):
                at = random.randrange(len(noise))
                noise[at:at + random.randrange(2)] = bytes([random.randrange(256)]) * random.randrange(3)
            client.raw(bytes(noise) + b"\r\n\r\n")
        # a message may wait for bytes that a damaged length promised: give them
        client.raw(b" " * 100 + b"\r\n\r\n")
        while True:
            client.raw(b"\r\n" * 5000 + client.framed({"jsonrpc": "2.0", "id": "alive", "method": "textDocument/nothing"}))
            if any(m.get("id") == "alive" for m in [client.read()] + client.inbox):
                break


if __name__ == "__main__":
    main()
