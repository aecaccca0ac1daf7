//! Every stage, in order.

use std::path::PathBuf;

use rayon::prelude::*;

use crate::arch;
use crate::cluster::{self, Clusters};
use crate::diagnosis::{self, Analyzed, Diagnosis, InputStatus, Runbook};
use crate::formats::detect::{self, Content};
use crate::formats::{self, Format};
use crate::input::{self, Found, Input, InputError, InputOptions, Listing, Progress};
use crate::model::{GapKind, Gaps, Memory, ProcessImage, Snapshot};
use crate::modules::{ModuleSet, ProcessSpace, SearchPaths};
use crate::normalize::{Meanings, Readings, UserRole};
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
    /// What functions of the user's are for.
    pub roles: Vec<UserRole>,
    /// The user's guides for findings.
    pub runbooks: Vec<Runbook>,
    /// The only format that inputs are read as.
    pub format: Option<&'static Format>,
}

/// Files that are worked on at a time. A worker that waits for a part of one file may begin with the next,
/// on top of its stack: this bounds how often.
const FILES_AT_A_TIME: usize = 64;

/// Analyzes inputs: files, folders, `-`. Several files are analyzed at the same time; the result is in their
/// order.
pub fn analyze(names: &[PathBuf], options: &Options, progress: &dyn Progress) -> Diagnosis {
    let listings: Vec<Listing> = names.iter().map(input::find).collect();
    let files: Vec<_> = listings.iter().flat_map(|l| l.found.iter().map(move |found| (l, found))).collect();
    let mut outcomes = Vec::with_capacity(files.len());
    for files in files.chunks(FILES_AT_A_TIME) {
        let one = |(listing, found): &(&Listing, &_)| analyze_file(found, listing, options, progress);
        outcomes.extend(files.par_iter().map(one).collect::<Vec<_>>());
    }
    let mut diagnosis = Diagnosis::default();
    let mut outcomes = outcomes.into_iter();
    for listing in &listings {
        let mut has_dump = false;
        for outcome in outcomes.by_ref().take(listing.found.len()).flatten() {
            has_dump |= outcome.status.error().is_none();
            add(&mut diagnosis, outcome, &options.runbooks);
        }
        if listing.is_folder && !has_dump {
            let status = InputStatus::NoDumps(no_dumps(listing).to_string());
            diagnosis.inputs.push((listing.path.to_string(), status));
        }
    }
    diagnosis::sort(&mut diagnosis.findings);
    diagnosis.headline = diagnosis::headline(&diagnosis.findings, &diagnosis.snapshots);
    diagnosis
}

fn no_dumps(listing: &Listing) -> InputError {
    InputError::NoDumps {
        path: listing.path.clone(),
        files: listing.found.len(),
        links: listing.links,
        looked_for: formats::looked_for(),
    }
}

/// What became of one file.
struct Outcome {
    path: String,
    status: InputStatus,
    snapshots: Vec<(Analyzed, Vec<rules::Finding>)>,
}

impl Outcome {
    fn failed(path: &str, why: &impl ToString) -> Self {
        let status = InputStatus::Failed(why.to_string());
        Self { path: path.to_owned(), status, snapshots: Vec::new() }
    }
}

/// Adds what was found in a file.
fn add(diagnosis: &mut Diagnosis, outcome: Outcome, runbooks: &[Runbook]) {
    for (analyzed, findings) in outcome.snapshots {
        diagnosis.findings.extend(diagnosis::rank(findings, diagnosis.snapshots.len(), &analyzed, runbooks));
        diagnosis.snapshots.push(analyzed);
    }
    diagnosis.inputs.push((outcome.path, outcome.status));
}

/// Reads and analyzes a file. `None`: a file of a folder that is no dump.
fn analyze_file(
    found: &Result<Found, InputError>,
    listing: &Listing,
    options: &Options,
    progress: &dyn Progress,
) -> Option<Outcome> {
    let found = match found {
        Ok(found) => found,
        Err(e) => return Some(Outcome::failed(&listing.path, e)),
    };
    let input = match input::read(found, &options.input, progress) {
        Err(e) if found.from_folder && e.is_no_dump() => return None,
        Err(e) => return Some(Outcome::failed(&found.path, &e)),
        Ok(input) => input,
    };
    let Some(content) = detect::detect(&input.bytes, options.format) else {
        let error = InputError::NotADump {
            path: found.path.clone(),
            looks_like: input::looks_like(&input.bytes),
            looked_for: formats::looked_for(),
        };
        return (!found.from_folder).then(|| Outcome::failed(&found.path, &error));
    };
    Some(analyze_input(&input, &content, options, progress))
}

/// Parses and analyzes what one file holds.
fn analyze_input(
    input: &Input,
    content: &Content<'_>,
    options: &Options,
    progress: &dyn Progress,
) -> Outcome {
    progress.report("reading threads", 0, 0);
    let mut parsed = detect::read(content, &input.bytes, &input.path);
    parsed.retain(Snapshot::says_something);
    if parsed.is_empty() {
        let begins = format!("it begins like {}, but no thread could be read", content.name());
        return Outcome::failed(&input.path, &format!("nothing in {} was understood: {begins}", input.path));
    }
    let mut search = options.search.clone();
    search.dump_dir.clone_from(&input.folder);
    let mut is_partial = input.is_cut_compressed;
    let file = parsed.iter().any(|s| s.image.is_some()).then(|| input.file()).flatten();
    let analyze = |mut snapshot: Snapshot| {
        if let (Some(image), Some(file)) = (&mut snapshot.image, &file) {
            image.memory.read_through(file, &input.bytes);
        }
        snapshot.gaps.extend(input.gaps.clone());
        analyze_snapshot(snapshot, &search, options, progress)
    };
    // A log of a day may hold thousands of dumps.
    let mut snapshots: Vec<(Analyzed, Vec<rules::Finding>)> = parsed.into_par_iter().map(analyze).collect();
    is_partial |=
        snapshots.iter().any(|(analyzed, _)| analyzed.snapshot.gaps.iter().any(|gap| is_loss(gap.kind)));
    let mut gaps = Gaps::default();
    if let Err(error) = input.verify(&mut gaps) {
        return Outcome::failed(&input.path, &error);
    }
    if !gaps.is_empty() {
        is_partial = true;
        for (analyzed, _) in &mut snapshots {
            analyzed.snapshot.gaps.extend(gaps.clone());
        }
    }
    let status = if is_partial { InputStatus::Partial } else { InputStatus::Ok };
    Outcome { path: input.path.to_string(), status, snapshots }
}

/// Whether a gap means that a part of the input itself was lost.
fn is_loss(kind: GapKind) -> bool {
    matches!(kind, GapKind::Truncated | GapKind::Damaged | GapKind::Changed)
}

/// All that comes after parsing, for one process.
fn analyze_snapshot(
    mut snapshot: Snapshot,
    search: &SearchPaths,
    options: &Options,
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
            understand(&snapshot, native.as_ref(), &options.roles, progress)
        }
        _ => understand(&snapshot, None, &options.roles, progress),
    };
    // Nobody reads the memory from here on; what rules want of the image are its registers.
    snapshot.image = image.map(|image| ProcessImage { memory: Memory::default(), ..image });
    progress.report("grouping threads", 0, 0);
    let group = || cluster::group(&snapshot, &meanings, &readings, &waits);
    let (clusters, graph): (Clusters, _) = rayon::join(group, || WaitGraph::of(&waits));
    let findings = rules::check_all(&Case {
        snapshot: &snapshot,
        meanings: &meanings,
        readings: &readings,
        waits: &waits,
        clusters: &clusters,
        graph: &graph,
        states: &rules::StateCounts::of(&clusters),
        limits: &options.limits,
    });
    let modules = modules.unwrap_or_default();
    (Analyzed { snapshot, modules, meanings, readings, waits, clusters }, findings)
}

fn understand(
    snapshot: &Snapshot,
    native: Option<&Native<'_>>,
    roles: &[UserRole],
    progress: &dyn Progress,
) -> (Meanings, Readings, Waits) {
    progress.report("finding locks", 0, 0);
    let meanings = Meanings::of(&snapshot.stacks).with_roles(roles);
    let readings = Readings::of(&snapshot.stacks, &meanings);
    let waits = waits::analyze(snapshot, &meanings, &readings, native);
    (meanings, readings, waits)
}
