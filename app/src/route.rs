//! Which page a path names, and the path of each page.

use std::fmt::Write as _;

use tidings_domain::{id::TaskId, view::View};

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Signing in.
    SignIn,
    /// Making an account.
    SignUp,
    /// Asking for a link that sets a new password. The browser has nothing to do with this page, nor
    /// with the next one.
    #[cfg(not(feature = "hydrate"))]
    Forgot,
    /// Setting a new password by such a link.
    #[cfg(not(feature = "hydrate"))]
    Reset,
    /// Every open task.
    Inbox,
    /// What is due today, and what is overdue.
    Today,
    /// What comes later, by day.
    Upcoming,
    /// What is done.
    Completed,
    /// Open tasks with this tag.
    Tag(String),
    /// Tasks that match these words.
    Search(String),
    /// What was deleted.
    Trash,
    /// The person's own log.
    Activity,
    /// What the person was told.
    Notifications,
    /// Profile, password, tokens.
    Account,
    /// What the person got done.
    Statistics,
    /// What was recorded of the person.
    Security,
    /// One task.
    Task(TaskId),
    /// Anything else.
    NotFound,
}

impl Route {
    /// The page at `path`, with the query string (without `?`) that goes with it.
    pub fn parse(path: &str, query: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        match path {
            "" | "/inbox" => Self::Inbox,
            "/sign-in" => Self::SignIn,
            "/sign-up" => Self::SignUp,
            #[cfg(not(feature = "hydrate"))]
            "/forgot" => Self::Forgot,
            #[cfg(not(feature = "hydrate"))]
            "/reset" => Self::Reset,
            "/today" => Self::Today,
            "/upcoming" => Self::Upcoming,
            "/completed" => Self::Completed,
            "/search" => Self::Search(param(query, "q").unwrap_or_default()),
            "/trash" => Self::Trash,
            "/activity" => Self::Activity,
            "/notifications" => Self::Notifications,
            "/account" => Self::Account,
            "/statistics" => Self::Statistics,
            "/audit" => Self::Security,
            _ => Self::below(path).unwrap_or(Self::NotFound),
        }
    }

    fn below(path: &str) -> Option<Self> {
        if let Some(tag) = path.strip_prefix("/tags/") {
            let tag = decode(tag, false);
            return (!tag.is_empty()).then_some(Self::Tag(tag));
        }
        let id = path.strip_prefix("/tasks/")?;
        id.parse().ok().map(Self::Task)
    }

    /// The address of the page.
    pub fn href(&self) -> String {
        match self {
            Self::SignIn => "/sign-in".into(),
            Self::SignUp => "/sign-up".into(),
            #[cfg(not(feature = "hydrate"))]
            Self::Forgot => "/forgot".into(),
            #[cfg(not(feature = "hydrate"))]
            Self::Reset => "/reset".into(),
            Self::Inbox | Self::NotFound => "/inbox".into(),
            Self::Today => "/today".into(),
            Self::Upcoming => "/upcoming".into(),
            Self::Completed => "/completed".into(),
            Self::Tag(tag) => ["/tags/", &encode(tag)].concat(),
            Self::Search(q) if q.is_empty() => "/search".into(),
            Self::Search(q) => ["/search?q=", &encode(q)].concat(),
            Self::Trash => "/trash".into(),
            Self::Activity => "/activity".into(),
            Self::Notifications => "/notifications".into(),
            Self::Account => "/account".into(),
            Self::Statistics => "/statistics".into(),
            Self::Security => "/audit".into(),
            Self::Task(id) => task_href(*id),
        }
    }

    /// The tasks that the page lists, if it is a list of tasks that a view describes.
    pub fn view(&self) -> Option<View> {
        match self {
            Self::Inbox => Some(View::Inbox),
            Self::Today => Some(View::Today),
            Self::Upcoming => Some(View::Upcoming),
            Self::Completed => Some(View::Completed),
            Self::Tag(tag) => Some(View::Tag(tag.clone())),
            Self::Trash => Some(View::Trash),
            _ => None,
        }
    }

    /// Whether the page shows nothing of a person, and so needs none.
    pub fn is_public(&self) -> bool {
        #[cfg(not(feature = "hydrate"))]
        if matches!(self, Self::Forgot | Self::Reset) {
            return true;
        }
        matches!(self, Self::SignIn | Self::SignUp | Self::NotFound)
    }

    /// Whether the browser draws it itself when one goes there; else it is loaded.
    pub fn is_drawn(&self) -> bool {
        !self.is_public()
            && !matches!(
                self,
                Self::Account | Self::Notifications | Self::Statistics | Self::Security
            )
    }

    /// Whether a task opens beside this page.
    pub fn is_list(&self) -> bool {
        self.view().is_some() || matches!(self, Self::Search(_) | Self::Activity)
    }

    /// The page's heading.
    pub fn heading(&self) -> String {
        match self {
            Self::SignIn => "Sign in".into(),
            Self::SignUp => "Create an account".into(),
            #[cfg(not(feature = "hydrate"))]
            Self::Forgot => "Forgot your password?".into(),
            #[cfg(not(feature = "hydrate"))]
            Self::Reset => "Set a new password".into(),
            Self::Inbox => "Inbox".into(),
            Self::Today => "Today".into(),
            Self::Upcoming => "Upcoming".into(),
            Self::Completed => "Completed".into(),
            Self::Tag(tag) => ["#", tag].concat(),
            Self::Search(_) => "Search".into(),
            Self::Trash => "Trash".into(),
            Self::Activity => "Activity".into(),
            Self::Notifications => "Notifications".into(),
            Self::Account => "Account".into(),
            Self::Statistics => "Statistics".into(),
            Self::Security => "Security log".into(),
            Self::Task(_) => "Task".into(),
            Self::NotFound => "Nothing here".into(),
        }
    }
}

/// The address of a task.
pub fn task_href(id: TaskId) -> String {
    ["/tasks/", &id.to_string()].concat()
}

/// The value of a parameter of a query string, decoded.
pub fn param(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| decode(value, true))
    })
}

/// Undoes percent-encoding; in a query a plus is a space.
fn decode(text: &str, query: bool) -> String {
    let raw = text.as_bytes();
    let hex = |at: usize| raw.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut bytes = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        at += 1;
        match (byte, hex(at), hex(at + 1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) if query => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes everything but letters, digits and `-_.~`.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_at_its_own_address() {
        let id = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
        let pages = [
            Route::SignIn,
            Route::SignUp,
            Route::Forgot,
            Route::Reset,
            Route::Inbox,
            Route::Today,
            Route::Upcoming,
            Route::Completed,
            Route::Tag("über 50 %/a+b".into()),
            Route::Search(String::new()),
            Route::Search("milk & eggs + 100%".into()),
            Route::Trash,
            Route::Activity,
            Route::Notifications,
            Route::Account,
            Route::Statistics,
            Route::Security,
            Route::Task(id),
        ];
        for page in pages {
            let href = page.href();
            let (path, query) = href.split_once('?').unwrap_or((&href, ""));
            assert_eq!(Route::parse(path, query), page);
        }
    }

    #[test]
    fn anything_else_is_not_found() {
        for path in ["/nowhere", "/tasks/42", "/tasks/", "/tags/", "/inbox/more"] {
            assert_eq!(Route::parse(path, ""), Route::NotFound, "{path}");
        }
    }
}
