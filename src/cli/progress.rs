//! The progress bar: on a terminal, and only for work that takes a while.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::input::Progress;

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);

const DRAWS_PER_SECOND: u8 = 10;

/// Shows how far the work is, on standard error.
pub(super) struct Bar {
    started: Instant,
    /// `None`: nothing is ever shown.
    shown: Option<Mutex<Option<ProgressBar>>>,
}

impl Bar {
    /// A bar that appears when there is a terminal and the user wants one.
    pub(super) fn new(is_quiet: bool) -> Self {
        let is_shown = !is_quiet && io::stderr().is_terminal();
        Self { started: Instant::now(), shown: is_shown.then(Mutex::default) }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        let shown = self.shown.as_ref().and_then(|s| s.lock().ok()?.take());
        if let Some(bar) = shown {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn report(&self, stage: &'static str, done: u64, total: u64) {
        let Some(shown) = &self.shown else { return };
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
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
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
        let bar = Bar { started: Instant::now(), shown: Some(Mutex::default()) };
        bar.report("reading", 1, 2);
        assert!(bar.shown.as_ref().is_some_and(|s| s.lock().is_ok_and(|b| b.is_none())));
    }
}
