"""The page of the server's description: it reads itself out, and sends its example or a recording that is chosen.

It asks nothing of anybody else: no fonts, no scripts from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterator, Mapping
from typing import Any

#: Where the description lies, and the page of it.
DESCRIPTION, PAGE = "/openapi.json", "/docs"
_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d1d9e0, #3d444d); --pale: light-dark(#f5f7f9, #1c2128); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem; }
pre { background: var(--pale); border: 1px solid var(--line); border-radius: 6px; padding: .7rem; white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: .85rem; max-height: 24rem; overflow-y: auto; }
code { overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; }
button, input { font: inherit; max-width: 100%; margin: .2rem .4rem .2rem 0; }
summary { cursor: pointer; }
"""
_SCRIPT = """
const told = document.getElementById("told");
async function ask(body) {
  told.textContent = "…";
  const begun = performance.now();
  const reply = await fetch("invocations", {method: "POST", headers: {"Content-Type": "application/json"}, body});
  const text = await reply.text();
  const took = Math.round(performance.now() - begun);
  told.textContent = `${reply.status}, ${took} ms\\n` + JSON.stringify(JSON.parse(text), null, 2);
}
document.getElementById("example").onclick = () => ask(document.getElementById("request").textContent);
document.getElementById("file").onchange = event => {
  const reader = new FileReader();
  reader.onload = () => ask(JSON.stringify({instances: [reader.result.split(",")[1]]}));
  reader.readAsDataURL(event.target.files[0]);
};
"""
#: The page's own script runs, and nothing else; it asks this server alone.
_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_HASH}'; connect-src 'self'"


def page(description: Mapping[str, Any]) -> bytes:
    """Return the page.

    Parameters
    ----------
    description : mapping
        As :func:`ser_experiments.serving.http.openapi.openapi` gives it.
    """
    return "\n".join(_parts(description)).encode()


def _parts(description: Mapping[str, Any]) -> Iterator[str]:
    about = description["info"]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{html.escape(about['title'])}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{html.escape(about['title'])}</h1>"
    yield from (f"<p>{html.escape(line)}</p>" for line in about["description"].split("\n\n"))
    yield '<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>'
    for path, methods in description["paths"].items():
        for method, one in methods.items():
            yield f"<section><h2><code>{method.upper()} {html.escape(path)}</code></h2>"
            yield f"<p>{html.escape(one['summary'])}</p>"
            if "requestBody" in one:
                yield from _body(one)
            yield "</section>"
    yield f"<script>{_SCRIPT}</script></body></html>"


def _body(one: Mapping[str, Any]) -> Iterator[str]:
    given = one["requestBody"]["content"]["application/json"]
    done = one["responses"]["200"]["content"]["application/json"]
    yield f"<p>{html.escape(one['description'])}</p>"
    yield "<details><summary>An example of a request</summary>"
    yield f'<pre id="request">{_json(given["example"])}</pre></details>'
    yield '<p><button id="example">Send the example</button>'
    yield '<label>or a recording: <input id="file" type="file" accept="audio/*,video/*"></label></p>'
    yield '<pre id="told" role="status" aria-live="polite">The answer will stand here.</pre>'
    yield f"<details><summary>What the example is answered</summary><pre>{_json(done['example'], 2)}</pre></details>"
    yield f"<details><summary>Schema of requests</summary><pre>{_json(given['schema'], 2)}</pre></details>"
    yield f"<details><summary>Schema of answers</summary><pre>{_json(done['schema'], 2)}</pre></details><ul>"
    refused = {status: told for status, told in one["responses"].items() if status != "200"}
    yield from (
        f"<li><code>{status}</code> {html.escape(told['description'])}</li>" for status, told in refused.items()
    )
    yield "</ul>"


def _json(value: object, indent: int | None = None) -> str:
    return html.escape(json.dumps(value, indent=indent))
