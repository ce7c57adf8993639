//! The browser's files: style, script and what lies in `public/`, with the brotli copies that the
//! build has made beside them.

use std::path::Path;

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tidings_app::shell::Assets;
use tower_http::services::ServeDir;

use crate::config::Config;

/// The folder that the script lies in.
const PKG: &str = "pkg";
/// What its files are called.
const NAME: &str = "tidings";

/// Where pages find style and script. Tells the log of those that are not there: pages work without,
/// by plain forms, and somebody has to look.
pub fn assets(config: &Config) -> Assets {
    let assets = Assets::new(PKG, NAME, &config.hashes);
    for path in [&assets.css, &assets.js, &assets.wasm] {
        let file = config.site_root.join(path.trim_start_matches('/'));
        if !file.is_file() {
            let file = file.display();
            tracing::warn!(%file, "pages lack a file: look at LEPTOS_SITE_ROOT and LEPTOS_HASH_FILES");
        }
    }
    assets
}

/// The folder of the files. What is not in it goes to the fallback.
pub(super) fn folder(root: &Path) -> ServeDir {
    ServeDir::new(root)
        .precompressed_br()
        .append_index_html_on_directories(false)
        .call_fallback_on_method_not_allowed(true)
}

/// Says how long files may be kept: for ever, where the name holds a hash of the contents.
pub(super) async fn keep(request: Request, next: Next) -> Response {
    let hashed = is_hashed(request.uri().path());
    let mut response = next.run(request).await;
    if response.status().is_success() || response.status().is_redirection() {
        let how_long = if hashed {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let headers = response.headers_mut();
        // What is no file is a page of the fallback, which says these for itself.
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static(how_long));
        headers
            .entry(header::CONTENT_SECURITY_POLICY)
            .or_insert(HeaderValue::from_static(
                "default-src 'self'; frame-ancestors 'none'",
            ));
    }
    response
}

/// Whether a path is `/pkg/<name>.<hash>.<kind>`.
fn is_hashed(path: &str) -> bool {
    let name = path.strip_prefix("/pkg/").unwrap_or_default();
    let parts: Vec<_> = name.split('.').collect();
    matches!(parts[..], [NAME, hash, "js" | "css" | "wasm"] if hash.len() >= 16)
}
