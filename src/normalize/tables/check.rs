//! What must hold for all tables.

use std::collections::HashSet;

use super::row::{Pattern, Scope, Source};
use super::{TABLES, classes, find, public_name};
use crate::normalize::{Role, WaitKind, normalize};

fn sources() -> impl Iterator<Item = (&'static str, &'static Source)> {
    TABLES.iter().flat_map(|(family, sources)| sources.iter().map(move |source| (*family, source)))
}

#[test]
fn no_pattern_stands_twice_in_one_scope() {
    let mut seen = HashSet::new();
    let mut twice = Vec::new();
    for (family, source) in sources() {
        for row in source.rows {
            if !seen.insert((row.pattern, source.scope)) {
                twice.push((family, row.pattern));
            }
        }
    }
    assert!(twice.is_empty(), "{twice:#?}");
}

#[test]
fn every_row_has_a_source() {
    for (family, source) in sources() {
        assert!(source.from.len() > 3, "{family}: {:?}", source.rows.first());
        assert!(!source.rows.is_empty(), "{family}: {}", source.from);
    }
    assert!(classes::LOCKS.iter().chain(&[]).all(|(_, _, from)| !from.is_empty()));
    assert!(classes::MODULES.iter().all(|(.., from)| !from.is_empty()));
}

#[test]
fn every_pattern_is_in_normalized_form() {
    let mut wrong = Vec::new();
    for (family, source) in sources() {
        for row in source.rows {
            let is_clean = match row.pattern {
                Pattern::Exact(name) => normalize(name) == name,
                Pattern::Prefix(text) | Pattern::Suffix(text) | Pattern::Contains(text) => is_unmarked(text),
                Pattern::Glob(start, end) => is_unmarked(start) && is_unmarked(end) && !end.contains('*'),
            };
            if !is_clean {
                wrong.push((family, row.pattern));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn is_unmarked(text: &str) -> bool {
    !text.is_empty()
        && !["@", "__GI_", "__1::", "__cxx11", " const", ".isra"].iter().any(|mark| text.contains(mark))
}

#[test]
fn every_exact_row_is_found_by_its_name() {
    let mut lost = Vec::new();
    for (family, source) in sources() {
        for row in source.rows {
            let Pattern::Exact(name) = row.pattern else { continue };
            let found = find(name, |scope| scope == source.scope);
            if found.is_none_or(|found| found.role != row.role || found.wait != row.wait) {
                lost.push((family, name));
            }
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn roles_that_wait_say_for_what() {
    for (family, source) in sources() {
        for row in source.rows {
            let waits = matches!(
                row.role,
                Role::Lock | Role::Wait | Role::Spin | Role::Io | Role::Sleep | Role::Idle
            );
            assert_eq!(row.wait.is_some(), waits, "{family}: {:?}", row.pattern);
        }
    }
}

#[test]
fn words_that_programs_use_are_bound_to_the_c_library() {
    for word in [
        "read", "write", "poll", "select", "accept", "lock", "wait", "sleep", "free", "start", "abort",
        "open",
    ] {
        assert!(find(word, |scope| scope == Scope::Anywhere).is_none(), "{word}");
        assert!(find(word, |scope| scope == Scope::Libc).is_some(), "{word}");
    }
}

#[test]
fn a_public_name_is_its_own_alias() {
    for name in ["pthread_mutex_lock", "lll_lock_wait", "futex_abstimed_wait_common", "clone3"] {
        assert_eq!(public_name(name).map(|p| p.name), Some(name));
    }
}

#[test]
fn waits_as_debuggers_name_them() {
    for (function, role, wait) in [
        ("::__futex_wait_ex(volatile void *, bool, int, const timespec *)", Role::Wait, WaitKind::Futex),
        (
            "__dl__ZL33__pthread_mutex_lock_with_timeoutP24pthread_mutex_internal_tbPK8timespec",
            Role::Lock,
            WaitKind::Mutex,
        ),
        ("pthread_mutex_lock_intern", Role::Lock, WaitKind::Mutex),
        ("do_sema_b_wait_intern", Role::Wait, WaitKind::Semaphore),
        ("parking_lot_core::word_lock::{impl#1}::lock_slow::{closure#0}", Role::Lock, WaitKind::Mutex),
        (
            "parking_lot_core::word_lock::with_thread_data<usize, parking_lot_core::word_lock::{impl#1}::lock_slow::{closure_env#0}>",
            Role::Lock,
            WaitKind::Mutex,
        ),
        ("art::gc::Heap::WaitForConcurrentGCRequest(art::Thread*)", Role::Idle, WaitKind::Work),
        ("_dispatch_mach_send_and_wait_for_reply", Role::Wait, WaitKind::Future),
        ("dispatch_mach_send_with_result_and_wait_for_reply$VARIANT$mp", Role::Wait, WaitKind::Future),
        ("_portfs", Role::Idle, WaitKind::Poll),
        ("evport_dispatch", Role::Idle, WaitKind::Work),
    ] {
        let name = normalize(function);
        let row = find(&name, |scope| scope == Scope::Anywhere).map(|row| (row.role, row.wait));
        assert_eq!(row, Some((role, Some(wait))), "{function}: {name}");
    }
    // What unlocks does not wait.
    for other in ["parking_lot_core::word_lock::{impl#1}::unlock_slow", "pthread_mutex_unlock_intern"] {
        let row = find(&normalize(other), |scope| scope == Scope::Anywhere);
        assert!(row.is_none_or(|row| row.role != Role::Lock), "{other}");
    }
}
