//! The bell in the top bar, as it is when the page is loaded. Made on the server only; what comes
//! later, `public/notify.js` writes.

use super::icon::icon;
use crate::{api::notices::Notices, prelude::*};

/// The bell, with whether something is unread.
pub fn bell() -> Markup {
    let unread = expect_context::<Notices>().unread;
    let label = match unread {
        0 => "Notifications".to_owned(),
        unread => ["Notifications, ", &unread.to_string(), " unread"].concat(),
    };
    let count = match unread {
        100.. => "99+".to_owned(),
        unread => unread.to_string(),
    };
    view! {
        <a class="bell" href="/notifications" aria-label=label>
            {icon("#bell")}
            <b aria-hidden="true" hidden=unread == 0>
                {count}
            </b>
        </a>
    }
}
