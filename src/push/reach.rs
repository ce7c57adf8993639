//! Where notifications may be sent. A person names the endpoint, and this server calls it: so it is
//! called only where the whole world could, never within the network that this server is in.

use std::{
    error::Error as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::dns::{Name, Resolve, Resolving};
use url::{Host, Url};

/// The longest endpoint, in bytes.
const ENDPOINT_MAX: usize = 2_000;

/// Addresses of version 4 that are not everybody's.
const CLOSED_V4: [Ipv4Net; 14] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 3),
];

/// The addresses of version 6 that are everybody's, and those among them that are not.
const OPEN_V6: Ipv6Net = v6([0x2000, 0], 3);
const CLOSED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0], 23),
    v6([0x2001, 0xdb8], 32),
    v6([0x2002, 0], 16),
    v6([0x3fff, 0], 20),
];

/// Addresses of version 4 behind a translator (RFC 6052).
const TRANSLATED: Ipv6Net = v6([0x64, 0xff9b], 96);

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6([a, b]: [u16; 2], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

/// Where notifications may be sent.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Whether also, without TLS, to this machine itself.
    pub loopback: bool,
}

/// A name stands for an address that is not everybody's.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not an address that everybody reaches")]
struct Closed(IpAddr);

/// A name stands for no address: resolvers that block a name say so.
#[derive(Debug, thiserror::Error)]
#[error("the name leads nowhere: is it blocked?")]
struct Nowhere;

impl Reach {
    /// The endpoint, where it is one: https and a name. What the name stands for is looked at when it
    /// is called.
    pub fn endpoint(self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        let short = text.len() <= ENDPOINT_MAX && url.as_str().len() <= ENDPOINT_MAX;
        let named = match url.host()? {
            Host::Domain(_) => url.scheme() == "https",
            Host::Ipv4(ip) => self.loopback && ip.is_loopback(),
            Host::Ipv6(ip) => self.loopback && ip.is_loopback(),
        };
        let spoken = matches!(url.scheme(), "https" | "http");
        (plain && short && named && spoken && url.fragment().is_none()).then_some(url)
    }

    fn check(self, ip: IpAddr) -> Result<(), Closed> {
        let open = match ip {
            IpAddr::V4(ip) => is_open(ip),
            IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
                Some(ip) => is_open(ip),
                None if TRANSLATED.contains(&ip) => {
                    is_open(Ipv4Addr::from_bits(ip.to_bits() as u32))
                }
                None => OPEN_V6.contains(&ip) && !CLOSED_V6.iter().any(|net| net.contains(&ip)),
            },
        };
        match open || (self.loopback && ip.is_loopback()) {
            true => Ok(()),
            false => Err(Closed(ip)),
        }
    }
}

fn is_none(ip: &IpAddr) -> bool {
    ip.to_canonical().is_unspecified()
}

fn is_open(ip: Ipv4Addr) -> bool {
    !CLOSED_V4.iter().any(|net| net.contains(&ip))
}

impl Resolve for Reach {
    /// The connection is made to what was looked at: a name that stands for something else a moment
    /// later gains nothing. One address that is closed closes all of them; one that is none at all says
    /// nothing about whose the name is.
    fn resolve(&self, name: Name) -> Resolving {
        let reach = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            let (none, some): (Vec<_>, Vec<_>) =
                found.iter().map(SocketAddr::ip).partition(is_none);
            for ip in some {
                reach.check(ip)?;
            }
            if !none.is_empty() {
                return Err(Nowhere.into());
            }
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// Whether a call failed since its address is closed.
pub(super) fn is_closed(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<Closed>() {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTSIDE: Reach = Reach { loopback: false };
    const TESTING: Reach = Reach { loopback: true };

    #[test]
    fn an_endpoint_is_https_and_a_name() {
        for right in [
            "https://fcm.googleapis.com/fcm/send/abc:def",
            "https://updates.push.services.mozilla.com:443/wpush/v2/abc",
            "https://web.push.apple.com/abc?x=1",
        ] {
            assert!(OUTSIDE.endpoint(right).is_some(), "{right}");
        }
        let long = format!("https://push.example/{}", "a".repeat(ENDPOINT_MAX));
        for wrong in [
            "",
            "/push",
            "http://push.example/a",
            "ftp://push.example/a",
            "https://1.1.1.1/a",
            "https://127.1/a",
            "https://0x7f000001/a",
            "https://2130706433/a",
            "https://[::1]/a",
            "https://[2606:4700::1111]/a",
            "https://me@push.example/a",
            "https://:secret@push.example/a",
            "https://push.example/a#b",
            &long,
        ] {
            assert!(OUTSIDE.endpoint(wrong).is_none(), "{wrong}");
        }
        assert!(TESTING.endpoint("http://127.0.0.1:4000/a").is_some());
        assert!(TESTING.endpoint("http://[::1]:4000/a").is_some());
        for wrong in [
            "http://push.example/a",
            "http://10.0.0.1/a",
            "ftp://127.0.0.1/a",
        ] {
            assert!(TESTING.endpoint(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn only_addresses_of_everybody_are_called() {
        let open = |reach: Reach, ip: &str| reach.check(ip.parse().unwrap()).is_ok();
        for ip in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(open(OUTSIDE, ip), "{ip}");
        }
        for ip in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!open(OUTSIDE, ip), "{ip}");
            assert_eq!(open(TESTING, ip), matches!(ip, "127.0.0.1" | "::1"), "{ip}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_not_called() {
        let resolve = async |reach: Reach| reach.resolve("localhost".parse().unwrap()).await;
        assert!(resolve(OUTSIDE).await.err().unwrap().is::<Closed>());
        assert!(resolve(TESTING).await.is_ok());
    }

    #[tokio::test]
    async fn a_name_that_is_blocked_is_not_called_and_not_closed() {
        for ip in ["0.0.0.0", "::", "::ffff:0.0.0.0"] {
            for reach in [OUTSIDE, TESTING] {
                let resolved = reach.resolve(ip.parse().unwrap()).await;
                assert!(resolved.err().unwrap().is::<Nowhere>(), "{ip}");
            }
        }
    }
}
