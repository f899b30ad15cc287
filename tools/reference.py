#!/usr/bin/env python3
"""Writes the reference page of the service API from the protos: calls, scopes, messages, reasons.

Usage: tools/reference.py            writes docs/service-api.md from proto/confab/v1
       tools/reference.py --check    says where the page is not what would be written (exit code 1)

Every *_service.proto with a call is a chapter; edge_link.proto and recovery.proto are not public and
stand aside. What people read are the comments of the protos, so a wrong sentence is mended there. The
scope that a call's comment names is compared with the table that decides (control/auth/scope.cc).
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "proto" / "confab" / "v1"
SCOPES = ROOT / "control" / "auth" / "scope.cc"
PAGE = ROOT / "docs" / "service-api.md"

# google.rpc.Code, as gRPC's own documentation calls them.
CODES = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
         "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
         "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
         "UNAUTHENTICATED"]

HEAD = """# The service API

Written by `tools/reference.py` from `proto/confab/v1`, and held to it by a test: a sentence that is
wrong is mended there. This is gRPC, spoken to `confab-control` (or `confab`) by internal services and
`confabctl`; what browsers speak is in the README, `docs/dialects.md` and `GET /v1/openapi.json`.

## Every call

- **Token.** The metadata `authorization: Bearer TOKEN` carries a service token that has the scope
  named at the call: `confabctl token mint --service NAME --scopes …`. No other token is good here.
- **Deadline.** Set one. Control gives up on a call that does not stream after 2.5 s; a shorter
  deadline holds.
- **Refusal.** The status carries a code, a text for people that names the field or the limit, and in
  its details `google.rpc.ErrorInfo` with the domain `confab` and a reason of the table at the end;
  where waiting helps, `google.rpc.RetryInfo` too. Go by the reason, never by the text.
- **Pages.** A call with `page_size` and `page_token` answers with `next_page_token`; it is given back
  as it is until it comes empty. Tokens are opaque.
- **Retries.** What has an `idempotency_key` is done once for a key; what says that asking again is
  safe, is. Else a call whose answer was lost may have been done.
- **Request id.** `x-request-id` of the metadata, or a new one, stands in the audit table and comes back
  in the initial metadata.
- **Compatibility.** Numbers are never reused, fields are only added; an unknown event body or reason is
  skipped or shown, never an error.
"""


class Node:
    """A message, an enum, a service, a oneof: what stands between braces."""

    def __init__(self, kind, name, comment):
        self.kind, self.name, self.comment = kind, name, comment
        self.entries = []  # Fields and values (dict), calls (dict), oneofs (Node).


def statements(text):
    """(comment, statement) of a proto file; a statement ends with one of ; { }."""
    comment, statement = [], ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("//"):
            comment.append(line[2:].strip())
            continue
        if not line:
            if not statement:
                comment = []
            continue
        statement = f"{statement} {line}".strip()
        if statement[-1] in ";{}":
            yield " ".join(comment), statement
            comment, statement = [], ""


CALL = re.compile(r"rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\)")
FIELD = re.compile(r"(?:(repeated|optional) )?([\w.]+|map<\w+, \w+>) (\w+) = (\d+)")
VALUE = re.compile(r"(\w+) = (\d+)(?: \[(.*)\])?;")
OPENS = re.compile(r"(message|enum|service|oneof|extend) ([\w.]+) \{(\})?$")


def entry_of(kind, comment, text):
    if kind == "service":
        match = CALL.match(text)
        return {"name": match[1], "comment": comment, "takes": match[3], "takes_stream": bool(match[2]),
                "gives": match[5], "gives_stream": bool(match[4])}
    if kind == "enum":
        match = VALUE.match(text)
        options = dict(re.findall(r"\((\w+)\) = (\w+)", match[3] or ""))
        return {"name": match[1], "comment": comment, "options": options}
    match = FIELD.match(text)
    return {"name": match[3], "comment": comment, "label": match[1] or "", "type": match[2]}


def read(path, nodes):
    open_nodes = []
    for comment, text in statements(path.read_text()):
        if match := OPENS.match(text):
            node = Node(match[1], match[2], comment)
            if open_nodes:
                open_nodes[-1].entries.append(node)
            elif node.kind != "extend":
                nodes[node.name] = node
            if not match[3]:
                open_nodes.append(node)
        elif text == "}":
            open_nodes.pop()
        elif open_nodes:
            open_nodes[-1].entries.append(entry_of(open_nodes[-1].kind, comment, text))


def fields_of(node):
    """(field, the oneof it is one of)"""
    for entry in node.entries:
        if isinstance(entry, Node):
            for choice in entry.entries:
                yield choice, entry
        else:
            yield entry, None


def cell(text):
    return text.replace("|", "\\|")


def type_of(field, nodes):
    name = field["type"]
    short = name.rsplit(".", 1)[-1] if name.startswith("google.") else name
    shown = f"[{short}](#{short.lower()})" if name in nodes else f"`{short}`"
    return f"{field['label']} {shown}".strip()


def table_of(node, nodes):
    fields = list(fields_of(node))
    if not fields:
        return []
    lines = ["", "| field | type | |", "|---|---|---|"]
    for field, oneof in fields:
        comment = field["comment"]
        if oneof is not None:
            comment = f"(one of `{oneof.name}`) {comment}"
        lines.append(f"| `{field['name']}` | {type_of(field, nodes)} | {cell(comment)} |")
    return lines


def scope_of(call):
    match = re.search(r"Scope ([\w:]+)\.", call["comment"])
    return match[1] if match else None


def chapter_of(service, nodes):
    lines = ["", f"## {service.name}", "", service.comment]
    for call in service.entries:
        comment = re.sub(r" ?Scope [\w:]+\.", "", call["comment"]).strip()
        streams = {(False, False): "", (False, True): " · answers with a stream",
                   (True, False): " · takes a stream", (True, True): " · streams both ways"}
        lines += ["", f"### {call['name']}", "",
                  f"`/confab.v1.{service.name}/{call['name']}` · scope `{scope_of(call)}`"
                  f"{streams[call['takes_stream'], call['gives_stream']]}", "", comment]
        for what, name in (("Takes", call["takes"]), ("Gives", call["gives"])):
            message = nodes[name]
            lines += ["", f"{what} `{name}`: {message.comment}", *table_of(message, nodes)]
    return lines


def types_of(names, nodes):
    """Every message and enum that the fields of the given messages lead to."""
    found, waiting = set(), list(names)
    while waiting:
        for field, _ in fields_of(nodes[waiting.pop()]):
            name = field["type"]
            if name in nodes and name not in found:
                found.add(name)
                if nodes[name].kind == "message":
                    waiting.append(name)
    return sorted(found)


def type_lines(node, nodes):
    lines = ["", f"### {node.name}", "", node.comment]
    if node.kind == "message":
        return lines + table_of(node, nodes)
    lines += ["", "| value | |", "|---|---|"]
    return lines + [f"| `{value['name']}` | {cell(value['comment'])} |" for value in node.entries]


def reason_lines(reasons):
    lines = ["", "## Reasons", "", reasons.comment, "", "| reason | code | HTTP | retry | |",
             "|---|---|---|---|---|"]
    for value in reasons.entries:
        options = value["options"]
        if "grpc_code" not in options:
            continue
        retry = "yes" if options.get("retryable") == "true" else "no"
        lines.append(f"| `{value['name'].removeprefix('REASON_')}` | {CODES[int(options['grpc_code'])]} "
                     f"| {options['http_status']} | {retry} | {cell(value['comment'])} |")
    return lines


def load():
    nodes = {}
    for path in sorted(PROTOS.glob("*.proto")):
        if path.name not in ("edge_link.proto", "client.proto", "http_commands.proto",
                             "recovery.proto"):
            read(path, nodes)
    return nodes


def services_of(nodes):
    return [node for _, node in sorted(nodes.items()) if node.kind == "service" and node.entries]


def page_of(nodes):
    services = services_of(nodes)
    lines = ["", "| service | |", "|---|---|"]
    for service in services:
        lines.append(f"| [{service.name}](#{service.name.lower()}) | {cell(service.comment)} |")
    used = set()
    for service in services:
        lines += chapter_of(service, nodes)
        for call in service.entries:
            used |= {call["takes"], call["gives"]}
    lines += ["", "## Types", "", "Times are `google.protobuf.Timestamp`. In JSON (`confabctl -o json`) "
              "names are lowerCamelCase, and 64-bit numbers are strings."]
    for name in types_of(used, nodes):
        lines += type_lines(nodes[name], nodes)
    return HEAD + "\n".join(lines + reason_lines(nodes["Reason"])) + "\n"


def problems_of(nodes):
    """Where the comments say another scope than the table that decides."""
    table = dict(re.findall(r'"/confab\.v1\.(\w+/\w+)", Scope::k(\w+)', SCOPES.read_text()))
    for service in services_of(nodes):
        for call in service.entries:
            name = f"{service.name}/{call['name']}"
            said = scope_of(call)
            words = re.findall(r"[A-Z][a-z]+", table.get(name, ""))
            holds = ":".join(word.lower() for word in words) or None
            if said is None or said != holds:
                yield f"{name}: its comment says scope {said}, control/auth/scope.cc says {holds}"


def main():
    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    nodes = load()
    problems = list(problems_of(nodes))
    page = page_of(nodes)
    if not arguments:
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        problems.append(f"{PAGE.relative_to(ROOT)}: not what the protos say; run tools/reference.py")
    for problem in problems:
        print(problem)
    if not problems:
        calls = sum(len(service.entries) for service in services_of(nodes))
        print(f"reference: {calls} calls " + ("are as the page says" if arguments else "written"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
