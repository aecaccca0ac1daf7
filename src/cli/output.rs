//! Where the report goes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::exit::ExitCode;
use super::terminal::complain;

/// Writes to standard output, or to a file. A reader that went away (`| head`) is no failure.
pub(super) fn write(to: Option<&Path>, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> ExitCode {
    let (place, result) = match to {
        Some(path) => {
            (path.display().to_string(), File::create(path).and_then(|file| buffered(file, content)))
        }
        None => ("standard output".into(), buffered(io::stdout().lock(), content)),
    };
    match result {
        Ok(()) => ExitCode::Analyzed,
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::Analyzed,
        Err(e) => {
            complain(format_args!("cannot write the report to {place}: {e}"));
            ExitCode::Failed
        }
    }
}

fn buffered(out: impl Write, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    content(&mut out)?;
    out.flush()
}

/// The input that the report would overwrite.
pub(super) fn overwritten<'a>(output: &Path, inputs: &'a [PathBuf]) -> Option<&'a Path> {
    let output = fs::canonicalize(output).ok().filter(|p| p.is_file())?;
    let is_output = |input: &&PathBuf| fs::canonicalize(input).is_ok_and(|input| input == output);
    inputs.iter().find(is_output).map(PathBuf::as_path)
}
