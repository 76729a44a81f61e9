#!/usr/bin/env python3
"""Writes the grammars of the editors from the words of the language, which the compiler tells (the request `actc/words` of `actc lsp`).

    grammar.py --actc build/release/bin/actc            # writes vim/syntax/act.vim and vscode/syntaxes/act.tmLanguage.json
    grammar.py --actc build/release/bin/actc --check    # exit 1 when one of them is not what it would write
"""
import argparse
import json
import pathlib
import subprocess
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
JOINS = ["as", "in", "when", "for", "if", "then", "else"]
CONSTANTS = ["true", "false", "pi", "auto"]
PARTS = ["train", "test", "validation"]


def words_of(actc):
    """The lists of words, by name."""
    def framed(message):
        body = json.dumps(dict(message, jsonrpc="2.0")).encode()
        return b"Content-Length: %d\r\n\r\n" % len(body) + body
    asked = [{"id": 1, "method": "initialize", "params": {"capabilities": {}}}, {"id": 2, "method": "actc/words"},
             {"id": 3, "method": "shutdown"}, {"method": "exit"}]
    done = subprocess.run([actc, "lsp"], input=b"".join(map(framed, asked)), stdout=subprocess.PIPE, check=True)
    data = done.stdout
    while data:
        head, data = data.split(b"\r\n\r\n", 1)
        length = int(head.split(b":")[1])
        answer, data = json.loads(data[:length]), data[length:]
        if answer.get("id") == 2:
            return answer["result"]
    sys.exit("the server gave no words")


def groups(words):
    """What is drawn alike: (name, Vim's group, TextMate's scope, words)."""
    def of(*names):
        return sorted({word for name in names for word in words[name]})
    return [
        ("Layer", "Function", "support.function.layer.act", of("layers", "blocks", "special")),
        ("Activation", "Function", "support.function.activation.act", of("activations", "functions", "primitives")),
        ("Loss", "Function", "support.function.loss.act", of("losses", "metrics")),
        ("Training", "Function", "support.function.training.act", of("initializers", "optimizers", "schedules")),
        ("Reader", "Function", "support.function.data.act", of("readers", "stages")),
        ("Type", "Type", "support.type.act", of("types")),
    ]


# ── Vim ──
def vim_list(group, words, options=""):
    lines = textwrap.wrap(" ".join(words), 100, break_long_words=False)
    return "".join(f"syn keyword {group} {line}{options}\n" for line in lines)


def vim(words):
    taken, body = set(), ""
    for name, _, _, list_ in groups(words):
        body += vim_list("act" + name, [w for w in list_ if w not in taken])
        taken |= set(list_)
    links = "".join(f"hi def link act{name} {group}\n" for name, group, _, _ in groups(words))
    bar = r"\|"
    start = r"\%(^\|[;{}]\)\s*\zs"
    return f'''" Vim syntax file for .act, descriptions of neural networks. Written by editors/grammar.py from the compiler's own words.
if exists("b:current_syntax")
  finish
endif
let s:cpo = &cpo
set cpo&vim
syn case match
syn iskeyword @,48-57,_

{body}
" A keyword of a statement is one where a statement begins and no `=` follows; as anything else it is a name.
syn match actStatement /{start}\\%({bar.join(sorted(set(words["definitions"] + words["statements"])))}\\)\\>\\ze\\s*[^=: \\t]/
syn match actSetting /{start}\\%({bar.join(sorted(words["settings"]))}\\)\\>\\ze\\s\\+[^=:{{][^{{]*$/
syn match actPart /{start}\\%({bar.join(PARTS)}\\)\\>\\ze\\s*{{/

syn region actBrackets matchgroup=actDelimiter start=/(/ end=/)/ transparent contains=TOP,actStatement,actSetting,actPart
syn match actField /\\.\\s*\\zs\\%({bar.join(sorted(words["fields"]))}\\)\\>/
{vim_list("actJoin", JOINS)}{vim_list("actConstant", CONSTANTS)}
syn match actNumber /\\<\\d\\+\\%(\\.\\d\\+\\)\\=\\%([eE][-+]\\=\\d\\+\\)\\=\\>/
syn match actOperator /|>\\|\\.\\.\\|[-+*\\/^<>=!]=\\=/
syn region actString start=/"/ skip=/\\\\./ end=/"/ end=/$/ oneline
syn match actAllow /@allow\\>/
syn match actComment /#.*$/ contains=@Spell
syn match actDoc /##.*$/ contains=@Spell

{links}hi def link actStatement Statement
hi def link actSetting Keyword
hi def link actPart Keyword
hi def link actField Identifier
hi def link actJoin Conditional
hi def link actConstant Constant
hi def link actNumber Number
hi def link actOperator Operator
hi def link actString String
hi def link actAllow PreProc
hi def link actComment Comment
hi def link actDoc SpecialComment

let b:current_syntax = "act"
let &cpo = s:cpo
unlet s:cpo
'''


# ── TextMate ──
def either(words):
    return "(?:" + "|".join(sorted(words)) + ")"


def textmate(words):
    begin = r"(?<=^|[;{}])\s*"
    statements = sorted(set(words["definitions"] + words["statements"]))
    patterns = [
        {"name": "comment.line.documentation.act", "match": "##.*$"},
        {"name": "comment.line.number-sign.act", "match": "#.*$"},
        {"name": "string.quoted.double.act", "begin": "\"", "end": "\"|$",
         "patterns": [{"name": "constant.character.escape.act", "match": r"\\."}]},
        {"match": begin + f"({either(words['definitions'])})\\s+([A-Za-z_]\\w*)(?!\\s*[:=]=?\\s*$)(?=\\s*[({{=])",
         "captures": {"1": {"name": "keyword.control.definition.act"}, "2": {"name": "entity.name.function.act"}}},
        {"match": begin + f"({either(statements)})\\b(?!\\s*[=:])", "captures": {"1": {"name": "keyword.control.act"}}},
        {"match": begin + f"({either(words['settings'])})\\b(?=\\s+[^=:\\s])", "captures": {"1": {"name": "keyword.other.setting.act"}}},
        {"match": begin + f"({either(PARTS)})\\b(?=\\s*\\{{)", "captures": {"1": {"name": "keyword.other.part.act"}}},
        {"name": "storage.modifier.allow.act", "match": r"@allow\b"},
        {"name": "keyword.operator.pipe.act", "match": r"\|>"},
        {"name": "keyword.control.join.act", "match": rf"\b{either(JOINS)}\b"},
        {"match": rf"\.\s*({either(words['fields'])})\b", "captures": {"1": {"name": "variable.other.property.act"}}},
        {"match": r"\b([A-Za-z_]\w*)\s*(?==[^=])", "captures": {"1": {"name": "variable.parameter.act"}}},
        {"name": "constant.language.act", "match": rf"\b{either(CONSTANTS)}\b"},
        {"name": "constant.numeric.act", "match": r"\b\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\b"},
    ]
    patterns += [{"name": scope, "match": rf"\b{either(list_)}\b"} for _, _, scope, list_ in groups(words)]
    patterns.append({"name": "keyword.operator.act", "match": r"==|!=|<=|>=|\.\.|[-+*/^<>=]"})
    grammar = {"name": "act", "scopeName": "source.act", "fileTypes": ["act"],
               "comment": "Written by editors/grammar.py from the compiler's own words.", "patterns": patterns}
    return json.dumps(grammar, indent=2, ensure_ascii=False) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actc", required=True)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    words = words_of(given.actc)
    stale = 0
    for name, text in (("vim/syntax/act.vim", vim(words)), ("vscode/syntaxes/act.tmLanguage.json", textmate(words))):
        path = HERE / name
        if path.exists() and path.read_text() == text:
            continue
        if given.check:
            print(f"{path} is not up to date: run {pathlib.Path(__file__).name} --actc ACTC")
            stale = 1
        else:
            path.write_text(text)
            print(f"wrote {path}")
    sys.exit(stale)


if __name__ == "__main__":
    main()
