//! Roles that the user gives to functions of their own: what the tables cannot know.

use serde::{Deserialize, Serialize};

use super::{Meaning, Meanings, ResourceClass, Role, WaitKind};
use crate::model::is_like;

/// What functions with such a name are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRole {
    /// The normalized name; `*` stands for any text.
    pub function: String,
    /// What they are for.
    pub role: UserRoleKind,
}

impl UserRole {
    /// What functions with such a name are for.
    pub fn new(function: &str, role: UserRoleKind) -> Result<Self, RoleError> {
        if function.trim_matches('*').is_empty() {
            return Err(RoleError);
        }
        Ok(Self { function: function.into(), role })
    }
}

/// A pattern that every function is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this would be every function")]
pub struct RoleError;

/// What a user can say of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserRoleKind {
    /// It takes a lock.
    Lock,
    /// It waits for something else than a lock.
    Wait,
    /// It spins.
    Spin,
    /// It waits for work.
    Idle,
    /// It reads or writes.
    Io,
    /// It sleeps for a time.
    Sleep,
    /// It belongs to a logging library.
    Logging,
    /// It is plumbing, which says nothing of what a thread does.
    Runtime,
    /// It belongs to a test framework.
    Test,
    /// It is the first function of a thread.
    Base,
}

impl UserRoleKind {
    fn apply(self, meaning: &mut Meaning) {
        let (role, wait) = match self {
            Self::Lock => (Role::Lock, Some(WaitKind::Mutex)),
            Self::Wait => (Role::Wait, Some(WaitKind::Condition)),
            Self::Spin => (Role::Spin, Some(WaitKind::SpinLock)),
            Self::Idle => (Role::Idle, Some(WaitKind::Poll)),
            Self::Io => (Role::Io, Some(WaitKind::OtherIo)),
            Self::Sleep => (Role::Sleep, Some(WaitKind::Sleep)),
            Self::Logging => {
                meaning.class = Some(ResourceClass::Logging);
                return;
            }
            Self::Runtime => (Role::Runtime, None),
            Self::Test => (Role::Test, None),
            Self::Base => (Role::Base, None),
        };
        (meaning.role, meaning.wait) = (role, wait);
    }
}

impl Meanings {
    /// With what the user says of functions: of two entries for one function the first counts.
    #[must_use]
    pub fn with_roles(mut self, roles: &[UserRole]) -> Self {
        if !roles.is_empty() {
            for meaning in &mut self.all {
                if let Some(entry) = roles.iter().find(|r| is_like(&r.function, &meaning.name)) {
                    entry.role.apply(meaning);
                }
            }
        }
        self
    }
}
