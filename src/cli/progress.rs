//! How far the work is: a bar, on a terminal and only for work that takes a while; or, where the user wants
//! to know more, a line for each step.

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::FormArgs;
use super::terminal::tell;
use crate::input::Progress;

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);

const DRAWS_PER_SECOND: u8 = 10;

/// Shows how far the work is, on standard error.
pub(super) struct Shown {
    started: Instant,
    form: Form,
}

/// In which way.
enum Form {
    Nothing,
    /// `None`: it has not appeared yet.
    Bar(Mutex<Option<ProgressBar>>),
    /// The step that was told last. Several files that are analyzed at the same time take turns.
    Lines(Mutex<&'static str>),
}

impl Shown {
    /// What the user wants, and a bar only where there is a terminal.
    pub(super) fn new(args: &FormArgs) -> Self {
        let form = match (args.verbose, args.quiet) {
            (true, _) => Form::Lines(Mutex::default()),
            (false, false) if io::stderr().is_terminal() => Form::Bar(Mutex::default()),
            _ => Form::Nothing,
        };
        Self { started: Instant::now(), form }
    }

    fn line(&self, last: &Mutex<&'static str>, stage: &'static str) {
        let Ok(mut last) = last.lock() else { return };
        if *last != stage {
            *last = stage;
            self.tell(stage);
        }
    }

    /// Says that a report was written.
    pub(super) fn wrote(&self, reporter: &str, took: Duration) {
        if let Form::Lines(_) = self.form {
            self.tell(format_args!("{reporter} was written in {:.1} ms", ms(took)));
        }
    }

    fn tell(&self, what: impl Display) {
        tell(format_args!("{:>7.1} ms  {what}", ms(self.started.elapsed())));
    }

    fn bar(&self, shown: &Mutex<Option<ProgressBar>>, stage: &'static str, done: u64, total: u64) {
        if self.started.elapsed() < PATIENCE {
            return;
        }
        // Another thread is showing its own progress: this one may be missed.
        let Ok(mut shown) = shown.try_lock() else { return };
        let bar = shown.get_or_insert_with(new_bar);
        if bar.message() != stage || bar.length() != Some(total) {
            bar.set_style(style(total > 0));
            bar.set_message(stage);
            bar.set_length(total);
        }
        bar.set_position(done);
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Form::Bar(shown) = &self.form
            && let Some(bar) = shown.lock().ok().and_then(|mut s| s.take())
        {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Shown {
    fn report(&self, stage: &'static str, done: u64, total: u64) {
        match &self.form {
            Form::Nothing => {}
            Form::Bar(shown) => self.bar(shown, stage, done, total),
            Form::Lines(last) => self.line(last, stage),
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.finish();
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND));
    // A stage that says nothing for a while still shows that it is alive.
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn style(has_total: bool) -> ProgressStyle {
    let template = if has_total { "{msg} {wide_bar} {percent:>3} %" } else { "{spinner} {msg}" };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_right() {
        for template in ["{msg} {wide_bar} {percent:>3} %", "{spinner} {msg}"] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }

    #[test]
    fn short_work_shows_nothing() {
        let shown = Shown { started: Instant::now(), form: Form::Bar(Mutex::default()) };
        shown.report("reading", 1, 2);
        let Form::Bar(bar) = &shown.form else { panic!("no bar") };
        assert!(bar.lock().unwrap().is_none());
    }
}
