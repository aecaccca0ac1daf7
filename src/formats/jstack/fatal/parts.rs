//! The parts of a report behind its banner, by the lines with which they begin.
//!
//! ```text
//! Registers:
//! RAX=0x0000000000000000, RBX=0x00007f4de412b730, RCX=0x0000000000000000, RDX=0x0000000000000000
//!   TRAPNO=0x000000000000000e
//!
//! XMM[0]=0x000000f87e8149d2 0x33f8468d49368d49
//!
//! Register to memory mapping:
//!
//! RAX=0x0 is NULL
//! Top of Stack: (sp=0x00007f4dc0e9d710)
//! 0x00007f4dc0e9d710:   00007f4d63414fe8 0000000000000000
//! Threads class SMR info:
//! _java_thread_list=0x00007f4de412c810, length=13, elements={
//! 0x00007f4de40279b0, 0x00007f4de40fb480
//! }
//! VM state: not at safepoint (normal execution)
//!
//! Heap address: 0x0000000687400000, size: 6028 MB
//! ...                                                                                     whoever copied it left lines out
//! ```
//!
//! Source: OpenJDK 6-25 utilities/vmError.cpp `VMError::report`, os_cpu/*/os_*.cpp `os::print_context`.

/// What the lines are that follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// Facts, each in a line.
    #[default]
    Facts,
    /// Frames of machine code, with those of Java among them.
    Native,
    /// Frames of Java.
    Java,
    Threads,
    Mutexes,
    /// Registers and memory.
    Data,
    /// What the JVM knows of an address: lines of any form.
    Objects,
    /// The heap, the machine, libraries, flags: up to the end.
    Rest,
}

/// What parts begin with.
static HEADINGS: &[(&str, Part)] = &[
    ("---------------  S Y S T E M", Part::Rest),
    ("---------------", Part::Facts),
    ("Native frames: (", Part::Native),
    // What comes is the same stack, without what the JVM failed on.
    ("Retrying call stack printing without source information", Part::Native),
    ("Java frames: (", Part::Java),
    ("Java Threads: ( => current thread", Part::Threads),
    ("Other Threads:", Part::Threads),
    ("Threads with active compile tasks:", Part::Objects),
    ("Current CompileTask:", Part::Objects),
    ("Registers:", Part::Data),
    ("Top of Stack: (", Part::Data),
    ("Instructions: (", Part::Data),
    ("Register to memory mapping:", Part::Objects),
    ("Stack slot to memory mapping:", Part::Objects),
    ("Lock stack of current Java thread", Part::Objects),
    ("Compiled method (", Part::Objects),
    ("[CodeBlob (0x", Part::Objects),
    ("Threads class SMR info:", Part::Data),
    ("siginfo:", Part::Facts),
    ("Stack: [", Part::Facts),
    ("VM_Operation (", Part::Facts),
    ("VM state:", Part::Facts),
    ("VM Mutex/Monitor currently owned by a thread:  ([", Part::Mutexes),
    ("VM Mutex/Monitor currently owned by a thread: ", Part::Facts),
    ("OutOfMemory and StackOverflow Exception counts:", Part::Rest),
    ("Heap", Part::Rest),
    ("heap address:", Part::Rest),
    ("CDS archive", Part::Rest),
    ("GC Precious Log:", Part::Rest),
    ("Card table byte_map:", Part::Rest),
    ("Dynamic libraries:", Part::Rest),
];

/// Other lines of facts, of which nothing is used.
static KNOWN: &[&str] = &[
    "Host: ",
    "elapsed time: ",
    "Total: ",
    "JVMCI ",
    "Current thread ",
    "The last pc belongs to ",
    "[error occurred during error reporting (",
    "[timeout occurred during error reporting ",
    "uid  : ",
    "umask: ",
];

impl Part {
    /// What a line says of itself and those below it.
    pub fn of(line: &str) -> Option<Self> {
        let row =
            |line: &str| HEADINGS.iter().find(|(start, _)| line.starts_with(start)).map(|(_, part)| *part);
        // Who quotes a stack may indent it more than what is above it. Other headings are too common as words.
        row(line).or_else(|| row(line.trim_start()).filter(|part| matches!(part, Self::Native | Self::Java)))
    }

    /// Whether nothing of it is used.
    pub fn is_passed_over(self) -> bool {
        matches!(self, Self::Data | Self::Objects | Self::Rest)
    }

    /// Whether an empty line ends it.
    pub fn is_one_block(self) -> bool {
        matches!(self, Self::Native | Self::Java | Self::Threads | Self::Mutexes)
    }
}

/// Whether a line is one of registers and memory.
pub(super) fn is_data(line: &str) -> bool {
    let text = line.trim_start().trim_start_matches("=>");
    let begins = |start: &&str| text.starts_with(start);
    ["0x", "XMM[", "}"].iter().any(begins) || text.contains("=0x")
}

/// Whether a line of facts is known to say nothing that is used.
pub(super) fn is_known(line: &str) -> bool {
    KNOWN.iter().any(|start| line.starts_with(start))
}
