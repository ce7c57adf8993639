//! The browser's entry: takes over the page that the server rendered.
