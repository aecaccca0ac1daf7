//! Who is meant where a text names the owner of a lock.

use rustc_hash::FxHashMap;

use super::grammar::OwnerRef;
use crate::model::{Str, Thread, ThreadId, ThreadIx};

/// Threads by what the text may call them; `None` where two are called so.
pub(super) struct Names {
    by_id: FxHashMap<ThreadId, Option<ThreadIx>>,
    by_name: FxHashMap<Str, Option<ThreadIx>>,
    by_handle: FxHashMap<u64, Option<ThreadIx>>,
}

impl Names {
    pub fn of(threads: &[Thread]) -> Self {
        fn add<K: std::hash::Hash + Eq>(map: &mut FxHashMap<K, Option<ThreadIx>>, key: K, ix: ThreadIx) {
            map.entry(key).and_modify(|known| *known = None).or_insert(Some(ix));
        }
        let mut names = Self {
            by_id: FxHashMap::default(),
            by_name: FxHashMap::default(),
            by_handle: FxHashMap::default(),
        };
        for (ix, thread) in (0u32..).map(ThreadIx).zip(threads) {
            add(&mut names.by_id, thread.id.clone(), ix);
            if let Some(name) = &thread.name {
                add(&mut names.by_name, name.clone(), ix);
            }
            if let Some(handle) = thread.handle {
                add(&mut names.by_handle, handle, ix);
            }
        }
        names
    }

    /// The thread that is called so; `Some(None)` where several are, `None` where the dump shows none.
    pub fn find(&self, owner: &OwnerRef) -> Option<Option<ThreadIx>> {
        match owner {
            OwnerRef::Id(id) | OwnerRef::OfProcess { id, .. } => self.by_id.get(id).copied(),
            OwnerRef::Name(name) => self.by_name.get(name).copied(),
            OwnerRef::HandleValue(handle) => self.by_handle.get(handle).copied(),
            OwnerRef::Handle(_) | OwnerRef::Nobody | OwnerRef::Itself => None,
        }
    }
}

/// What the text calls a thread that it does not show; `None` where it does not name one.
pub(super) fn words_for(owner: &OwnerRef) -> Option<Str> {
    match owner {
        OwnerRef::Id(id) | OwnerRef::OfProcess { id, .. } => Some(format!("thread {id}").into()),
        OwnerRef::Name(name) => Some(format!("thread \"{name}\"").into()),
        OwnerRef::HandleValue(0) => None,
        OwnerRef::HandleValue(handle) => Some(format!("thread {handle:#x}").into()),
        OwnerRef::Handle(_) | OwnerRef::Nobody | OwnerRef::Itself => None,
    }
}
