use super::*;

fn read(text: &str) -> Vec<Snapshot> {
    let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
    let content = crate::formats::detect::detect(&bytes, None).expect("a dump");
    crate::formats::detect::read(&content, &bytes, &"dump".into())
}

fn is_none(text: &str) -> bool {
    crate::formats::detect::counts(&bytes::Bytes::copy_from_slice(text.as_bytes()))
        .iter()
        .all(|(f, _)| f.id != FORMAT.id)
}

fn functions(snapshot: &Snapshot, thread: usize) -> Vec<String> {
    let frames = snapshot.stacks.frames_of(snapshot.threads[thread].stack);
    frames.iter().map(|f| snapshot.stacks.get(*f).function.clone().unwrap_or_default().to_string()).collect()
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
    assert_eq!(
        (snapshot.threads[0].id.to_string(), snapshot.threads[0].tid),
        ("0x48839B".into(), Some(0x48839B))
    );
    assert_eq!(
        functions(snapshot, 0),
        ["System.IO.StdInReader.ReadKey(bool&)", "Shop.Program.Main(class System.String[])"]
    );
    assert_eq!(functions(snapshot, 1), ["Shop.Worker+<>c.<Run>b__0_0()"]);
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
fn talk_and_other_threads() {
    for text in [
        "Thread (0x1A2C): it failed!\n",
        "Thread (0x7f2d08f9b700):\nbacktrace follows\n",
        "Thread (0xzz):\n  A!B()\n",
    ] {
        assert!(is_none(text), "{text}");
    }
}
