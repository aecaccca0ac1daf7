//! What the JVM says of deadlocks that it found.
//!
//! ```text
//! Found one Java-level deadlock:
//! =============================
//! "jdl1":
//!   waiting for ownable synchronizer 0x0000000708a03a40, (a java.util.concurrent.locks.ReentrantLock$NonfairSync),
//!   which is held by "jdl2"
//!
//! "dl2":
//!   waiting to lock monitor 0x00007f02580d3a10 (object 0x0000000708a03a28, a java.lang.Object),
//!   which is held by "dl1"                                        or `in JNI, which is held by "dl1"`
//! ```

use crate::formats::java::{class_name, owner_named};
use crate::formats::text::{Building, OwnerRef};
use crate::model::{LockId, NamedLockIx, ReportedLockKind};

/// Reads the section of a deadlock, line by line.
#[derive(Default)]
pub(super) struct Reader {
    members: Vec<OwnerRef>,
    lock: Option<NamedLockIx>,
    /// A name that goes on in the next line.
    open: Option<String>,
}

impl Reader {
    /// A line of the section.
    pub fn line(&mut self, line: &str, building: &mut Building, offset: u64) {
        if line.starts_with("Found one Java-level deadlock:") || line.starts_with("Java stack information") {
            self.end(building);
            return;
        }
        let line = match self.open.take() {
            Some(begun) => format!("{begun}\n{line}"),
            None => line.to_owned(),
        };
        let text = line.trim_start();
        if let Some((_, owner)) = text.split_once("which is held by \"") {
            match owner.trim_end().strip_suffix('"') {
                Some(name) => self.owned(name, building, offset),
                None => self.open = Some(line),
            }
        } else if let Some(inside) = line.strip_prefix('"') {
            match inside.strip_suffix("\":") {
                Some(name) => self.members.push(owner_named(name)),
                None => self.open = Some(line),
            }
        } else if text.starts_with("waiting to lock monitor ") {
            let object = text.split_once("(object ").and_then(|(_, rest)| rest.split_once(", a "));
            self.lock = object
                .and_then(|(address, class)| lock(building, address, class, ReportedLockKind::JavaMonitor));
        } else if let Some(rest) = text.strip_prefix("waiting for ownable synchronizer ") {
            let object = rest.split_once(", (a ");
            self.lock = object.and_then(|(address, class)| {
                lock(building, address, class, ReportedLockKind::JavaSynchronizer)
            });
        }
    }

    fn owned(&mut self, name: &str, building: &mut Building, offset: u64) {
        if let Some(lock) = self.lock.take() {
            building.owner(lock, owner_named(name), offset);
        }
    }

    /// The ring is complete.
    pub fn end(&mut self, building: &mut Building) {
        if !self.members.is_empty() {
            building.ring(std::mem::take(&mut self.members));
        }
        *self = Self::default();
    }
}

fn lock(building: &mut Building, address: &str, class: &str, kind: ReportedLockKind) -> Option<NamedLockIx> {
    let address = u64::from_str_radix(address.trim().strip_prefix("0x")?, 16).ok()?;
    let class = class.split(')').next().unwrap_or_default();
    Some(building.lock(LockId::Address(address), Some(class_name(class)), kind))
}
