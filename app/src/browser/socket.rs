//! A WebSocket of text frames.

use std::rc::Rc;

use leptos::prelude::window;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

/// What a socket tells.
pub enum Heard {
    /// The handshake is done.
    Open,
    /// A frame.
    Text(String),
    /// It is over, with this close code; 1006 where there was none.
    Closed(u16),
}

/// A socket. Dropped, it closes and tells nothing more.
pub struct Socket {
    socket: WebSocket,
    _open: Closure<dyn FnMut()>,
    _text: Closure<dyn FnMut(MessageEvent)>,
    _closed: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Opens a socket to `path` on our host; `heard` takes what it tells.
    pub fn open(path: &str, protocol: &str, heard: Rc<dyn Fn(Heard)>) -> Option<Self> {
        let location = window().location();
        let scheme = match location.protocol().ok()?.as_str() {
            "https:" => "wss://",
            _ => "ws://",
        };
        let url = [scheme, &location.host().ok()?, path].concat();
        let socket = WebSocket::new_with_str(&url, protocol).ok()?;
        let hears = Rc::clone(&heard);
        let open = Closure::wrap(Box::new(move || hears(Heard::Open)) as Box<dyn FnMut()>);
        let hears = Rc::clone(&heard);
        let text = Closure::wrap(Box::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                hears(Heard::Text(text));
            }
        }) as Box<dyn FnMut(MessageEvent)>);
        let closed =
            Closure::wrap(
                Box::new(move |event: CloseEvent| heard(Heard::Closed(event.code())))
                    as Box<dyn FnMut(CloseEvent)>,
            );
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(text.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Some(Self {
            socket,
            _open: open,
            _text: text,
            _closed: closed,
        })
    }

    /// Sends a frame; what cannot be sent is lost, and the socket is about to say that it closed.
    pub fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}
