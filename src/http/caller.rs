//! Who makes a request: the caller, and the actor where somebody is signed in.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use ipnet::IpNet;
use tidings_domain::error::Code;

use super::state::AppState;
use crate::{
    auth::{Actor, Caller, sessions::SESSION_DAYS},
    error::{Error, Result},
    telemetry::{TraceContext, about},
};

/// The cookie of a session.
pub const COOKIE: &str = "auth_token";
/// Bytes of a user agent that are kept.
const USER_AGENT_MAX: usize = 256;

/// Reads who calls from `peer`, believing the headers of trusted proxies. `secure` where every
/// request is known to come by https.
pub(super) fn read(
    headers: &HeaderMap,
    peer: IpAddr,
    trusted: &[IpNet],
    secure: bool,
    trace: TraceContext,
) -> Caller {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut ip = peer.to_canonical();
    let mut https = secure;
    if is_trusted(&ip) {
        let mut hops = list(headers, "x-forwarded-for").rev();
        // The nearest address that is no proxy of ours; what stands before it may be made up.
        while is_trusted(&ip)
            && let Some(hop) = hops.next().and_then(address)
        {
            ip = hop;
        }
        https |= list(headers, "x-forwarded-proto")
            .next_back()
            .is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    }
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let user_agent = text(header::USER_AGENT).map(|agent| {
        let end = agent.floor_char_boundary(USER_AGENT_MAX);
        agent[..end].to_owned()
    });
    Caller::new(ip, user_agent, https, trace)
}

/// The entries of a header that lists things, over all its lines.
fn list<'a>(headers: &'a HeaderMap, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let ip = bare.parse().ok();
    ip.or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|a| a.ip()))
        .map(|ip| ip.to_canonical())
}

/// The secret of a Bearer token, where one is sent.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The secret of the session's cookie, where one is sent.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE && !value.is_empty()).then_some(value))
}

/// The header that gives a browser a session, or takes it away where there is no secret.
pub fn set_cookie(secret: Option<&str>, https: bool) -> Option<HeaderValue> {
    let age = secret.map_or(0, |_| SESSION_DAYS * 24 * 3600);
    let value = secret.unwrap_or_default();
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={age}{secure}");
    text.try_into().ok()
}

/// Who is signed in. A Bearer token wins over the cookie.
impl FromRequestParts<AppState> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self> {
        let actor = <Self as OptionalFromRequestParts<_>>::from_request_parts(parts, app).await?;
        actor.ok_or_else(|| Code::Unauthenticated.into())
    }
}

/// Who is signed in, if anybody; a Bearer token that does not hold is refused all the same.
impl OptionalFromRequestParts<AppState> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Option<Self>> {
        // Put there at the edge.
        let caller = parts.extensions.get::<Arc<Caller>>().cloned();
        let caller = caller.ok_or_else(|| Error::internal("a request came in by no edge"))?;
        let actor = match (bearer(&parts.headers), cookie(&parts.headers)) {
            (Some(token), _) => {
                let actor = app.sessions.of_token(token, &caller).await?;
                Some(actor.ok_or(Code::Unauthenticated)?)
            }
            (None, Some(secret)) => app.sessions.of_session(secret, &caller).await?,
            (None, None) => None,
        };
        if let Some(actor) = &actor {
            about::user(actor.user.id);
        }
        Ok(actor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, headers: &[(&'static str, &'static str)]) -> Caller {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let trace = TraceContext::fresh();
        read(&map, peer.parse().unwrap(), &trusted, false, trace)
    }

    #[test]
    fn forwarded_headers_are_believed_from_trusted_proxies_alone() {
        let table = [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
            (
                "10.0.0.1",
                "1.1.1.1, 198.51.100.7, 10.2.3.4",
                "198.51.100.7",
            ),
            ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
            ("::1", "[2001:db8::1]:4711", "2001:db8::1"),
            ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "1.1.1.1, rubbish", "10.0.0.1"),
        ];
        for (peer, forwarded, expected) in table {
            let caller = caller(peer, &[("x-forwarded-for", forwarded)]);
            assert_eq!(caller.ip.to_string(), expected, "{peer} {forwarded}");
        }
        assert_eq!(caller("10.0.0.1", &[]).ip.to_string(), "10.0.0.1");
        let proto = [("x-forwarded-proto", "https")];
        assert!(caller("10.0.0.1", &proto).https);
        assert!(!caller("192.0.2.1", &proto).https);
    }
}
