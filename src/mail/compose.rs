//! A mail, from what is kept of it: text and HTML, and what mail programs ask for.

use std::time::{Duration, SystemTime};

use lettre::{
    Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{Smtp, unsubscribe::Signer};
use crate::{
    error::{Error, Result},
    store::Mail,
};

/// What all mail has in common.
#[derive(Clone)]
pub struct Letterhead {
    /// Where people reach us, without a slash at the end.
    pub base: String,
    /// Signs the links that unsubscribe.
    pub signer: Signer,
}

impl Letterhead {
    /// The whole message.
    ///
    /// # Errors
    /// Where it cannot be written, now or ever: an address that no mail program takes.
    pub fn compose(&self, mail: &Mail, smtp: &Smtp) -> Result<Message> {
        let unsubscribe = mail.kind.map(|kind| {
            let link = self.signer.link(mail.user_id, kind);
            [&*self.base, &*link].concat()
        });
        let address = mail.email.parse().map_err(Error::internal)?;
        let to = Mailbox::new(Some(one_line(&mail.name)), address);
        let written = u64::try_from(mail.created_at.0).unwrap_or(0);
        let mut message = Message::builder()
            .from(smtp.from.clone())
            .to(to)
            .subject(one_line(&mail.subject))
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(written))
            .message_id(Some(format!("<{}@{}>", mail.id, smtp.domain())))
            .raw_header(raw("Auto-Submitted", "auto-generated".into()));
        if let Some(link) = &unsubscribe {
            message = message
                .raw_header(raw("List-Unsubscribe", format!("<{link}>")))
                .raw_header(raw(
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click".into(),
                ));
        }
        let link = [&*self.base, &*mail.link].concat();
        let parts = MultiPart::alternative_plain_html(
            text(mail, &link, unsubscribe.as_deref()),
            html(mail, &link, unsubscribe.as_deref()),
        );
        message.multipart(parts).map_err(Error::internal)
    }
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// Headers have no second line.
fn one_line(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(visible).collect()
}

fn text(mail: &Mail, link: &str, unsubscribe: Option<&str>) -> String {
    let Mail {
        name,
        body,
        link_text,
        subject,
        ..
    } = mail;
    let mut text = format!("Hello {name},\n\n{subject}\n{body}\n\n{link_text}: {link}\n");
    if let Some(unsubscribe) = unsubscribe {
        text += &format!("\n-- \nTidings. No more mail of this kind: {unsubscribe}\n");
    }
    text
}

fn html(mail: &Mail, link: &str, unsubscribe: Option<&str>) -> String {
    let [name, subject, body, link_text, link] =
        [&mail.name, &mail.subject, &mail.body, &mail.link_text, link].map(escape);
    let mut html = format!(
        "<!DOCTYPE html><html lang=\"en\"><body style=\"font-family:sans-serif;line-height:1.5\">\
         <p>Hello {name},</p><p><strong>{subject}</strong><br>{body}</p>\
         <p><a href=\"{link}\">{link_text}</a></p>"
    );
    if let Some(unsubscribe) = unsubscribe {
        let unsubscribe = escape(unsubscribe);
        html += &format!(
            "<p style=\"font-size:small\">Tidings. \
             <a href=\"{unsubscribe}\">No more mail of this kind</a></p>"
        );
    }
    html + "</body></html>"
}

/// A text in HTML, within an element or a quoted attribute.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
