use super::*;
use crate::formats::testing::read;

const PROFILE: &str = "goroutine profile: total 23
20 @ 0x4376f6 0x44643e 0x45dbc5 0x465565
# labels: {\"shop\":\"north\"}
#\t0x45dbc4\tsync.(*Mutex).lockSlow+0x164\t\t/usr/local/go/src/sync/mutex.go:171
#\t0x465564\tmain.logWrite+0x7c\t\t\t\tc:/src/main.go:7

2 @ 0x4376f6 0x417175 0x697285
#\t0x697284\tmain.fetchQuote+0x24\t/src/shop/main.go:234

1 @ 0x4894fd 0x679cf1
#\t0x4894fc\tmain.busy+0xb0\t/src/shop/main.go:48
";

#[test]
fn groups_have_counts_and_parked_ones_are_known_by_their_address() {
    let snapshots = read(PROFILE);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    assert_eq!((snapshot.listing, snapshot.total()), (Listing::Groups, 23));
    let states: Vec<_> = snapshot.threads.iter().map(|t| (t.weight, t.reported)).collect();
    let parked = Some(ReportedState::Parked);
    assert_eq!(states, [(20, parked), (2, parked), (1, None)]);
    let first = snapshot.stacks.frames_of(snapshot.threads[0].stack);
    let frame = snapshot.stacks.get(first[1]);
    assert_eq!(
        (frame.function.as_deref(), frame.file.as_deref(), frame.line),
        (Some("main.logWrite"), Some("c:/src/main.go"), Some(7))
    );
    assert!(snapshot.gaps.is_empty() && snapshot.is_complete);
}

#[test]
fn two_profiles_prefixes_and_cuts() {
    assert_eq!(read(&format!("{PROFILE}\nlog line\n{PROFILE}")).len(), 2);
    let logged: String = PROFILE.lines().map(|line| format!("web_1  | {line}\n")).collect();
    assert_eq!(read(&logged)[0].total(), 23);
    let cut = read(&PROFILE[..PROFILE.find("1 @ 0x4894").expect("the last group")]);
    assert!(!cut[0].is_complete && cut[0].gaps.has(GapKind::Truncated));
    let addresses_only = read("goroutine profile: total 1\n1 @ 0x467ba1\n");
    assert_eq!(addresses_only[0].total(), 1);
}

#[test]
fn absurd_counts_and_talk() {
    let text =
        "goroutine profile: total 3\n99999999999999999999 @ 0x1\n18446744073709551615 @ 0x1\n1 @ 0x2\n";
    assert_eq!(read(text)[0].total(), MOST + 1);
    for text in ["heap profile: total 5\n", "goroutine profile: total many\n", "goroutine profile\n"] {
        let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
        assert!(crate::formats::detect::detect(&bytes, None).is_none(), "{text}");
    }
}

#[test]
fn columns_may_have_lost_their_tabs() {
    for line in [
        "#\t0x465564\tsync.(*Mutex).lockSlow+0x164\t\t/usr/local/go/src/sync/mutex.go:171",
        "#       0x465564        sync.(*Mutex).lockSlow+0x164    /usr/local/go/src/sync/mutex.go:171",
        "       0x465564\tsync.(*Mutex).lockSlow+0x164\t/usr/local/go/src/sync/mutex.go:171",
    ] {
        let frame = frame(line).expect(line);
        assert_eq!((frame.function.as_deref(), frame.line), (Some("sync.(*Mutex).lockSlow"), Some(171)));
        assert_eq!(first_shown(line.as_bytes()), Some(0x465564));
    }
    assert_eq!(frame("# labels: {\"request\":\"17\"}"), None);
}
