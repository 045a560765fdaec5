"""/openapi.json, and /docs: a page made from it, which needs nothing from elsewhere."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, render_template_string
from flask_smorest import Api

from adapter.api.answers import json_answer
from adapter.records import KINDS, json_schema

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ spec.info.title }} {{ spec.info.version }}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; background: #fff }
code, .method { font-family: ui-monospace, monospace } .method { font-weight: 700; text-transform: uppercase }
section { border-top: 1px solid #bbb; padding: .5rem 0 } table { border-collapse: collapse } td, th { text-align: left; padding: .1rem 1rem .1rem 0; vertical-align: top }
</style></head><body>
<h1>{{ spec.info.title }} {{ spec.info.version }}</h1>
<p>{{ spec.info.description }} The same as <a href="/openapi.json">OpenAPI</a>; the FHIR face says what it can do at
<a href="/fhir/metadata">/fhir/metadata</a>.</p>
{% for path, methods in spec.paths.items() %}{% for method, operation in methods.items() if method != 'parameters' %}
<section><h2><span class="method">{{ method }}</span> <code>{{ path }}</code></h2>
<p>{{ operation.summary or operation.description or '' }}</p>
{% set parameters = (methods.parameters or []) + (operation.parameters or []) %}
{% if parameters %}<table><tr><th>Parameter</th><th>Where</th><th>Value</th></tr>
{% for parameter in parameters %}<tr><td><code>{{ parameter.name }}</code></td><td>{{ parameter['in'] }}</td>
<td>{{ parameter.schema.enum | join(', ') if parameter.schema.enum else parameter.schema.type }}</td></tr>{% endfor %}</table>{% endif %}
{% if operation.requestBody %}<p>Body: <code>{{ operation.requestBody.content.keys() | join(', ') }}</code></p>{% endif %}
<table><tr><th>Status</th><th>Meaning</th></tr>
{% for status, response in operation.responses.items() %}<tr><td>{{ status }}</td><td>{{ response.description }}</td></tr>{% endfor %}
</table></section>{% endfor %}{% endfor %}
<h2>Records</h2>
{% for kind in kinds %}<p><code>{{ kind }}</code>: {{ spec.components.schemas[kind].description }}</p>{% endfor %}
</body></html>
"""


def register(app: Flask, api: Api) -> None:
    """Adds both documents to the application."""

    @app.get("/")
    def start() -> Response:
        return Response(status=302, headers={"Location": "/docs"})

    @app.get("/openapi.json")
    def openapi() -> Response:
        return json_answer(described(api))

    @app.get("/docs")
    def docs() -> Response:
        page = render_template_string(PAGE, spec=described(api), kinds=KINDS)
        return Response(page, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": PAGE_POLICY})


def described(api: Api) -> dict[str, Any]:
    """The OpenAPI document, with the JSON Schemas of the records among its components."""
    spec: dict[str, Any] = api.spec.to_dict()
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    for kind in KINDS:
        schemas.update(_moved(kind))
    return spec


def _moved(kind: str) -> dict[str, Any]:
    """A kind's schema and those that it refers to, under names of their own in the components."""
    schema = json_schema(kind)
    inner = {f"{kind}.{name}": _renamed(tree, kind) for name, tree in schema.get("$defs", {}).items()}
    outer = {key: value for key, value in schema.items() if key not in ("$defs", "$id", "$schema")}
    return {kind: _renamed(outer, kind), **inner}


def _renamed(tree: Any, kind: str) -> Any:
    if isinstance(tree, dict):
        return {
            key: f"#/components/schemas/{kind}.{value.removeprefix('#/$defs/')}"
            if key == "$ref"
            else _renamed(value, kind)
            for key, value in tree.items()
        }
    if isinstance(tree, list):
        return [_renamed(value, kind) for value in tree]
    return tree
