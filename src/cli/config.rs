//! `logjam config --show`: what is in force, and from where.

use std::io::{self, Write};

use crate::check::Policy;
use crate::config::FILE_NAME;
use crate::diagnosis::Matcher;
use crate::report::id_of;

use super::args::ConfigArgs;
use super::exit::ExitCode;
use super::output;
use super::settings::Settings;
use super::terminal::complain;

/// Shows what is in force.
pub(super) fn show(args: &ConfigArgs) -> ExitCode {
    match Settings::load(args) {
        Ok(settings) => output::write(None, |out| write(&settings, args, out)),
        Err(why) => {
            complain(why);
            ExitCode::Usage
        }
    }
}

/// A key, its value, and where that is from.
type Row = (String, String, &'static str);

const OPTION: &str = "command line";
const DEFAULT: &str = "default";

fn write(settings: &Settings, args: &ConfigArgs, out: &mut dyn Write) -> io::Result<()> {
    match &settings.path {
        Some(path) => writeln!(out, "# {}", crate::model::escape_terminal(&path.display().to_string()))?,
        None if args.no_config => writeln!(out, "# no configuration is read")?,
        None => writeln!(out, "# there is no {FILE_NAME} in this folder or above it")?,
    }
    let config = &settings.config;
    let mut rows: Vec<Row> = Vec::new();
    let mut key = |name: &str, value: Option<String>, default: &str| {
        let from = if value.is_some() { FILE_NAME } else { DEFAULT };
        rows.push((format!("check.{name}"), value.unwrap_or_else(|| default.to_owned()), from));
    };
    key("fail-on", config.fail_on.map(|v| id_of(&v)), &id_of(&Policy::FAIL_ON));
    key("max-threads", config.max_threads.map(|n| n.to_string()), "no limit");
    key("max-blocked", config.max_blocked.map(|n| n.to_string()), "no limit");
    key("baseline", config.baseline.as_ref().map(|p| p.display().to_string()), "none");
    key("require-dumps", config.require_dumps.map(|b| b.to_string()), "false");
    let (redact, from) = match config.redact {
        Some(kinds) if kinds.is_empty() => ("nothing".to_owned(), FILE_NAME),
        Some(kinds) => (kinds.ids().join(", "), FILE_NAME),
        None => ("nothing".to_owned(), DEFAULT),
    };
    rows.push(("redact".into(), redact, from));
    for (list, from) in [(&args.runbook, OPTION), (&config.runbooks, FILE_NAME)] {
        rows.extend(
            list.iter().map(|r| ("runbook".into(), format!("{} → {}", matcher(&r.matcher), r.link), from)),
        );
    }
    for (list, from) in [(&args.role, OPTION), (&config.roles, FILE_NAME)] {
        rows.extend(
            list.iter().map(|r| ("role".into(), format!("{} is {}", r.function, id_of(&r.role)), from)),
        );
    }
    for (list, from) in [(&args.pool, OPTION), (&config.pools, FILE_NAME)] {
        rows.extend(list.iter().map(|p| {
            let parts = [("threads", &p.threads), ("frame", &p.frame)];
            let given = parts.iter().filter_map(|(key, value)| Some(format!("{key} {}", value.as_ref()?)));
            ("pool".into(), format!("{}: {} at most", given.collect::<Vec<_>>().join(", "), p.size), from)
        }));
    }
    rows.extend(config.ignore.iter().map(|entry| {
        let until = entry.expires.map(|day| format!(", until {day}")).unwrap_or_default();
        let reason = entry.reason.as_deref().unwrap_or("no reason");
        ("ignore".into(), format!("{}: {reason}{until}", matcher(&entry.matcher)), FILE_NAME)
    }));
    for (key, value, from) in rows {
        let line = format!("{key:20}  {value}  ({from})");
        writeln!(out, "{}", crate::model::escape_terminal(&line))?;
    }
    Ok(())
}

fn matcher(matcher: &Matcher) -> String {
    let parts = [
        ("fingerprint", matcher.fingerprint.clone()),
        ("rule", matcher.rule.map(|v| id_of(&v))),
        ("lock", matcher.lock.clone()),
        ("class", matcher.class.map(|v| id_of(&v))),
        ("pattern", matcher.pattern.map(|v| id_of(&v))),
        ("title", matcher.title.clone()),
    ];
    let given = parts.into_iter().filter_map(|(key, value)| Some(format!("{key} {}", value?)));
    given.collect::<Vec<_>>().join(", ")
}
