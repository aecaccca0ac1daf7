//! A snapshot: what the dump itself says. What no report shows (memory, registers, values of arguments) goes
//! whichever kinds are asked for.

use super::finding::holder;
use super::kind::Kind;
use super::scrubber::Scrubber;
use super::secrets::is_program_name;
use crate::cluster::{Cluster, Clusters};
use crate::diagnosis::Analyzed;
use crate::model::{
    ArgSlot, Evidence, Failure, Frame, Memory, Process, ProcessImage, Signal, Snapshot, Source, Str, Thread,
    ThreadId, Values,
};
use crate::modules::{Module, ModuleSet};
use crate::waits::{Activity, Call, Lock, Waits};

pub(super) fn redact(analyzed: &mut Analyzed, scrubber: &mut Scrubber) {
    let is_program = analyzed.snapshot.process.name.as_deref().is_some_and(|n| is_program_name(n, analyzed));
    let keys: Vec<String> = analyzed.waits.locks.iter().map(|lock| analyzed.lock_fingerprint(lock)).collect();
    // What stacks mean is said in places and roles.
    let Analyzed { snapshot, modules, meanings, readings: _, waits, clusters } = analyzed;
    self::snapshot(snapshot, is_program, scrubber);
    meanings.rename(|name| replaced(name, scrubber.function(name)));
    self::clusters(clusters, scrubber);
    self::waits(waits, keys, scrubber);
    self::modules(modules, scrubber);
}

/// The text itself where nothing of it was replaced: it is shared.
fn replaced(text: &Str, by: String) -> Str {
    if **text == *by { text.clone() } else { by.into() }
}

fn snapshot(snapshot: &mut Snapshot, is_program: bool, scrubber: &mut Scrubber) {
    let Snapshot {
        source,
        process,
        threads,
        listing: _,
        stacks,
        values,
        reported_locks,
        named_locks,
        holds,
        lists_owners: _,
        rings,
        orders,
        image,
        is_complete: _,
        gaps,
    } = snapshot;
    let Source { path, format: _, producer, bytes: _, offset: _ } = source;
    *path = scrubber.path(path).into();
    if let Some(producer) = producer {
        *producer = scrubber.text(producer).into();
    }
    self::process(process, is_program, scrubber);
    threads.iter_mut().for_each(|thread| self::thread(thread, scrubber));
    stacks.rewrite(|frame, slots| self::frame(frame, slots, scrubber));
    *values = Values::default();
    reported_locks.clear();
    named_locks.clear();
    holds.clear();
    rings.clear();
    orders.clear();
    if let Some(image) = image {
        self::image(image);
    }
    gaps.reword(|message| scrubber.about_files(message));
}

fn process(process: &mut Process, is_program: bool, scrubber: &mut Scrubber) {
    let Process {
        pid: _,
        name,
        command_line,
        os,
        arch: _,
        captured_at,
        unresponsive: _,
        signal,
        runtime,
        failure,
    } = process;
    if let Some(name) = name {
        let by = if is_program { scrubber.text(name) } else { scrubber.thread(name) };
        *name = replaced(name, by);
    }
    if let Some(line) = command_line {
        *line = scrubber.command(line).into();
    }
    for text in os.iter_mut().chain(runtime) {
        *text = replaced(text, scrubber.text(text));
    }
    if let Some(Failure { kind: _, message, thread: _ }) = failure {
        *message = replaced(message, scrubber.text(message));
    }
    if let Some(line) = captured_at {
        let time = scrubber.text(&time_of(line));
        *captured_at = Some(time.into()).filter(|time: &Str| !time.is_empty());
    }
    if let Some(Signal { number: _, name, code: _, address, stack_pointer, sender_pid: _, thread: _ }) =
        signal
    {
        *name = replaced(name, scrubber.text(name));
        *address = address.filter(|&a| !scrubber.hides(a));
        *stack_pointer = stack_pointer.filter(|&a| !scrubber.hides(a));
    }
}

/// The words of a line that say when it was. The line may be any line of a log.
fn time_of(line: &str) -> String {
    const NAMES: &[&str] = &[
        "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul",
        "aug", "sep", "oct", "nov", "dec", "am", "pm", "utc", "gmt", "cet", "cest", "est", "edt", "pst",
        "pdt",
    ];
    let is_time = |word: &&str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        let is_number =
            |b: u8| b.is_ascii_digit() || matches!(b, b':' | b'-' | b'.' | b',' | b'+' | b'/' | b'T' | b'Z');
        let is_day_or_year = word.len() <= 2 || (word.len() == 4 && word.starts_with("20"));
        let has_sign =
            word.len() <= "2026-11-24T22:19:35.123456789+01:00".len() && word.contains([':', '-', '/']);
        let is_date = word.bytes().all(is_number) && (has_sign || is_day_or_year);
        !word.is_empty() && (is_date || NAMES.contains(&word.to_ascii_lowercase().as_str()))
    };
    line.split_whitespace().filter(is_time).collect::<Vec<_>>().join(" ")
}

fn thread(thread: &mut Thread, scrubber: &mut Scrubber) {
    let Thread {
        id,
        tid: _,
        name,
        kind: _,
        stack: _,
        stack_end: _,
        frames_left_out: _,
        values,
        cpu_us: _,
        handle,
        is_running: _,
        reported: _,
        reported_wait,
        holds,
        waited_us: _,
        carrier: _,
        creator: _,
        weight: _,
    } = thread;
    *reported_wait = None;
    *holds = (0, 0);
    match id {
        ThreadId::Number(_) => {}
        ThreadId::Text(text) => *text = replaced(text, scrubber.text(text)),
    }
    if let Some(name) = name {
        *name = scrubber.thread(name).into();
    }
    *values = (0, 0);
    *handle = None;
}

fn frame(frame: &mut Frame, slots: &mut Vec<ArgSlot>, scrubber: &mut Scrubber) {
    let Frame {
        function,
        aliases,
        module,
        module_offset: _,
        function_offset: _,
        file,
        line: _,
        address,
        kind: _,
        trust: _,
    } = frame;
    if let Some(function) = function {
        *function = replaced(function, scrubber.function(function));
    }
    *aliases = Box::default();
    for path in module.iter_mut().chain(file) {
        *path = replaced(path, scrubber.path(path));
    }
    *address = address.filter(|&a| !scrubber.hides(a));
    slots.clear();
}

fn image(image: &mut ProcessImage) {
    let ProcessImage {
        is_64_bit: _,
        is_little_endian: _,
        registers,
        memory,
        auxv,
        mappings,
        producer: _,
        missing_bytes: _,
    } = image;
    registers.clear();
    *memory = Memory::default();
    auxv.clear();
    mappings.clear();
}

fn clusters(clusters: &mut Clusters, scrubber: &mut Scrubber) {
    let Clusters { clusters, cluster_of: _ } = clusters;
    for cluster in clusters {
        let Cluster {
            threads: _,
            count: _,
            state: _,
            signature,
            stack: _,
            lock: _,
            variants: _,
            thread_names,
            cpu_us: _,
            waited_us: _,
            fingerprint: _,
        } = cluster;
        for function in signature {
            *function = replaced(function, scrubber.function(function));
        }
        for (pattern, _) in thread_names {
            *pattern = scrubber.thread_pattern(pattern).into();
        }
    }
}

fn waits(waits: &mut Waits, keys: Vec<String>, scrubber: &mut Scrubber) {
    // Of quiet locks all was told before.
    let Waits { activities, locks, quiet: _ } = waits;
    for activity in activities {
        let Activity { state: _, wait: _, system_call, call, doing } = activity;
        if scrubber.kinds.has(Kind::Arguments) || scrubber.kinds.has(Kind::Addresses) {
            *system_call = None;
        }
        if let Some(Call { name: _, fd }) = call.as_deref_mut()
            && scrubber.kinds.has(Kind::Arguments)
        {
            *fd = None;
        }
        if let Some(doing) = doing {
            *doing = scrubber.text(doing).into();
        }
    }
    for (lock, key) in locks.iter_mut().zip(keys) {
        self::lock(lock, key, scrubber);
    }
}

fn lock(lock: &mut Lock, key: String, scrubber: &mut Scrubber) {
    let Lock {
        kind: _,
        address,
        token,
        identity: _,
        name,
        place,
        class: _,
        holder,
        holder_points: _,
        holders: _,
        waiters: _,
        counted: _,
        callers,
        is_shared_object: _,
        certainty: _,
        evidence,
        fingerprint,
    } = lock;
    *fingerprint = Some(key);
    if let Some(token) = token {
        *token = replaced(token, scrubber.text(token));
    }
    // The placeholder stands for the lock as its address did.
    if let Some(placeholder) = address.and_then(|a| scrubber.address(a)) {
        *address = None;
        *token = Some(placeholder.into());
    }
    if let Some(name) = name {
        *name = replaced(name, scrubber.function(name));
    }
    if let Some(place) = place {
        *place = scrubber.text(place);
    }
    for (caller, _) in callers {
        *caller = replaced(caller, scrubber.function(caller));
    }
    for Evidence { certainty: _, text } in evidence {
        *text = scrubber.text(text).into();
    }
    self::holder(holder, scrubber);
}

fn modules(modules: &mut ModuleSet, scrubber: &mut Scrubber) {
    for module in modules.iter_mut() {
        self::module(module, scrubber);
    }
}

/// Not taken apart: what a module keeps for itself are files that no report names.
fn module(module: &mut Module, scrubber: &mut Scrubber) {
    module.name = replaced(&module.name, scrubber.path(&module.name));
    module.path = replaced(&module.path, scrubber.path(&module.path));
    for file in module.file.iter_mut().chain(&mut module.debug_file) {
        file.path = replaced(&file.path, scrubber.path(&file.path));
    }
    if scrubber.kinds.has(Kind::Addresses) {
        (module.base, module.end, module.bias) = (0, 0, 0);
    }
}
