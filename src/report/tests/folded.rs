//! Folded stacks.

use super::builder::{Builder, activity};
use super::{sample, written};
use crate::diagnosis::Diagnosis;
use crate::report::View;
use crate::waits::State;

fn lines(diagnosis: &Diagnosis) -> Vec<(Vec<String>, u64)> {
    let text = written("folded", diagnosis, &View::default());
    let parsed = text.lines().map(|line| {
        let (stack, count) = line.rsplit_once(' ').expect("a count");
        (stack.split(';').map(str::to_owned).collect(), count.parse().expect("a number"))
    });
    parsed.collect()
}

#[test]
fn stacks_begin_at_the_root_and_end_with_the_state() {
    let text = written("folded", &sample::incident(4499), &View::default());
    let expected = "start_thread;worker;handle;log_message;pthread_mutex_lock;lll_lock_wait;\
                    [lock-wait g_log_mutex] 4499";
    assert_eq!(text.lines().next(), Some(expected));
    assert_eq!(lines(&sample::incident(4499)).iter().map(|(_, count)| count).sum::<u64>(), 5001);
    assert!(text.contains(";[io-wait] 1\n"), "a thread that waits for no lock");
}

#[test]
fn names_cannot_break_the_form() {
    let mut b = Builder::new("core");
    b.group(7, &["a;b 12", "c\nd 3;e", "", "main"], 1, &activity(State::Running, None, ""));
    b.group(2, &[], 0, &activity(State::Unknown, None, ""));
    let diagnosis = Diagnosis { snapshots: vec![b.done()], ..Diagnosis::default() };
    let lines = lines(&diagnosis);
    let frames = ["main", "[no name]", "c\\nd 3:e", "a:b 12", "[running]"];
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].0.len(), frames.len());
    assert_eq!((&*lines[0].0[2], &*lines[0].0[3], &*lines[0].0[4]), (frames[2], frames[3], frames[4]));
    assert_eq!(lines[1], (vec!["[no stack]".into(), "[unknown]".into()], 2));
    let all = written("folded", &sample::hostile(), &View::default());
    assert!(!all.contains(|c: char| c.is_control() && c != '\n'));
}

#[test]
fn each_of_several_snapshots_has_a_root() {
    let mut both = sample::incident(3);
    both.snapshots.extend(sample::quiet().snapshots);
    let lines = lines(&both);
    assert_eq!(lines[0].0[0], "[snapshot 1: logserver 4332, core.zst]");
    assert_eq!(lines.last().unwrap().0[0], "[snapshot 2: logserver 4332, quiet.core]");
    assert_eq!(lines.iter().map(|(_, count)| count).sum::<u64>(), 505 + 42);
}
