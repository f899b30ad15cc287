#!/usr/bin/env python3
"""Writes an AsyncAPI 3.0 document of the socket's events for each built-in dialect.

Usage: tools/asyncapi.py            writes docs/asyncapi/DIALECT.json from edge/dialect/builtin/*.json
       tools/asyncapi.py --check    says which documents are not what would be written (exit code 1)
       tools/asyncapi.py FILE...    prints the document of dialect files of your own

The document speaks of the server: it receives what a client emits, and sends the rest. A message's
payload is the event's first argument; an ack is the operation's reply. docs/dialects.md says what
slots are.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "edge" / "dialect" / "builtin"
OUT = ROOT / "docs" / "asyncapi"

# Fields that are no plain text, by the last name of a slot's path.
INTEGERS = {"seq", "lastSeq", "afterSeq", "beforeSeq", "limit", "editedSeq", "messageSeq", "code",
            "retryAfterMs", "unreadCount", "slowModeSeconds", "pageSize", "onlineCount",
            "memberCount", "inboxSeq", "ackedSeq"}
BOOLEANS = {"retryable", "more", "isTyping", "isArchived", "isReadOnly", "deleted"}
TIMES = {"createdAt", "expiresAt", "since", "until", "lastSeen"}
LISTS = {"userIds", "changed", "mentions"}
MAPS = {"metadata"}
SEQS = {"rooms"}
ANYTHING = {"bodyJson"}


def of_field(name):
    if name in INTEGERS:
        return {"type": "integer", "minimum": 0}
    if name in BOOLEANS:
        return {"type": "boolean"}
    if name in TIMES:
        return {"type": "string", "format": "date-time"}
    if name in ANYTHING:
        return {"description": "Any JSON value, passed on byte for byte."}
    if name in LISTS:
        return {"type": "array", "items": {"type": "string"}}
    if name in MAPS:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if name in SEQS:
        return {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
    return {"type": "string"}


def of_slot(slot):
    """(schema, whether the member is always there)"""
    match = re.fullmatch(r"\$([\w.]+?)(:number|:null|:json)?(\?)?", slot)
    if not match:
        raise ValueError(f"not a slot: {slot}")
    path, form, is_optional = match.groups()
    name = path.rsplit(".", 1)[-1]
    if path == "events":
        schema = {"type": "array", "items": {
            "type": "object", "required": ["event"],
            "description": "One of the events the server sends, its payload's members beside its name.",
            "properties": {"event": {"type": "string"}}}}
    elif path == "rooms":
        schema = {"type": "object", "additionalProperties": {
            "type": "object", "description": "What the ack of the room's joinRoom would be."}}
    elif path == "payload":
        schema = {"description": "Whatever the service that pushed it wrote."}
    else:
        schema = of_field(name)
    if form == ":number":
        schema = {"type": ["integer", "string"],
                  "description": "A canonical decimal id is a number, any other a string."}
    if form == ":null":
        schema = {**schema, "type": [schema["type"], "null"]}
    return schema, not is_optional


def of_template(template):
    """The schema of what a template writes."""
    if isinstance(template, str):
        if template.startswith("$$"):
            return {"const": template[1:]}
        return of_slot(template)[0] if template.startswith("$") else {"const": template}
    if isinstance(template, list):
        return {"type": "array", "items": [of_template(item) for item in template]}
    if not isinstance(template, dict):
        return {"const": template}
    properties, required = {}, []
    for name, value in template.items():
        is_slot = isinstance(value, str) and value.startswith("$") and not value.startswith("$$")
        properties[name], is_always = of_slot(value) if is_slot else (of_template(value), True)
        if is_always:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required}


def of_argument(entry):
    """The schema of an inbound event's argument."""
    properties, required = {}, []
    for name, field in entry.get("fields", {}).items():
        if "from" not in field:
            continue
        if field.get("type") == "id":
            schema = {"type": ["string", "integer"], "minLength": 1, "maxLength": 128, "minimum": 0,
                      "maximum": 2**53 - 1}
        else:
            schema = of_field(name)
        if "default" in field:
            schema = {**schema, "default": field["default"]}
        properties[field["from"]] = schema
        if field.get("required"):
            required.append(field["from"])
    return {"type": "object", "properties": properties, "required": required}


class Document:
    """One dialect's document, built part by part."""

    def __init__(self, dialect):
        self.dialect = dialect
        self.messages = {}
        self.operations = {}

    def message(self, key, name, payload, summary):
        self.messages[key] = {"name": name, "summary": summary,
                              "contentType": "application/json", "payload": payload}
        return {"$ref": f"#/channels/socket/messages/{key}"}

    def receive(self, event, entry):
        command = entry.get("command")
        if command is None:
            return
        operation = {"action": "receive", "channel": {"$ref": "#/channels/socket"},
                     "summary": f"A client emits {event}: {command}.",
                     "messages": [self.message(f"emit.{event}", event, of_argument(entry),
                                               f"The client emits {event}.")]}
        refusals = self.dialect["refusals"]
        acks = self.dialect.get("acks", {})
        answers = [of_template(acks[command])] if command in acks else []
        answers.append(of_template(refusals.get(command, refusals["default"])))
        reply = self.message(f"ack.{event}", f"{event} ack",
                             answers[0] if len(answers) == 1 else {"oneOf": answers},
                             "The ack's argument: done, or refused.")
        operation["reply"] = {"channel": {"$ref": "#/channels/socket"}, "messages": [reply]}
        self.operations[f"receive.{event}"] = operation

    def send(self, entry, summary):
        name = "(any name)" if entry["name"].startswith("$") else entry["name"]
        key = f"on.{re.sub(r'[^A-Za-z0-9_-]', '_', name)}"
        payload = of_template(entry["payload"]) if "payload" in entry else {"type": "null"}
        if key in self.messages:  # Two things under one name: one of the two payloads.
            known = self.messages[key]["payload"]
            payload = {"oneOf": [*known.get("oneOf", [known]), payload]}
        reference = self.message(key, name, payload, summary)
        operation = {
            "action": "send", "channel": {"$ref": "#/channels/socket"}, "summary": summary,
            "messages": [reference]}
        if entry.get("ack"):
            reply = self.message(f"{key}.ack", f"{name} ack",
                                 {"description": "Whatever the client hands over: nobody looks at it."},
                                 "The client's ack: it has dealt with a notification of its inbox. "
                                 "Nothing else asks for one.")
            operation["reply"] = {"channel": {"$ref": "#/channels/socket"}, "messages": [reply]}
        self.operations[f"send.{key[3:]}"] = operation

    def build(self):
        dialect = self.dialect
        for event, entry in dialect.get("receives", {}).items():
            self.receive(event, entry)
        for section, what in (("events", "An entry of a room's log"), ("signals", "A signal"),
                              ("confirmations", "Done, told to who asked")):
            for kind, entry in dialect.get(section, {}).items():
                self.send(entry, f"{what}: {kind}.")
        for section, what in (("connected", "The first event of a connection."),
                              ("error", "A refusal that no ack could tell."),
                              ("closing", "The last event before the server closes the transport."),
                              ("expiring", "The token's end is near: refreshToken is due."),
                              ("resync", "The room's log does not reach back to what the client "
                                         "has: join again, load its history anew."),
                              ("notification", "Pushed by a service.")):
            if section in dialect:
                self.send(dialect[section], what)
        return {
            "asyncapi": "3.0.0",
            "info": {"title": f"Confab, dialect {dialect['dialect']}", "version": "1",
                     "description": dialect.get("description", ""),
                     "license": {"name": "Apache-2.0"}},
            "defaultContentType": "application/json",
            "channels": {"socket": {
                "address": "/", "title": "A Socket.IO namespace",
                "description": "Socket.IO v5 over Engine.IO v4, path /socket.io/.",
                "messages": self.messages}},
            "operations": self.operations,
        }


def document_of(path):
    return json.dumps(Document(json.loads(path.read_text())).build(), indent=2) + "\n"


def main():
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    if arguments and arguments != ["--check"]:
        for name in arguments:
            print(document_of(Path(name)), end="")
        return 0
    stale = []
    wanted = {OUT / f"{path.stem}.json": document_of(path) for path in sorted(FILES.glob("*.json"))}
    for target, text in wanted.items():
        if arguments:
            if not target.exists() or target.read_text() != text:
                stale.append(target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    if arguments:
        stale += [path for path in OUT.glob("*.json") if path not in wanted]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: not what the dialect file says; run tools/asyncapi.py")
    if not stale:
        print(f"asyncapi: {len(wanted)} documents " + ("are up to date" if arguments else "written"))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
