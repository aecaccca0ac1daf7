//! Where the file of a module may lie, in the order in which places are tried.

use std::path::{Path, PathBuf};

use super::identify::hex;
use super::known::{KnownModule, file_name, is_file_name};
use super::open::resolve_in;

/// Where module files may be looked for.
#[derive(Clone, Debug, Default)]
pub struct SearchPaths {
    /// Paths from the dump are looked up below this folder only.
    pub sysroot: Option<PathBuf>,
    /// The executable.
    pub executable: Option<PathBuf>,
    /// Folders with debug files or modules, by build id or by name.
    pub debug_dirs: Vec<PathBuf>,
    /// The folder in which the dump lies.
    pub dump_dir: Option<PathBuf>,
}

impl SearchPaths {
    /// The places where the file of a module may lie.
    pub(super) fn module_files(&self, module: &KnownModule, build_id: Option<&[u8]>) -> Vec<PathBuf> {
        let mut places = Vec::new();
        if module.is_executable {
            places.extend(self.executable.clone());
        }
        let path = module.undecorated_path();
        let name = Some(file_name(path)).filter(|n| !n.is_empty() && is_file_name(path));
        if self.sysroot.is_some() && is_file_name(path) {
            places.extend(self.on_target(Path::new(path)));
        }
        places.extend(name.and_then(|n| self.beside_dump(n)));
        for dir in &self.debug_dirs {
            places.extend(build_id.into_iter().flat_map(|id| by_build_id(dir, id, "")));
            places.extend(name.map(|n| dir.join(n)));
        }
        if self.sysroot.is_none() && is_file_name(path) {
            places.extend(self.on_target(Path::new(path)));
        }
        places.extend(build_id.into_iter().flat_map(|id| self.debuginfod(id, "executable")));
        places
    }

    /// The places where a separate debug file may lie by its build id: `xx/rest.debug`.
    pub(super) fn debug_files_by_id(&self, build_id: &[u8]) -> Vec<PathBuf> {
        let mut places: Vec<PathBuf> =
            self.debug_dirs.iter().flat_map(|dir| by_build_id(dir, build_id, ".debug")).collect();
        let dirs = [Path::new("/usr/lib/debug")];
        for dir in dirs {
            for relative in by_build_id(dir, build_id, ".debug").into_iter().take(1) {
                places.extend(self.on_target(&relative));
            }
        }
        places
    }

    /// The places where the debug file `name` of the module at `path` (in the process) may lie.
    pub(super) fn debug_files_by_name(&self, path: &Path, found_at: &Path, name: &str) -> Vec<PathBuf> {
        let mut places = Vec::new();
        let Some(name) = Some(file_name(name)).filter(|n| !n.is_empty()) else { return places };
        if let Some(dir) = found_at.parent() {
            places.push(dir.join(name));
            places.push(dir.join(".debug").join(name));
        }
        if let Some(dir) = path.parent().and_then(|d| d.strip_prefix("/").ok()) {
            places.extend(self.on_target(&Path::new("/usr/lib/debug").join(dir).join(name)));
        }
        places.extend(self.debug_dirs.iter().map(|dir| dir.join(name)));
        places.extend(self.beside_dump(name));
        places
    }

    /// A path of the dump's machine: below the sysroot if there is one, else the path itself.
    pub(super) fn on_target(&self, path: &Path) -> Option<PathBuf> {
        match &self.sysroot {
            Some(root) => resolve_in(root, path),
            None => path.is_absolute().then(|| path.to_path_buf()),
        }
    }

    /// The file of this name in the dump's folder. With a sysroot a link must not lead out of it.
    pub(super) fn beside_dump(&self, name: &str) -> Option<PathBuf> {
        let dir = self.dump_dir.as_ref()?;
        match self.sysroot {
            Some(_) => resolve_in(dir, Path::new(name)),
            None => Some(dir.join(name)),
        }
    }

    /// The caches of debuginfod's client, which are read and never filled: an empty file is a
    /// cached "no". Not with a sysroot, because they lie outside of it.
    pub(super) fn debuginfod(&self, build_id: &[u8], what: &str) -> Vec<PathBuf> {
        if self.sysroot.is_some() {
            return Vec::new();
        }
        debuginfod_caches().into_iter().map(|cache| cache.join(hex(build_id)).join(what)).collect()
    }
}

/// `dir/.build-id/xx/rest` and `dir/xx/rest`.
fn by_build_id(dir: &Path, build_id: &[u8], suffix: &str) -> Vec<PathBuf> {
    let hex = hex(build_id);
    let Some((head, rest)) = hex.split_at_checked(2).filter(|(_, rest)| !rest.is_empty()) else {
        return Vec::new();
    };
    let file = Path::new(head).join(format!("{rest}{suffix}"));
    vec![dir.join(".build-id").join(&file), dir.join(file)]
}

fn debuginfod_caches() -> Vec<PathBuf> {
    let from_env = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = from_env("HOME");
    let mut caches = Vec::new();
    caches.extend(from_env("DEBUGINFOD_CACHE_PATH"));
    caches.extend(from_env("XDG_CACHE_HOME").map(|d| d.join("debuginfod_client")));
    caches.extend(home.as_ref().map(|d| d.join(".cache/debuginfod_client")));
    caches.extend(home.map(|d| d.join(".debuginfod_client_cache")));
    caches
}

impl SearchPaths {
    /// A path relative to a folder in which a file was found. With a sysroot it must stay in the
    /// sysroot, or in that folder where it lies outside of it.
    pub(super) fn relative_to(&self, dir: &Path, relative: &Path) -> Option<PathBuf> {
        match &self.sysroot {
            Some(root) => match dir.strip_prefix(root) {
                Ok(inside) => resolve_in(root, &inside.join(relative)),
                Err(_) => resolve_in(dir, relative),
            },
            None => Some(dir.join(relative)),
        }
    }
}

impl SearchPaths {
    /// The places of a `.dwo` file: where the compiler put it, else beside the module, the dump, or in
    /// the given folders, because builds are moved.
    pub(super) fn split_files(&self, path: &Path, found_at: Option<&Path>) -> Vec<PathBuf> {
        let mut places: Vec<PathBuf> = self.on_target(path).into_iter().collect();
        if let Some(name) = path.file_name().and_then(|n| n.to_str()) {
            places.extend(found_at.and_then(Path::parent).map(|dir| dir.join(name)));
            places.extend(self.debug_dirs.iter().map(|dir| dir.join(name)));
            places.extend(self.beside_dump(name));
        }
        places
    }
}
