//! The document as a page: made on the server, with nothing from another host and no script.

use std::fmt::Write as _;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The policy of the page: its one style, and nothing else.
pub(super) fn policy() -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
}

/// The page of a document.
pub(super) fn render(document: &Value) -> String {
    let mut page = Page(String::with_capacity(64 * 1024));
    let info = &document["info"];
    page.raw("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\"><title>Tidings: REST</title>");
    page.raw(&["<style>", STYLE, "</style></head><body><main><h1>"].concat());
    page.text(&info["title"]);
    page.raw(": REST</h1>");
    page.words(&info["description"]);
    page.raw("<p><a href=\"/api/openapi.json\">The OpenAPI document</a></p>");
    let tags = document["tags"].as_array().map_or(&[][..], Vec::as_slice);
    for tag in tags {
        page.raw("<section><h2>");
        page.text(&tag["name"]);
        page.raw("</h2>");
        page.words(&tag["description"]);
        for (path, item) in members(&document["paths"]) {
            for method in METHODS {
                let operation = &item[method];
                if operation["tags"][0] == tag["name"] {
                    page.operation(method, path, operation);
                }
            }
        }
        page.raw("</section>");
    }
    page.raw("<section><h2>Shapes</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        page.shape(name, schema);
    }
    page.raw("</section></main></body></html>");
    page.0
}

struct Page(String);

impl Page {
    fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                c => self.0.push(c),
            }
        }
    }

    /// A text in which backticks set code apart.
    fn marked(&mut self, text: &str) {
        for (n, part) in text.split('`').enumerate() {
            let (start, end) = if n % 2 == 1 {
                ("<code>", "</code>")
            } else {
                ("", "")
            };
            self.raw(start);
            self.escaped(part);
            self.raw(end);
        }
    }

    fn text(&mut self, value: &Value) {
        self.marked(value.as_str().unwrap_or_default());
    }

    fn words(&mut self, value: &Value) {
        for paragraph in value.as_str().unwrap_or_default().split("\n\n") {
            if !paragraph.trim().is_empty() {
                self.raw("<p>");
                self.marked(paragraph);
                self.raw("</p>");
            }
        }
    }

    fn operation(&mut self, method: &str, path: &str, operation: &Value) {
        let _ = write!(
            self.0,
            "<article><h3><span class=\"method\">{method}</span> <code>"
        );
        self.escaped(path);
        self.raw("</code></h3><p><strong>");
        self.text(&operation["summary"]);
        self.raw("</strong></p>");
        self.words(&operation["description"]);
        let parameters = operation["parameters"].as_array();
        if let Some(parameters) = parameters.filter(|list| !list.is_empty()) {
            self.raw(
                "<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th>",
            );
            self.raw("</tr></thead><tbody>");
            for parameter in parameters {
                self.raw("<tr><td><code>");
                self.text(&parameter["name"]);
                self.raw("</code></td><td>");
                self.text(&parameter["in"]);
                self.raw("</td><td>");
                self.kind(&parameter["schema"]);
                self.raw("</td><td>");
                self.text(&parameter["description"]);
                self.raw("</td></tr>");
            }
            self.raw("</tbody></table>");
        }
        self.bodies("Takes", &operation["requestBody"]["content"]);
        for (status, response) in members(&operation["responses"]) {
            self.raw("<p><code>");
            self.escaped(status);
            self.raw("</code> ");
            self.text(&response["description"]);
            self.raw("</p>");
            for (name, header) in members(&response["headers"]) {
                self.raw("<p class=\"more\"><code>");
                self.escaped(name);
                self.raw("</code> ");
                self.text(&header["description"]);
                self.raw("</p>");
            }
            self.bodies("Gives", &response["content"]);
        }
        self.raw("</article>");
    }

    fn bodies(&mut self, verb: &str, content: &Value) {
        for (kind, body) in members(content) {
            self.raw("<p class=\"more\">");
            self.escaped(verb);
            self.raw(" ");
            self.kind(&body["schema"]);
            self.raw(" as <code>");
            self.escaped(kind);
            self.raw("</code></p>");
        }
    }

    fn shape(&mut self, name: &str, schema: &Value) {
        self.raw("<article id=\"");
        self.escaped(name);
        self.raw("\"><h3>");
        self.escaped(name);
        self.raw("</h3>");
        self.words(&schema["description"]);
        if schema["enum"].is_array() {
            self.raw("<p>");
            self.kind(schema);
            self.raw("</p>");
        }
        self.fields(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.fields(part);
        }
        self.raw("</article>");
    }

    fn fields(&mut self, schema: &Value) {
        let needed = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        if schema["properties"].is_null() {
            return;
        }
        self.raw(
            "<table><thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead><tbody>",
        );
        for (field, schema) in members(&schema["properties"]) {
            self.raw("<tr><td><code>");
            self.escaped(field);
            self.raw("</code>");
            if !needed.iter().any(|n| n == field) {
                self.raw(" <span class=\"more\">optional</span>");
            }
            self.raw("</td><td>");
            self.kind(schema);
            self.raw("</td><td>");
            self.text(&schema["description"]);
            self.raw("</td></tr>");
        }
        self.raw("</tbody></table>");
    }

    /// What kind of value a schema asks for, in a word or a link.
    fn kind(&mut self, schema: &Value) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap_or_default();
            self.raw("<a href=\"#");
            self.escaped(name);
            self.raw("\">");
            self.escaped(name);
            self.raw("</a>");
            return;
        }
        let either = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
        if let Some(either) = either {
            for (n, schema) in either.iter().enumerate() {
                if n > 0 {
                    self.raw(" or ");
                }
                self.kind(schema);
            }
            return;
        }
        if let Some(values) = schema["enum"].as_array() {
            let values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
            self.escaped(&values.join(", "));
            return;
        }
        let types: Vec<_> = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        self.escaped(&types.join(" or "));
        if let Some(format) = schema["format"].as_str() {
            let _ = write!(self.0, " <span class=\"more\">");
            self.escaped(format);
            self.raw("</span>");
        }
        if schema["items"].is_object() {
            self.raw(" of ");
            self.kind(&schema["items"]);
        }
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}
