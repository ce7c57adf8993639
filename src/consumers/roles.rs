//! Roles: what a process does.

use std::{collections::BTreeSet, fmt, str::FromStr};

use tidings_domain::event::Topic;

/// One of the things that a process may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Pages, server functions, REST and sockets.
    Web,
    /// Wakes sockets.
    Live,
    /// Keeps the audit trail.
    Audit,
    /// Makes successors of recurring tasks.
    Recurring,
    /// Tells when a reminder is due.
    Reminders,
    /// Notifies people.
    Notifications,
    /// Welcomes new people.
    Onboarding,
    /// Keeps statistics.
    Analytics,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Web,
        Self::Live,
        Self::Audit,
        Self::Recurring,
        Self::Reminders,
        Self::Notifications,
        Self::Onboarding,
        Self::Analytics,
    ];

    /// Those that consume events.
    pub const CONSUMERS: [Self; 6] = [
        Self::Live,
        Self::Audit,
        Self::Recurring,
        Self::Notifications,
        Self::Onboarding,
        Self::Analytics,
    ];

    /// What it subscribes to.
    pub fn topics(self) -> &'static [Topic] {
        match self {
            Self::Live => &[Topic::TaskUpdates],
            Self::Audit => &[Topic::TaskEvents, Topic::UserEvents, Topic::AuditLogs],
            Self::Recurring => &[Topic::TaskEvents],
            Self::Notifications => &[Topic::Reminders, Topic::TaskEvents, Topic::UserEvents],
            Self::Onboarding => &[Topic::UserEvents],
            Self::Analytics => &[Topic::TaskEvents],
            _ => &[],
        }
    }

    /// As it is written in ROLES.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Live => "live",
            Self::Audit => "audit",
            Self::Recurring => "recurring",
            Self::Reminders => "reminders",
            Self::Notifications => "notifications",
            Self::Onboarding => "onboarding",
            Self::Analytics => "analytics",
        }
    }
}

/// What this process does: `all`, or names with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Everything.
    pub fn all() -> Self {
        Self(Role::ALL.into())
    }

    /// Whether this is among them.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// What they subscribe to, together.
    pub fn topics(&self) -> BTreeSet<Topic> {
        let topics = self.0.iter().flat_map(|role| role.topics());
        topics.copied().collect()
    }

    /// The first consumer of events that is not among them.
    pub fn missing_consumer(&self) -> Option<Role> {
        Role::CONSUMERS.into_iter().find(|role| !self.has(*role))
    }
}

impl Default for Roles {
    fn default() -> Self {
        Self::all()
    }
}

/// A name that is no role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRole(String);

impl fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Role::ALL.map(Role::as_str).join(", ");
        write!(
            f,
            "{:?} is no role; roles are all, or any of {names}",
            self.0
        )
    }
}

impl std::error::Error for UnknownRole {}

impl FromStr for Roles {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        if text.trim() == "all" {
            return Ok(Self::all());
        }
        let role = |name: &str| {
            let name = name.trim();
            let role = Role::ALL.into_iter().find(|r| r.as_str() == name);
            role.ok_or_else(|| UnknownRole(name.to_owned()))
        };
        text.split(',')
            .map(role)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|r| r.as_str()).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_written() {
        let some: Roles = "web, audit".parse().unwrap();
        assert!(some.has(Role::Web) && some.has(Role::Audit) && !some.has(Role::Live));
        assert_eq!(some.to_string().parse::<Roles>(), Ok(some));
        assert_eq!("all".parse::<Roles>(), Ok(Roles::all()));
        for role in Role::ALL {
            assert!(role.as_str().parse::<Roles>().unwrap().has(role));
        }
    }

    #[test]
    fn an_unknown_role_is_named() {
        let error = "web,cook".parse::<Roles>().unwrap_err();
        assert!(error.to_string().contains("\"cook\""));
        assert!("".parse::<Roles>().is_err());
    }
}
