//! How the values of flags are read.

use std::{
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use url::Url;

use super::EventTransport;
use crate::{
    auth::rate::Rate,
    consumers::{Roles, roles::UnknownRole},
    dapr::Token,
};

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("{text:?} is no address such as 127.0.0.1:3000");
    let mut found = text.to_socket_addrs().map_err(|_| wrong())?;
    found.next().ok_or_else(wrong)
}

pub(super) fn database(text: &str) -> Result<String, &'static str> {
    // The words do not repeat what is wrong: it may hold a password.
    const FORM: &str = "must be sqlite://<path> or postgres://<user>@<host>/<database>";
    let (scheme, rest) = text.split_once(':').ok_or(FORM)?;
    let fits = match scheme {
        "sqlite" => !rest.trim_start_matches('/').is_empty(),
        "postgres" | "postgresql" => rest.starts_with("//") && text.parse::<Url>().is_ok(),
        _ => false,
    };
    if fits { Ok(text.to_owned()) } else { Err(FORM) }
}

pub(super) fn switch(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err("must be true or false"),
    }
}

/// Roles. Those of a process whose events stay in it need every consumer: what is published there is
/// gone once its own consumers have seen it, so that one that ran elsewhere would never see anything.
pub(super) fn roles(text: &str, transport: Option<EventTransport>) -> Result<Roles, String> {
    let roles: Roles = text.parse().map_err(|e: UnknownRole| e.to_string())?;
    match roles.missing_consumer() {
        Some(role) if transport == Some(EventTransport::InProcess) => Err(format!(
            "in-process events need all roles in one process; {} is missing",
            role.as_str()
        )),
        _ => Ok(roles),
    }
}

pub(super) fn port(text: &str) -> Result<u16, &'static str> {
    match text.parse() {
        Ok(0) | Err(_) => Err("must be a port, from 1 to 65535"),
        Ok(port) => Ok(port),
    }
}

/// The name of a component, or of a host.
pub(super) fn component(text: &str) -> Result<String, &'static str> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    if !text.is_empty() && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("must be a name: letters, digits, - . _")
    }
}

/// Nothing where it is empty.
pub(super) fn token(text: &str) -> Result<Option<Token>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let token = Token::new(text).ok_or("must be visible ASCII characters without spaces");
    token.map(Some)
}

pub(super) fn seconds(text: &str) -> Result<Option<Duration>, &'static str> {
    match text.parse::<u32>() {
        Ok(0) => Ok(None),
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds.into()))),
        Err(_) => Err("must be a whole number of seconds; 0: never"),
    }
}

pub(super) fn public_url(text: &str) -> Result<Option<Url>, &'static str> {
    const FORM: &str = "must be an origin such as https://tidings.example, without a path";
    if text.is_empty() {
        return Ok(None);
    }
    let url: Url = text.parse().map_err(|_| FORM)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    if plain { Ok(Some(url)) } else { Err(FORM) }
}

pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |part: &str| {
        let one = part.parse::<IpAddr>().map(IpNet::from);
        part.parse::<IpNet>()
            .or(one)
            .map_err(|_| format!("{part:?} is no network such as 10.0.0.0/8"))
    };
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(network)
        .collect()
}

pub(super) fn rate(text: &str) -> Result<Option<Rate>, &'static str> {
    if text == "off" {
        return Ok(None);
    }
    text.parse().map(Some)
}
pub(super) fn read(file: PathBuf) -> Result<String, String> {
    std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
}
