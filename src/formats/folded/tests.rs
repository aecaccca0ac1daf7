use super::*;

fn detected(text: &str) -> Option<Vec<Snapshot>> {
    let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
    let content = crate::formats::detect::detect(&bytes, None)?;
    Some(crate::formats::detect::read(&content, &bytes, &"dump".into()))
}

fn leaf(snapshot: &Snapshot) -> Frame {
    let frames = snapshot.stacks.frames_of(snapshot.threads[0].stack);
    snapshot.stacks.get(frames[0]).clone()
}

#[test]
fn lines() {
    assert_eq!(stack("a;b;c 42"), Some(("a;b;c", 42)));
    assert_eq!(stack("python3;std::map<int, long> ;f 27.5"), Some(("python3;std::map<int, long> ;f", 28)));
    assert_eq!(stack("a;b 3 5"), Some(("a;b", 5)));
    for line in ["a;b", "a 5", "1;2;3 4", "2024-01-01;;12 3", "x;y -3", "", "; 1"] {
        assert_eq!(stack(line), None, "{line}");
    }
}

#[test]
fn roots_and_annotations() {
    let snapshots =
        detected("iperf-27409/28741;[unknown];sys_recv_[k] 7\niperf-27409/28742;main;tiny_[i] 1\n")
            .expect("folded");
    let snapshot = &snapshots[0];
    assert_eq!((snapshot.listing, snapshot.total()), (Listing::Samples, 8));
    assert_eq!(snapshot.threads[0].name.as_deref(), Some("iperf"));
    let frame = leaf(snapshot);
    assert_eq!((frame.function.as_deref(), frame.module.as_deref()), (Some("sys_recv"), Some("[kernel]")));
}

#[test]
fn logs_cuts_and_talk() {
    let logged = "[2025-03-14 02:26:53,398] INFO  cache: 512 entries, 69 evicted\n[2025-03-14 02:28:16,550] ERROR a;b;c 45\n[2025-03-14 02:28:16,550] ERROR a;b;d 4\n";
    assert_eq!(detected(logged).expect("folded")[0].total(), 49);
    let cut = detected("a;b;c 45\na;b;d 4\na;b").expect("folded");
    assert!(cut[0].gaps.has(GapKind::Truncated));
    let huge = detected("a;b 18446744073709551615\nc;d 99999999999999999999999\ne;f 1\n").expect("folded");
    assert!(huge[0].total() <= MOST);
    for text in ["a line\nanother; one\n", "x;y;z\n1;2;3 4\n", "one\ntwo\nthree;four 5\n", ""] {
        assert!(detected(text).is_none(), "{text}");
    }
}
