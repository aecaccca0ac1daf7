//! The command line: arguments, exit codes, progress.

/// Runs the program.
pub fn run() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--") && a != "json" && a != "text").collect();
    let names: Vec<std::path::PathBuf> = args.iter().map(Into::into).collect();
    let diagnosis = crate::analyze(&names, &crate::Options::default(), &crate::input::NoProgress);
    let id = if std::env::args().any(|a| a == "json") { "json" } else { "text" };
    let doc = crate::report::Document::of(&diagnosis);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let Ok(r) = crate::report::find(id) else { return std::process::ExitCode::FAILURE };
    let _ = (r.write)(&doc, &Default::default(), &mut out);
    std::process::ExitCode::SUCCESS
}
