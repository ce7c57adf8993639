//! The Origin rule: what changes anything, and what opens a socket, comes from pages of ours or
//! from no page at all.

use axum::http::{HeaderMap, Method, header};
use url::Url;

use super::caller::bearer;

/// The origins that are ours, as browsers write them.
#[derive(Clone, Debug)]
pub struct Origins(Vec<String>);

impl Origins {
    /// The public URL's, or without one those of the loopback names with our port.
    pub fn new(public_url: Option<&Url>, port: u16) -> Self {
        Self(match public_url {
            Some(url) => vec![url.origin().ascii_serialization()],
            None => ["localhost", "127.0.0.1", "[::1]"]
                .iter()
                .map(|host| match port {
                    80 => format!("http://{host}"),
                    port => format!("http://{host}:{port}"),
                })
                .collect(),
        })
    }

    /// Whether a request may be made from where it was made.
    pub fn allow(&self, method: &Method, path: &str, headers: &HeaderMap) -> bool {
        let reads = matches!(*method, Method::GET | Method::HEAD) && path != "/ws";
        if reads || bearer(headers).is_some() {
            return true;
        }
        if let Some(site) = headers.get("sec-fetch-site") {
            return site == "same-origin";
        }
        match headers.get(header::ORIGIN) {
            Some(origin) => self.0.iter().any(|ours| origin == ours.as_str()),
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_rule_holds() {
        let local = Origins::new(None, 3000);
        let public = "https://tidings.example".parse().unwrap();
        let public = Origins::new(Some(&public), 3000);
        type Case = (
            &'static str,
            &'static str,
            &'static [(&'static str, &'static str)],
            bool,
            bool,
        );
        let table: [Case; 15] = [
            ("POST", "/rpc/change", &[], true, true),
            (
                "POST",
                "/",
                &[("origin", "http://127.0.0.1:3000")],
                true,
                false,
            ),
            (
                "POST",
                "/",
                &[("origin", "http://localhost:3000")],
                true,
                false,
            ),
            ("POST", "/", &[("origin", "http://[::1]:3000")], true, false),
            (
                "POST",
                "/",
                &[("origin", "http://127.0.0.1:3001")],
                false,
                false,
            ),
            (
                "POST",
                "/",
                &[("origin", "https://tidings.example")],
                false,
                true,
            ),
            (
                "POST",
                "/",
                &[("origin", "https://tidings.example:8443")],
                false,
                false,
            ),
            ("POST", "/", &[("origin", "null")], false, false),
            (
                "DELETE",
                "/",
                &[("origin", "https://evil.example")],
                false,
                false,
            ),
            (
                "GET",
                "/",
                &[("origin", "https://evil.example")],
                true,
                true,
            ),
            (
                "GET",
                "/ws",
                &[("origin", "https://evil.example")],
                false,
                false,
            ),
            (
                "POST",
                "/",
                &[("sec-fetch-site", "same-origin")],
                true,
                true,
            ),
            (
                "POST",
                "/",
                &[("sec-fetch-site", "same-site")],
                false,
                false,
            ),
            (
                "POST",
                "/",
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://127.0.0.1:3000"),
                ],
                false,
                false,
            ),
            (
                "POST",
                "/",
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("authorization", "Bearer tdg_x"),
                ],
                true,
                true,
            ),
        ];
        for (method, path, headers, here, there) in table {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, HeaderValue::from_static(value));
            }
            let method = method.parse().unwrap();
            assert_eq!(
                local.allow(&method, path, &map),
                here,
                "{method} {path} {headers:?}"
            );
            assert_eq!(
                public.allow(&method, path, &map),
                there,
                "{method} {path} {headers:?}"
            );
        }
    }
}
