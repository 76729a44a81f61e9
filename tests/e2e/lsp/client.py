"""A language client for tests: starts the server, sends, and waits for what comes back. No clock is looked at but one, the limit
after which a server that says nothing is called dead."""
import json
import os
import select
import subprocess
import time

LIMIT = 120  # seconds; far more than any answer takes


class Dead(Exception):
    pass


class Client:
    def __init__(self, actc, *options, cache=None):
        env = dict(os.environ)
        if cache:
            env["XDG_CACHE_HOME"] = str(cache)
        self.process = subprocess.Popen([str(actc), "lsp", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self.buffer = b""
        self.inbox = []  # messages that nobody asked for yet
        self.next_id = 1

    # -- the stream --
    def raw(self, data):
        """Writes, and reads meanwhile: a server whose answers nobody takes would stop reading."""
        to, from_, until = self.process.stdin.fileno(), self.process.stdout.fileno(), time.monotonic() + LIMIT
        while data:
            readable, writable, _ = select.select([from_], [to], [], max(until - time.monotonic(), 0))
            if not readable and not writable:
                raise Dead("the server reads nothing")
            if readable:
                self._fill(until)
            if writable:
                data = data[os.write(to, data[:4096]):]

    @staticmethod
    def framed(message):
        body = json.dumps(message, ensure_ascii=False).encode()
        return b"Content-Length: %d\r\n\r\n" % len(body) + body

    def send(self, message):
        self.raw(self.framed(message))

    def _fill(self, until):
        left = until - time.monotonic()
        ready = select.select([self.process.stdout], [], [], max(left, 0))[0]
        data = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
        if not data:
            raise Dead("the server " + ("closed the stream" if ready else "says nothing") + f" (exit code {self.process.poll()})")
        self.buffer += data

    def read(self):
        """The next message of the server."""
        until = time.monotonic() + LIMIT
        while b"\r\n\r\n" not in self.buffer:
            self._fill(until)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        length = int(head.split(b"Content-Length:")[1])
        while len(self.buffer) < length:
            self._fill(until)
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return json.loads(body.decode())

    def wait(self, wanted):
        """The first message, of those that came or of those to come, for which `wanted` holds."""
        for i, message in enumerate(self.inbox):
            if wanted(message):
                return self.inbox.pop(i)
        while True:
            message = self.read()
            if wanted(message):
                return message
            self.inbox.append(message)

    # -- requests --
    def ask(self, method, params=None):
        """Sends a request; its id."""
        number, self.next_id = self.next_id, self.next_id + 1
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}})
        return number

    def answer(self, number):
        return self.wait(lambda m: m.get("id") == number and "method" not in m)

    def request(self, method, params=None):
        answer = self.answer(self.ask(method, params))
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def refused(self, method, params=None):
        """The code of the error that the request is answered with."""
        return self.answer(self.ask(method, params))["error"]["code"]

    def notify(self, method, params=None):
        self.send({"jsonrpc": "2.0", "method": method, "params": params or {}})

    # -- a session --
    def start(self, encodings=None, **capabilities):
        text = {"completion": {"completionItem": {"snippetSupport": True}}}
        given = {"textDocument": text, **capabilities}
        if encodings:
            given["general"] = {"positionEncodings": encodings}
        result = self.request("initialize", {"processId": None, "rootUri": None, "capabilities": given})
        self.notify("initialized")
        return result

    def stop(self):
        """Shuts the server down; its exit code."""
        self.request("shutdown")
        self.notify("exit")
        return self.process.wait(LIMIT)

    def open(self, uri, text, version=1):
        document = {"uri": uri, "languageId": "act", "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def change(self, uri, version, *changes):
        """Each change: a text (the whole), or ((line, character), (line, character), text)."""
        parts = []
        for change in changes:
            if isinstance(change, str):
                parts.append({"text": change})
            else:
                begin, end, text = change
                parts.append({"range": span(begin, end), "text": text})
        self.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": parts})

    def close(self, uri):
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def diagnostics(self, uri, version=None):
        """The diagnostics published for `uri` (at this version)."""
        found = self.wait(lambda m: m.get("method") == "textDocument/publishDiagnostics" and m["params"]["uri"] == uri
                          and (version is None or m["params"].get("version") == version))
        return found["params"]["diagnostics"]

    def at(self, method, uri, place, **more):
        params = {"textDocument": {"uri": uri}, "position": {"line": place[0], "character": place[1]}, **more}
        return self.request("textDocument/" + method, params)


def span(begin, end):
    return {"start": {"line": begin[0], "character": begin[1]}, "end": {"line": end[0], "character": end[1]}}


def units(text):
    return len(text.encode("utf-16-le")) // 2


def place(text, mark, inside=0, nth=0):
    """(line, UTF-16 character) of the nth occurrence of `mark`, `inside` characters into it."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(mark, at + 1)
    before = text[:at + inside]
    return before.count("\n"), units(before[before.rfind("\n") + 1:])


def apply(text, edits):
    """The text with the edits of an answer (UTF-16) in it."""
    lines = text.split("\n")

    def offset(position):
        line = position["line"]
        if line >= len(lines):
            return len(text)
        start = sum(len(one) + 1 for one in lines[:line])
        left, at = position["character"], 0
        while left > 0 and at < len(lines[line]):
            left -= units(lines[line][at])
            at += 1
        return start + at

    found = sorted(((offset(e["range"]["start"]), offset(e["range"]["end"]), i, e["newText"]) for i, e in enumerate(edits)), reverse=True)
    for begin, end, _, new in found:
        text = text[:begin] + new + text[end:]
    return text
