//! How the values of flags are read.

use std::{
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use url::Url;

use crate::{
    auth::rate::Rate,
    consumers::{Roles, roles::UnknownRole},
};

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("{text:?} is no address such as 127.0.0.1:3000");
    let mut found = text.to_socket_addrs().map_err(|_| wrong())?;
    found.next().ok_or_else(wrong)
}

pub(super) fn database(text: &str) -> Result<String, &'static str> {
    match text.strip_prefix("sqlite:") {
        Some(rest) if !rest.trim_start_matches('/').is_empty() => Ok(text.to_owned()),
        _ => Err("must be sqlite://<path>"),
    }
}

pub(super) fn transport(text: &str) -> Result<(), &'static str> {
    match text {
        "auto" | "in-process" => Ok(()),
        "dapr" => Err("dapr is not supported yet; use auto or in-process"),
        _ => Err("must be auto or in-process"),
    }
}

/// Roles of a process whose events stay in it: what is published there is gone once its own
/// consumers have seen it, so that one that ran elsewhere would never see anything.
pub(super) fn roles(text: &str) -> Result<Roles, String> {
    let roles: Roles = text.parse().map_err(|e: UnknownRole| e.to_string())?;
    match roles.missing_consumer() {
        None => Ok(roles),
        Some(role) => Err(format!(
            "in-process events need all roles in one process; {} is missing",
            role.as_str()
        )),
    }
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
