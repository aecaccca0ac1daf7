use super::*;
use crate::formats::testing::{is_found, names, read};
use crate::model::GapKind;

fn is_none(text: &str) -> bool {
    !is_found(FORMAT.id, text)
}

const ONE: &str = "Thread (0x48839B):
  [Native Frames]
  System.Console!System.IO.StdInReader.ReadKey(bool&)
  Shop!Shop.Program.Main(class System.String[])

Thread (0x1A2C):
  Shop!Shop.Worker+<>c.<Run>b__0_0()
";

#[test]
fn threads_and_frames() {
    let snapshots = read(&format!("Found 2 stacks.\n{ONE}log\n{}", ONE.replace('\n', "\r\n")));
    let [snapshot, second] = snapshots.as_slice() else { panic!("two dumps") };
    assert_eq!((snapshot.threads.len(), second.threads.len()), (2, 2));
    // Native threads are never in it, and that is said of each dump.
    assert!(!snapshot.is_complete && snapshot.gaps.has(GapKind::Unsupported));
    assert!(!second.is_complete && !second.gaps.has(GapKind::Limit));
    assert_eq!(
        (snapshot.threads[0].id.to_string(), snapshot.threads[0].tid),
        ("0x48839B".into(), Some(0x48839B))
    );
    assert_eq!(
        names(snapshot, 0),
        ["System.IO.StdInReader.ReadKey(bool&)", "Shop.Program.Main(class System.String[])"]
    );
    assert_eq!(names(snapshot, 1), ["Shop.Worker+<>c.<Run>b__0_0()"]);
}

#[test]
fn a_release_that_does_not_exist_yet() {
    let snapshots = read(
        &ONE.replace("(0x1A2C):", "(0x1A2C): \"worker\"").replace("  [Native", "  state = Busy\n  [Native"),
    );
    assert_eq!(snapshots[0].threads[1].name.as_deref(), Some("worker"));
    let snapshots = read(&ONE.replace("(0x1A2C):", "(0x1A2C) \"worker\":"));
    assert_eq!(snapshots[0].threads[1].name.as_deref(), Some("worker"));
}

#[test]
fn fields_of_headers_that_are_not_known() {
    for (header, field) in [
        ("(0x1A2C) [worker]:", "[worker]"),
        ("(0x1A2C): state=Wait", "state=Wait"),
        ("(0x1A2C) wait", "wait"),
    ] {
        let snapshots = read(&ONE.replace("(0x1A2C):", header));
        assert_eq!(snapshots[0].threads.len(), 2, "{header}");
        assert_eq!(snapshots[0].threads[1].name, None, "a field is no name: {header}");
        assert_eq!(names(&snapshots[0], 1), ["Shop.Worker+<>c.<Run>b__0_0()"]);
        assert!(
            snapshots[0].gaps.iter().any(|gap| gap.message.contains(field) && gap.count == 1),
            "{header}"
        );
    }
}

#[test]
fn talk_and_other_threads() {
    for text in [
        "Thread (0x1A2C): it failed!\n",
        "Thread (0x7f2d08f9b700):\nbacktrace follows\n",
        "Thread (0xzz):\n  A!B()\n",
    ] {
        assert!(is_none(text), "{text}");
    }
}
