//! Every stage, in order.

use std::path::PathBuf;

use crate::arch;
use crate::cluster::{self, Clusters};
use crate::diagnosis::{self, Analyzed, Diagnosis, InputStatus};
use crate::formats::{self, Format};
use crate::input::{self, Found, Input, InputError, InputOptions, Progress};
use crate::model::{GapKind, Gaps, Memory, ProcessImage, Snapshot};
use crate::modules::{ModuleSet, ProcessSpace, SearchPaths};
use crate::normalize::{Meanings, Readings};
use crate::rules::{self, Case, Limits, WaitGraph};
use crate::symbols;
use crate::unwind::{self, Walker};
use crate::waits::{self, Native, Waits};

/// What the user may choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How inputs are read.
    pub input: InputOptions,
    /// Where module files may be looked for.
    pub search: SearchPaths,
    /// Limits for the rules.
    pub limits: Limits,
}

/// Analyzes inputs: files, folders, `-`.
pub fn analyze(names: &[PathBuf], options: &Options, progress: &dyn Progress) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    for name in names {
        for (path, opened) in open(name, options, progress) {
            let status = match opened {
                Ok((input, format)) => add(&mut diagnosis, &input, format, options, progress),
                Err(error) => InputStatus::Failed(error.to_string()),
            };
            diagnosis.inputs.push((path, status));
        }
    }
    diagnosis::sort(&mut diagnosis.findings);
    diagnosis.headline = diagnosis::headline(&diagnosis.findings, diagnosis.snapshots.len());
    diagnosis
}

type Opened = Result<(Input, &'static Format), InputError>;

/// The dumps that a name stands for. Files of a folder that are no dumps are passed over; a folder
/// without any dump is an error.
fn open(name: &PathBuf, options: &Options, progress: &dyn Progress) -> Vec<(String, Opened)> {
    let listing = input::find(name);
    let files = listing.found.len();
    let mut opened = Vec::new();
    for found in listing.found {
        match found {
            Err(e) => opened.push((listing.path.to_string(), Err(e))),
            Ok(found) => match open_file(&found, options, progress) {
                Err(e) if found.from_folder && e.is_no_dump() => {}
                result => opened.push((found.path.to_string(), result)),
            },
        }
    }
    if listing.is_folder && opened.iter().all(|(_, r)| r.is_err()) {
        let looked_for = formats::looked_for();
        let error =
            InputError::NoDumps { path: listing.path.clone(), files, links: listing.links, looked_for };
        opened.push((listing.path.to_string(), Err(error)));
    }
    opened
}

fn open_file(found: &Found, options: &Options, progress: &dyn Progress) -> Opened {
    let input = input::read(found, &options.input, progress)?;
    match formats::recognize(&input.bytes) {
        Some(format) => Ok((input, format)),
        None => Err(InputError::NotADump {
            path: found.path.clone(),
            looks_like: input::looks_like(&input.bytes),
            looked_for: formats::looked_for(),
        }),
    }
}

/// Parses and analyzes one input and adds what was found.
fn add(
    diagnosis: &mut Diagnosis,
    input: &Input,
    format: &Format,
    options: &Options,
    progress: &dyn Progress,
) -> InputStatus {
    progress.report("reading threads", 0, 0);
    let mut parsed = (format.parse)(&input.bytes, &input.path);
    parsed.retain(|snapshot| !snapshot.threads.is_empty());
    if parsed.is_empty() {
        return InputStatus::Failed(format!(
            "nothing in {} was understood: it begins like {}, but no thread could be read",
            input.path, format.name
        ));
    }
    let mut search = options.search.clone();
    search.dump_dir.clone_from(&input.folder);
    let mut is_partial = input.is_cut_compressed;
    let first = diagnosis.snapshots.len();
    let file = parsed.iter().any(|s| s.image.is_some()).then(|| input.file()).flatten();
    for mut snapshot in parsed {
        if let (Some(image), Some(file)) = (&mut snapshot.image, &file) {
            image.memory.read_through(file, &input.bytes);
        }
        snapshot.gaps.extend(input.gaps.clone());
        let (analyzed, findings) = analyze_snapshot(snapshot, &search, &options.limits, progress);
        is_partial |= analyzed.snapshot.gaps.iter().any(|gap| is_loss(gap.kind));
        diagnosis.findings.extend(diagnosis::rank(findings, diagnosis.snapshots.len(), &analyzed));
        diagnosis.snapshots.push(analyzed);
    }
    let mut gaps = Gaps::default();
    if let Err(error) = input.verify(&mut gaps) {
        diagnosis.snapshots.truncate(first);
        diagnosis.findings.retain(|f| f.snapshot < first);
        return InputStatus::Failed(error.to_string());
    }
    if !gaps.is_empty() {
        is_partial = true;
        for analyzed in &mut diagnosis.snapshots[first..] {
            analyzed.snapshot.gaps.extend(gaps.clone());
        }
    }
    if is_partial { InputStatus::Partial } else { InputStatus::Ok }
}

/// Whether a gap means that a part of the input itself was lost.
fn is_loss(kind: GapKind) -> bool {
    matches!(kind, GapKind::Truncated | GapKind::Damaged | GapKind::Changed)
}

/// All that comes after parsing, for one process.
fn analyze_snapshot(
    mut snapshot: Snapshot,
    search: &SearchPaths,
    limits: &Limits,
    progress: &dyn Progress,
) -> (Analyzed, Vec<rules::Finding>) {
    let image = snapshot.image.take();
    let modules = image.as_ref().map(|image| {
        progress.report("finding modules", 0, 0);
        ModuleSet::load(image, search, &mut snapshot.gaps)
    });
    let (meanings, readings, waits) = match (&image, &modules) {
        (Some(image), Some(modules)) => {
            let memory = ProcessSpace { image, modules };
            let arch = snapshot.process.arch.and_then(arch::of);
            let walker = arch.filter(|a| a.is_unwound).map(|arch| Walker::new(arch, modules, &memory));
            if let Some(walker) = &walker {
                progress.report("following stacks", 0, 0);
                let (unwound, ()) = rayon::join(
                    || unwind::unwind_all(walker, &image.registers),
                    || symbols::unpack(modules, image.registers.iter().map(|r| r.pc)),
                );
                progress.report("naming functions", 0, 0);
                symbols::name_stacks(&mut snapshot, &unwound, modules);
            }
            let native =
                arch.map(|arch| Native { image, arch, modules, memory: &memory, walker: walker.as_ref() });
            understand(&snapshot, native.as_ref(), progress)
        }
        _ => understand(&snapshot, None, progress),
    };
    // Nobody reads the memory from here on; what rules want of the image are its registers.
    snapshot.image = image.map(|image| ProcessImage { memory: Memory::default(), ..image });
    progress.report("grouping threads", 0, 0);
    let clusters: Clusters = cluster::group(&snapshot, &meanings, &readings, &waits);
    let graph = WaitGraph::of(&waits);
    let findings = rules::check_all(&Case {
        snapshot: &snapshot,
        meanings: &meanings,
        readings: &readings,
        waits: &waits,
        clusters: &clusters,
        graph: &graph,
        limits,
    });
    let modules = modules.unwrap_or_default();
    (Analyzed { snapshot, modules, meanings, readings, waits, clusters }, findings)
}

fn understand(
    snapshot: &Snapshot,
    native: Option<&Native<'_>>,
    progress: &dyn Progress,
) -> (Meanings, Readings, Waits) {
    progress.report("finding locks", 0, 0);
    let meanings = Meanings::of(&snapshot.stacks);
    let readings = Readings::of(&snapshot.stacks, &meanings);
    let waits = waits::analyze(snapshot, &meanings, &readings, native);
    (meanings, readings, waits)
}
