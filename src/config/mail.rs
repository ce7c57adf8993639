//! Flags of mail.

use clap::Args;

use super::flags::Faults;
use crate::mail::{Smtp, sender};

/// Where mail is handed in.
#[derive(Args, Clone, Debug)]
pub struct MailArgs {
    /// Where mail is handed in, such as smtp://user:password@host:587?tls=required; unset: mail is a
    /// line in the log
    #[arg(
        long,
        env = "SMTP_URL",
        default_value = "",
        hide_default_value = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(super) smtp_url: String,
    /// Who sends it, such as Tidings <tidings@example.org>
    #[arg(
        long,
        env = "MAIL_FROM",
        default_value = "",
        hide_default_value = true,
        value_name = "ADDRESS"
    )]
    mail_from: String,
}

impl MailArgs {
    /// Checks them; nothing where no server is set.
    pub(super) fn check(&self, faults: &mut Faults) -> Option<Smtp> {
        if self.smtp_url.is_empty() {
            return None;
        }
        let from = match self.mail_from.is_empty() {
            true => Err("is needed where SMTP_URL is set"),
            false => sender(&self.mail_from),
        };
        let from = faults.take("MAIL_FROM", from);
        let example = || sender("tidings@localhost");
        let smtp = from.clone().map_or_else(example, Ok);
        let smtp = smtp.map(|from| Smtp::new(&self.smtp_url, from));
        let smtp = smtp.ok().and_then(|smtp| faults.take("SMTP_URL", smtp));
        smtp.filter(|_| from.is_some())
    }
}
