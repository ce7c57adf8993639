//! The document around the pages: head, script, data, drawings. Made on the server only.

use leptos::nonce::use_nonce;

use crate::{
    app::app,
    components::icon::SYMBOLS,
    page::PageData,
    reactive::moment,
    route::Route,
    view::{Markup, Whole, view},
};

/// Addresses of what the document loads, with the hashes of this build in their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// The style.
    pub css: String,
    /// The script.
    pub js: String,
    /// What the script runs.
    pub wasm: String,
}

impl Assets {
    /// The addresses under `/<pkg>/`, from the text of the build's hash file: lines of
    /// `js: <hash>`, `wasm: <hash>` and `css: <hash>`. Without hashes, the plain names.
    pub fn new(pkg: &str, name: &str, hashes: &str) -> Self {
        let hash = |kind: &str| {
            hashes.lines().find_map(|line| {
                let (key, hash) = line.split_once(':')?;
                (key.trim() == kind).then(|| hash.trim().to_owned())
            })
        };
        let at = |kind: &str, plain: &str| match hash(kind) {
            Some(hash) => format!("/{pkg}/{name}.{hash}.{kind}"),
            None => format!("/{pkg}/{plain}.{kind}"),
        };
        Self {
            css: at("css", name),
            js: at("js", name),
            wasm: at("wasm", name),
        }
    }
}

/// What the page of nobody does in the browser: it tells the form for a new account the time zone,
/// lets the other tabs look whether they are still signed in, for signing out in one ends all, and has
/// the browser told nothing more with every tab closed.
const NOBODY: &str = "document.querySelector('input[name=time_zone]')?.setAttribute('value',\
    Intl.DateTimeFormat().resolvedOptions().timeZone);\
    new BroadcastChannel('tidings').postMessage('');\
    navigator.serviceWorker?.getRegistration().then(w=>w?.pushManager?.getSubscription())\
    .then(s=>s?.unsubscribe()).catch(()=>{});\
    localStorage.removeItem('tidings.push')";

/// The document of a page.
pub fn shell(page: &PageData, assets: &Assets) -> Whole {
    moment(|| document(page, assets).into())
}

fn document(page: &PageData, assets: &Assets) -> Markup {
    let nonce = use_nonce().map(|nonce| nonce.to_string());
    let theme = page
        .profile
        .as_ref()
        .map_or("system", |p| match p.theme.as_str() {
            "light" => "light",
            "dark" => "dark",
            _ => "system",
        });
    let title = [
        &Route::parse(&page.path, &page.query).heading(),
        " · Tidings",
    ]
    .concat();
    let mut data = serde_json::to_string(page).unwrap_or_default();
    // What a JSON text holds may not end the script element that holds it.
    if data.contains('<') {
        data = data.replace('<', "\\u003c");
    }
    let start = format!(
        "import({js:?}).then(m=>m.default({{module_or_path:{wasm:?}}}).then(()=>m.hydrate()))",
        js = assets.js,
        wasm = assets.wasm,
    );
    let beside = match page.profile {
        Some(_) => view! { <script type="module" nonce=nonce.clone() src="/notify.js"></script> },
        None => view! { <script type="module" nonce=nonce.clone() inner_html=NOBODY></script> },
    };
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width,initial-scale=1" />
                <title>{title}</title>
                <meta name="description" content="Your tasks, the same in every tab." />
                <meta name="color-scheme" content="light dark" />
                <meta
                    name="theme-color"
                    content="#f6f7f8"
                    media="(prefers-color-scheme: light)"
                />
                <meta
                    name="theme-color"
                    content="#0e1418"
                    media="(prefers-color-scheme: dark)"
                />
                <link rel="stylesheet" href=assets.css.clone() />
                <link rel="icon" href="/icon.svg" type="image/svg+xml" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <link rel="modulepreload" href=assets.js.clone() nonce=nonce.clone() />
                <link
                    rel="preload"
                    href=assets.wasm.clone()
                    r#as="fetch"
                    r#type="application/wasm"
                    crossorigin="anonymous"
                />
                <noscript>
                    <style nonce=nonce.clone()>
                        ".nojs{display:inline-flex!important}.js{display:none!important}"
                    </style>
                </noscript>
                <script type="module" nonce=nonce inner_html=start></script>
                {beside}
            </head>
            <body>
                {app(page)}
                <script type="application/json" id="page" inner_html=data></script>
                <div inner_html=SYMBOLS></div>
            </body>
        </html>
    }
}
