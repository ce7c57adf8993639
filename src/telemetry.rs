//! What the process tells of itself: lines on standard error, as text or JSON.

use std::{
    io::{self, IsTerminal},
    str::FromStr,
};

use tracing_subscriber::EnvFilter;

/// In which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json"),
        }
    }
}

/// What is logged, and how.
#[derive(Debug)]
pub struct Logging {
    /// Which lines.
    pub filter: EnvFilter,
    /// In which form.
    pub format: LogFormat,
}

/// Begins to log. Where something logs already, that stays.
pub fn start(logging: Logging) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(logging.filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    // An error says that there is a logger already.
    let _ = match logging.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
