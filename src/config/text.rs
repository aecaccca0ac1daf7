//! From the text to a [`Config`]: the keys as types, then what types cannot say.

use std::ops::Range;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::{Config, ConfigError, redact_kinds};
use crate::check::{Date, Ignore, fingerprint};
use crate::diagnosis::{Matcher, Runbook};
use crate::normalize::{ResourceClass, UserRole, UserRoleKind};
use crate::rules::{Pattern, Pool, RuleId, Severity};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    redact: Option<Spanned<String>>,
    #[serde(default)]
    check: CheckKeys,
    #[serde(default)]
    runbook: Vec<Spanned<RunbookKeys>>,
    #[serde(default)]
    role: Vec<RoleKeys>,
    #[serde(default)]
    pool: Vec<Spanned<PoolKeys>>,
    #[serde(default)]
    ignore: Vec<Spanned<IgnoreKeys>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct CheckKeys {
    fail_on: Option<Severity>,
    max_threads: Option<u64>,
    max_blocked: Option<u64>,
    baseline: Option<PathBuf>,
    require_dumps: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RunbookKeys {
    rule: Option<RuleId>,
    lock: Option<String>,
    class: Option<ResourceClass>,
    pattern: Option<Pattern>,
    title: Option<String>,
    link: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RoleKeys {
    function: Spanned<String>,
    role: UserRoleKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PoolKeys {
    threads: Option<String>,
    frame: Option<String>,
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct IgnoreKeys {
    fingerprint: Option<Spanned<String>>,
    rule: Option<RuleId>,
    lock: Option<String>,
    class: Option<ResourceClass>,
    pattern: Option<Pattern>,
    title: Option<String>,
    reason: String,
    expires: Option<Spanned<String>>,
}

/// The keys of which an entry must have one: it would mean everything otherwise, or nothing.
const MATCHERS: &str = "rule, lock, class, pattern or title";

pub(super) fn parse(text: &str) -> Result<Config, ConfigError> {
    let file: File = toml::from_str(text).map_err(|e| ConfigError::of_parser(text, &e))?;
    let wrong = |place: Range<usize>, message: String| ConfigError::at(text, Some(place), message);

    let kinds = |list: Spanned<String>| redact_kinds(list.get_ref()).map_err(|e| wrong(list.span(), e));
    let redact = file.redact.map(kinds).transpose()?;

    let mut runbooks = Vec::new();
    for entry in file.runbook {
        let place = entry.span();
        let keys = entry.into_inner();
        let RunbookKeys { rule, lock, class, pattern, title, .. } = keys;
        let matcher = Matcher { fingerprint: None, rule, lock, class, pattern, title };
        if matcher == Matcher::default() {
            return Err(wrong(place, format!("this runbook is for no finding: give {MATCHERS}")));
        }
        let runbook = Runbook::new(matcher, keys.link.get_ref());
        runbooks.push(runbook.map_err(|e| wrong(keys.link.span(), e.to_string()))?);
    }

    let mut roles = Vec::new();
    for RoleKeys { function, role } in file.role {
        let role = UserRole::new(function.get_ref(), role);
        roles.push(role.map_err(|e| wrong(function.span(), e.to_string()))?);
    }

    let mut pools = Vec::new();
    for entry in file.pool {
        let place = entry.span();
        let PoolKeys { threads, frame, size } = entry.into_inner();
        if threads.is_none() && frame.is_none() {
            return Err(wrong(place, "this pool has no threads: give threads or frame".into()));
        }
        pools.push(Pool { threads, frame, size });
    }

    let mut ignore = Vec::new();
    for entry in file.ignore {
        let place = entry.span();
        let keys = entry.into_inner();
        let of_text = |text: Spanned<String>| {
            fingerprint(text.get_ref()).map_err(|e| wrong(text.span(), e.to_string()))
        };
        let fingerprint = keys.fingerprint.map(of_text).transpose()?;
        let expires = match &keys.expires {
            None => None,
            Some(day) => Some(day.get_ref().parse::<Date>().map_err(|e| wrong(day.span(), e.to_string()))?),
        };
        let IgnoreKeys { rule, lock, class, pattern, title, .. } = keys;
        let matcher = Matcher { fingerprint, rule, lock, class, pattern, title };
        if matcher == Matcher::default() {
            let message = format!("this entry ignores no finding: give fingerprint, {MATCHERS}");
            return Err(wrong(place, message));
        }
        ignore.push(Ignore { matcher, reason: Some(keys.reason), expires });
    }

    let CheckKeys { fail_on, max_threads, max_blocked, baseline, require_dumps } = file.check;
    Ok(Config {
        fail_on,
        max_threads,
        max_blocked,
        baseline,
        require_dumps,
        redact,
        runbooks,
        roles,
        pools,
        ignore,
    })
}
