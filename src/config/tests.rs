//! What a configuration says, and what it must not.

use super::*;
use crate::diagnosis::Matcher;
use crate::normalize::{ResourceClass, UserRoleKind};
use crate::rules::{Pattern, RuleId};

const WHOLE: &str = r#"
[check]
fail-on = "medium"
max-threads = 2_000
max-blocked = 100
baseline = "known.json"
require-dumps = true

[[runbook]]
rule = "lock-contention"
lock = "g_log*"
class = "db-pool"
pattern = "slow-holder"
link = "https://wiki.example.com/logging"

[[role]]
function = "acme::Gate::enter*"
role = "lock"

[[pool]]
threads = "http-exec-*"
frame = "run_worker"
size = 64

[[ignore]]
fingerprint = "lj1:b405f43ec672f263"
reason = "known to the vendor"
expires = "2027-03-31"
"#;

#[test]
fn every_key_is_read() {
    let config = Config::parse(WHOLE).expect("a configuration");
    assert_eq!(config.fail_on, Some(Severity::Medium));
    assert_eq!((config.max_threads, config.max_blocked), (Some(2000), Some(100)));
    assert_eq!(config.baseline, Some("known.json".into()));
    assert_eq!(config.require_dumps, Some(true));
    let matcher = Matcher {
        rule: Some(RuleId::LockContention),
        lock: Some("g_log*".into()),
        class: Some(ResourceClass::DbPool),
        pattern: Some(Pattern::SlowHolder),
        ..Matcher::default()
    };
    assert_eq!(config.runbooks, [Runbook { matcher, link: "https://wiki.example.com/logging".into() }]);
    let role = UserRole { function: "acme::Gate::enter*".into(), role: UserRoleKind::Lock };
    assert_eq!(config.roles, [role]);
    let pool = Pool { threads: Some("http-exec-*".into()), frame: Some("run_worker".into()), size: 64 };
    assert_eq!(config.pools, [pool]);
    assert_eq!(config.ignore.len(), 1);
    assert_eq!(config.ignore[0].expires, "2027-03-31".parse().ok());
    assert_eq!(config.ignore[0].reason.as_deref(), Some("known to the vendor"));
    assert_eq!(Config::parse("").expect("an empty one"), Config::default());
}

/// Line, and words that the message must have.
#[test]
fn what_is_wrong_is_told_with_its_line_and_what_is_allowed() {
    for (text, line, words) in [
        ("[check]\nfial-on = \"high\"\n", 2, &["fial-on", "did you mean `fail-on`?", "max-threads"][..]),
        ("[check]\nfail-on = \"hihg\"\n", 2, &["hihg", "critical", "did you mean `high`?"]),
        ("[chekc]\n", 1, &["chekc", "did you mean `check`?"]),
        ("\n\n[check]\nmax-threads = \"many\"\n", 4, &["max-threads"]),
        ("[check]\nmax-threads = -1\n", 2, &["-1"]),
        ("[check\n", 1, &[]),
        ("[[runbook]]\nlink = \"x\"\n", 1, &["for no finding", "rule, lock"]),
        ("[[runbook]]\nrule = \"lock-contension\"\nlink = \"x\"\n", 2, &["did you mean `lock-contention`?"]),
        ("[[runbook]]\nrule = \"crash\"\n", 1, &["link"]),
        ("[[runbook]]\nrule = \"crash\"\nlink = \"a\\nb\"\n", 3, &["one line"]),
        ("[[role]]\nfunction = \"f\"\nrole = \"lok\"\n", 3, &["did you mean `lock`?"]),
        ("[[role]]\nrole = \"lock\"\nfunction = \"**\"\n", 3, &["every function"]),
        ("[[pool]]\nsize = 3\n", 1, &["threads or frame"]),
        ("[[ignore]]\nreason = \"x\"\n", 1, &["ignores no finding"]),
        ("[[ignore]]\nrule = \"crash\"\n", 1, &["reason"]),
        ("[[ignore]]\nfingerprint = \"lj1:12\"\nreason = \"x\"\n", 2, &["16 hexadecimal digits"]),
        ("[[ignore]]\nrule = \"crash\"\nreason = \"x\"\nexpires = \"soon\"\n", 4, &["2026-11-24"]),
    ] {
        let error = Config::parse(text).expect_err(text);
        assert_eq!(error.line, line, "{text}: {error}");
        for word in words {
            assert!(error.message.contains(word), "{text}: {error}");
        }
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}
