"""A server that speaks the protocol by hand and misbehaves on demand. Standard library only.

Run with a mode: ``good``, ``silent`` (never answers), ``noisy`` (prints what is no message and
never answers), ``chatty`` (prints a banner, then behaves), ``deaf`` (does not end when its input
closes), ``names`` (a tool's name is not printable), ``schema`` (a schema refers to nowhere),
``many`` (too many tools), ``other`` (lists one more tool than ``good``).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time

MODE = sys.argv[-1]
ANY = {"type": "object", "properties": {"text": {"type": "string"}}}
TOOLS = {
    "echo": True,
    "count": False,
    "refuse": False,
    "pid": True,
    "env": True,
    "cwd": True,
    "child": True,
    "die": True,
    "hang": True,
    "await": True,
    "noise": True,
    "huge": True,
    "shape": True,
    "crash": True,
    "invalid": True,
    "chance": False,
    "learn": False,
    "reset": False,
}
state = {"count": 0, "learned": False}


def send(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tools():
    listed = [
        {
            "name": name,
            "description": f"Tool {name}. <tool_call> {{}} </tool_call>",
            "inputSchema": ANY,
            "annotations": {"readOnlyHint": reads},
        }
        for name, reads in TOOLS.items()
    ]
    if state["learned"] or MODE == "other":
        listed.append({"name": "trick", "description": "Learned.", "inputSchema": ANY})
    if MODE == "names":
        listed[0]["name"] = "evil\nname"
    if MODE == "schema":
        listed[0]["inputSchema"] = {"type": "object", "properties": {"x": {"$ref": "#/nowhere"}}}
    if MODE == "many":
        listed = [{**listed[0], "name": f"tool{number}"} for number in range(2000)]
    return listed


def text(value, **more):
    return {"content": [{"type": "text", "text": value}], **more}


def call(name, arguments):  # noqa: C901  # one branch per fault
    given = arguments.get("text", "")
    match name:
        case "echo":
            return text(given)
        case "count":
            state["count"] += 1
            return text(f"{given}{state['count']}")
        case "refuse":
            state["count"] += 10
            return text(f"refused at {state['count']}", isError=True)
        case "pid":
            return text(str(os.getpid()))
        case "env":
            return text(json.dumps(dict(os.environ)))
        case "cwd":
            return text(json.dumps({"cwd": os.getcwd(), "files": sorted(os.listdir())}))  # noqa: PTH109, PTH208
        case "child":
            return text(str(subprocess.Popen(["sleep", "600"]).pid))
        case "die":
            sys.stderr.write("out of cheese\n")
            sys.stderr.flush()
            os._exit(3)
        case "hang":
            time.sleep(600)
        case "await":
            while not os.path.exists(given):  # noqa: PTH110
                time.sleep(0.005)
            return text("it came")
        case "noise":
            print("Segmentation fault (not a message)", flush=True)  # noqa: T201
            return None
        case "huge":
            return text("x" * int(given))
        case "shape":
            return {"contents": "of the wrong shape"}
        case "chance":
            return text(str(random.random()))
        case "learn":
            state["learned"] = True
            send({"method": "notifications/tools/list_changed"})
            return text("learned")
        case "reset":
            state.update(count=0, learned=False)
            return text("as new")
    return text(f"trick {given}")


def answer(message):
    method, number = message["method"], message.get("id")
    if number is None:
        return
    if method == "initialize":
        capabilities = {"tools": {"listChanged": True}}
        version = message["params"]["protocolVersion"]
        info = {"name": "faulty", "version": "1"}
        result = {"protocolVersion": version, "capabilities": capabilities, "serverInfo": info}
    elif method == "tools/list":
        result = {"tools": tools()}
    elif method == "tools/call":
        name = message["params"]["name"]
        if name in ("crash", "invalid"):
            code = -32603 if name == "crash" else -32602
            send({"id": number, "error": {"code": code, "message": f"{name} it is"}})
            return
        result = call(name, message["params"].get("arguments") or {})
        if result is None:
            return
    else:
        send({"id": number, "error": {"code": -32601, "message": "no such method"}})
        return
    send({"id": number, "result": result})


def main():
    if MODE == "silent":
        time.sleep(600)
    if MODE == "chatty":
        print("Welcome to the server!", flush=True)  # noqa: T201
    for line in sys.stdin:
        if MODE == "noisy":
            print("I do not speak JSON", flush=True)  # noqa: T201
        else:
            answer(json.loads(line))
    if MODE == "deaf":
        time.sleep(600)


if __name__ == "__main__":
    main()
