//! What the fuzz targets share: a folder for inputs without anything else in it, and the oracles.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use logjam::diagnosis::Diagnosis;
use logjam::input::{InputOptions, NoProgress};
use logjam::modules::SearchPaths;
use logjam::pipeline::{Options, analyze};

pub mod hostile;
pub mod oracle;

/// The most that a compressed input may unpack to.
const MAX_UNPACKED: u64 = 16 << 20;

struct Place {
    dump: PathBuf,
    options: Options,
}

static PLACE: OnceLock<Place> = OnceLock::new();

/// All work on the fuzzer's own thread, so that a run repeats, and its coverage is that of its
/// input.
pub fn start() {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global()
        .expect("the pool is made once");
    PLACE.get_or_init(place);
}

/// An empty folder as the root of all module paths, so that no file of this machine is opened.
pub fn search() -> SearchPaths {
    PLACE.get_or_init(place).options.search.clone()
}

/// The whole pipeline over one file with these bytes.
pub fn analyze_bytes(bytes: &[u8]) -> Diagnosis {
    let place = PLACE.get_or_init(place);
    // A new file each time: the one before was mapped.
    let _ = fs::remove_file(&place.dump);
    fs::write(&place.dump, bytes).expect("there is space for one input");
    analyze(std::slice::from_ref(&place.dump), &place.options, &NoProgress)
}

fn place() -> Place {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let base = base.join(format!("logjam-fuzz-{}", std::process::id()));
    let (root, inputs) = (base.join("root"), base.join("in"));
    fs::create_dir_all(&root).expect("a folder can be made");
    fs::create_dir_all(&inputs).expect("a folder can be made");
    let search = SearchPaths { sysroot: Some(root), ..SearchPaths::default() };
    let options = Options {
        input: InputOptions { max_unpacked: Some(MAX_UNPACKED) },
        search,
        ..Options::default()
    };
    Place { dump: inputs.join("dump"), options }
}
