//! Deadlocks that may happen, as the producer of the dump says: nobody is stuck in them.

use crate::model::{Evidence, LockOrder, OrderKind, OrderedLock};
use crate::rules::finding::{Confidence, Finding, Location, RuleId, Severity};
use crate::rules::jam::{capital, clusters_of};
use crate::rules::{Case, advice};

/// A finding for each order of locks that is said to be wrong.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    case.snapshot.orders.iter().map(|order| finding(case, order)).collect()
}

fn finding(case: &Case<'_>, order: &LockOrder) -> Finding {
    let who = order.thread.map_or_else(|| "a task".to_owned(), |thread| case.words().thread(thread));
    let does = match (&order.wanted, &order.held) {
        (Some(wanted), Some(held)) => {
            format!("{who} asks for {} while it holds {}", place(wanted), place(held))
        }
        (Some(lock), None) | (None, Some(lock)) => format!("{who} takes {}", place(lock)),
        (None, None) => format!("{who} takes a lock"),
    };
    let so = match order.kind {
        OrderKind::Circular => "elsewhere these locks are taken in the other order",
        OrderKind::Itself => "the two are one lock, or of one class without an order of their own",
        OrderKind::Interrupt if !order.elsewhere.is_empty() => {
            "an interrupt that comes in while one is held may ask for the other"
        }
        OrderKind::Interrupt => "an interrupt that comes in between may ask for the same lock",
    };
    // Of an interrupt the other lock is one that was taken together with it.
    let between =
        order.elsewhere.iter().filter(|_| order.kind == OrderKind::Interrupt && order.held.is_none());
    let names = || [&order.wanted, &order.held].into_iter().flatten().map(|lock| &lock.name);
    let over = match names().chain(between).map(|name| &**name).collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [one, other] if one == other => format!(" over {one}, which is taken twice"),
        all => format!(" over {}", all.join(" and ")),
    };
    let mut evidence = vec![Evidence::reported(format!("the producer says: {}", order.message))];
    if !order.elsewhere.is_empty() {
        let chain = order.elsewhere.iter().map(|name| &**name).collect::<Vec<_>>().join(", ");
        let what = match order.kind {
            OrderKind::Interrupt => "locks that were taken together with it at another time",
            _ => "the order in which they are taken elsewhere, backwards",
        };
        evidence.push(Evidence::reported(format!("{what}: {chain}")));
    }
    let threads: Vec<_> = order.thread.into_iter().collect();
    let mut cause: Vec<String> = names().chain(&order.elsewhere).map(|name| name.to_string()).collect();
    cause.sort();
    cause.dedup();
    cause.insert(0, RuleId::Deadlock.id().into());
    cause.insert(1, "possible".into());
    Finding {
        summary: format!(
            "{}: {so}. Nobody is stuck in it now, but it may become a deadlock.",
            capital(&does)
        ),
        clusters: clusters_of(case, &threads),
        location: order
            .thread
            .and_then(|thread| case.first_meaningful(thread))
            .map(|frame| Location { frame }),
        threads,
        evidence,
        advice: advice::for_order(order.kind),
        cause,
        ..Finding::new(
            RuleId::Deadlock,
            Severity::Medium,
            Confidence::Possible,
            format!("a deadlock is possible{over}: {so}"),
        )
    }
}

/// `&q->sysfs_lock (in blk_register_queue)`
fn place(lock: &OrderedLock) -> String {
    match &lock.at {
        Some(at) => format!("{} (in {at})", lock.name),
        None => lock.name.to_string(),
    }
}
