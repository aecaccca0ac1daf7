//! The document of a report, as far as it is read. A field that a new release changes costs itself and nothing else.
//!
//! ```text
//! {"pid": 517, "procName": "server", "cpuType": "ARM-64", "faultingThread": 2,
//!  "exception": {"codes": "0x0000000000000001, 0x0000000000000008", "type": "EXC_BAD_ACCESS", "signal": "SIGSEGV",
//!                "subtype": "KERN_INVALID_ADDRESS at 0x0000000000000008"},
//!  "asi": {"libsystem_c.dylib": ["abort() called"]},
//!  "threads": [{"id": 4711, "name": "worker", "queue": "com.apple.main-thread", "triggered": true,
//!               "frames": [{"imageOffset": 4352, "symbol": "write", "symbolLocation": 8, "imageIndex": 1}]}],
//!  "usedImages": [{"base": 6740881408, "size": 4096, "name": "libsystem_kernel.dylib", "uuid": "…"}]}
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use crate::formats::text::json::Lenient;
use crate::formats::text::json::{Kind, Number};

/// Reports as a kind of documents.
pub(super) struct Ips;

impl Kind for Ips {
    type Document<'d> = Report<'d>;
}

#[derive(Debug, Deserialize)]
pub(super) struct Report<'d> {
    #[serde(borrow)]
    pub threads: Option<Vec<&'d RawValue>>,
    #[serde(default, rename = "usedImages")]
    pub used_images: Lenient<Vec<Lenient<Image>>>,
    #[serde(default, rename = "faultingThread")]
    pub faulting_thread: Number,
    #[serde(default)]
    pub pid: Number,
    #[serde(default, rename = "procName")]
    pub proc_name: Lenient<String>,
    #[serde(default, rename = "procPath")]
    pub proc_path: Lenient<String>,
    #[serde(default, rename = "captureTime")]
    pub capture_time: Lenient<String>,
    #[serde(default, rename = "cpuType")]
    pub cpu_type: Lenient<String>,
    #[serde(default, rename = "osVersion")]
    pub os_version: Lenient<Os>,
    #[serde(default)]
    pub exception: Lenient<Exception>,
    /// The process goes on.
    #[serde(default, rename = "isNonFatal")]
    pub is_non_fatal: Number,
    /// The system asked for the report and did not end the process.
    #[serde(default, rename = "isSimulated")]
    pub is_simulated: Number,
    #[serde(default)]
    pub termination: Lenient<Termination>,
    /// Frames of an exception that nobody caught.
    #[serde(default, borrow, rename = "lastExceptionBacktrace")]
    pub last_exception: Option<&'d RawValue>,
    /// The same as text, where `lastExceptionBacktrace` is missing: `0   CoreFoundation   0x1 __exceptionPreprocess + 2\n…`.
    #[serde(default, rename = "asiBacktraces")]
    pub asi_backtraces: Lenient<Vec<String>>,
    /// Messages by the library that left them.
    #[serde(default)]
    pub asi: Lenient<BTreeMap<String, Vec<String>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Os {
    #[serde(default)]
    pub train: Lenient<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Exception {
    #[serde(default, rename = "type")]
    pub kind: Lenient<String>,
    #[serde(default)]
    pub signal: Lenient<String>,
    #[serde(default)]
    pub subtype: Lenient<String>,
    #[serde(default)]
    pub codes: Lenient<String>,
    #[serde(default)]
    pub message: Lenient<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Termination {
    #[serde(default)]
    pub namespace: Lenient<String>,
    #[serde(default)]
    pub code: Number,
    #[serde(default)]
    pub indicator: Lenient<String>,
    #[serde(default)]
    pub details: Lenient<Vec<String>>,
    #[serde(default)]
    pub reasons: Lenient<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reported<'d> {
    #[serde(default)]
    pub id: Number,
    #[serde(default)]
    pub name: Lenient<String>,
    #[serde(default)]
    pub queue: Lenient<String>,
    #[serde(default)]
    pub triggered: Lenient<bool>,
    /// [`Place`]s.
    #[serde(default, borrow)]
    pub frames: Option<&'d RawValue>,
    /// Registers, of the thread that crashed.
    #[serde(default, rename = "threadState")]
    pub state: Lenient<Registers>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Registers {
    #[serde(default)]
    pub sp: Lenient<Register>,
    #[serde(default)]
    pub rsp: Lenient<Register>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Register {
    #[serde(default)]
    pub value: Number,
}

#[derive(Debug, Deserialize)]
pub(super) struct Place {
    #[serde(default, rename = "imageOffset")]
    pub image_offset: Number,
    #[serde(default, rename = "imageIndex")]
    pub image_index: Number,
    #[serde(default)]
    pub symbol: Lenient<String>,
    #[serde(default, rename = "sourceFile")]
    pub source_file: Lenient<String>,
    #[serde(default, rename = "sourceLine")]
    pub source_line: Number,
    #[serde(default)]
    pub inline: Lenient<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Image {
    #[serde(default)]
    pub base: Number,
    #[serde(default)]
    pub name: Lenient<String>,
}
