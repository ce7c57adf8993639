//! Flags of Web Push.

use clap::Args;

use super::{flags::Faults, values::switch};
use crate::push::Reach;

/// Where push services may be.
#[derive(Args, Clone, Debug)]
pub(super) struct PushArgs {
    /// Whether push services may also be on this machine itself, without TLS: for tests alone
    #[arg(
        long,
        env = "PUSH_TO_LOOPBACK",
        default_value = "false",
        value_name = "BOOL"
    )]
    push_to_loopback: String,
}

impl PushArgs {
    /// Checks them.
    pub(super) fn check(&self, faults: &mut Faults) -> Option<Reach> {
        let loopback = faults.take("PUSH_TO_LOOPBACK", switch(&self.push_to_loopback));
        loopback.map(|loopback| Reach { loopback })
    }
}
