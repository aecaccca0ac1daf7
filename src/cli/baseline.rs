//! The file of known findings, on the disk.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::check::Baseline;

/// The largest file that is read: some hundred thousand findings.
const MAX_BYTES: u64 = 64 << 20;

/// Reads a baseline. One line says what is wrong and what to do.
pub(super) fn read(path: &Path) -> Result<Baseline, String> {
    let place = path.display();
    let content = match fs::metadata(path) {
        Ok(m) if !m.is_file() => return Err(format!("the baseline {place} is no file")),
        Ok(m) if m.len() > MAX_BYTES => return Err(format!("{place} is too large for a baseline")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(format!(
                "there is no baseline {place}; --update-baseline makes one of what is found now"
            ));
        }
        _ => fs::read(path).map_err(|e| format!("cannot read the baseline {place}: {e}"))?,
    };
    Baseline::parse(&content).map_err(|e| format!("cannot use the baseline {place}: {e}"))
}

/// Reads the baseline that is to be made anew; it need not be there.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Baseline>, String> {
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => read(path).map(Some),
    }
}

/// Writes a baseline whole, or leaves the old one as it was: the new one is complete before it takes its name.
pub(super) fn write(path: &Path, baseline: &Baseline) -> Result<(), String> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".logjam-baseline").tempfile_in(folder)?;
        file.write_all(baseline.to_json().as_bytes())?;
        if let Ok(old) = fs::metadata(path) {
            file.as_file().set_permissions(old.permissions())?;
        } else {
            readable_by_others(file.as_file())?;
        }
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    write()
        .map_err(|e| format!("cannot write the baseline {}: {e}; the old one is as it was", path.display()))
}

/// Temporary files are private; a baseline belongs to a repository.
#[cfg(unix)]
fn readable_by_others(file: &fs::File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_others(_file: &fs::File) -> io::Result<()> {
    Ok(())
}
