//! Tidings: a todo application whose every change is an event.

fn main() {}
