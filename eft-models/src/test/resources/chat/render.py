"""Renders the templates here with Jinja 2 (3.1.6), set up as Hugging Face sets it up, into expected.json.

The templates are those of well-known models, typed anew; snippets.txt holds one small template a line, with ⏎
for a line break.
"""
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.sandbox


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception
environment.globals["strftime_now"] = lambda pattern: "02 Jan 2026"  # the clock of the Java test


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def system(content):
    return {"role": "system", "content": content}


CONVERSATIONS = {
    "user": [user("Why is the sky blue?")],
    "system": [
        system(" Be brief. "),
        user("Hi {{ 7*7 }} {% raw %} {# c #} &<b>'\" \\n \\\\ ünï 😀 </s>\n\n end "),
    ],
    "turns": [
        user(" one\r\n\r\ntwo "),
        assistant("<think>\nhm\n</think>\n\n answer \n"),
        user("three"),
    ],
    "answered": [system("S"), user("a"), assistant("b"), user("c"), assistant("d")],
    "assistant first": [assistant("b"), user("c")],
}

here = pathlib.Path(__file__).parent
cases = []


def render(name, template, conversation, add_generation_prompt):
    case = {
        "template": name,
        "messages": CONVERSATIONS[conversation],
        "add_generation_prompt": add_generation_prompt,
    }
    try:
        case["text"] = environment.from_string(template).render(
            messages=CONVERSATIONS[conversation], add_generation_prompt=add_generation_prompt,
            bos_token="<s>", eos_token="</s>", tools=None, documents=None)
    except jinja2.exceptions.TemplateError as error:
        case["refusal"] = str(error)
    cases.append(case)


for file in sorted(here.glob("*.jinja")):
    for conversation in CONVERSATIONS:
        render(file.name, file.read_text(), conversation, conversation != "answered")
for snippet in (here / "snippets.txt").read_text().splitlines():
    render(snippet, snippet.replace("⏎", "\n"), "answered", True)
(here / "expected.json").write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n")
