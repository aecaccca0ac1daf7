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

pub(super) use crate::formats::text::json::Lenient;
use crate::formats::text::json::Number;

#[derive(Debug, Deserialize)]
pub(super) struct Report {
    pub threads: Option<Vec<Lenient<Reported>>>,
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
    #[serde(default)]
    pub termination: Lenient<Termination>,
    /// Messages by the library that left them.
    #[serde(default)]
    pub asi: Lenient<BTreeMap<String, Vec<String>>>,
}

impl Report {
    /// Whether it is a report: other documents have threads as well.
    pub fn is_meant(&self) -> bool {
        let mut threads = self.threads.iter().flatten().filter_map(|thread| thread.0.as_ref());
        let mut frames = threads.by_ref().flat_map(|thread| thread.frames.0.iter().flatten());
        let has_frames = frames.any(|f| f.0.as_ref().is_some_and(|f| f.image_offset.0.is_some()));
        self.threads.is_some() && (has_frames || self.used_images.0.is_some() && self.proc_name.0.is_some())
    }
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
}

#[derive(Debug, Deserialize)]
pub(super) struct Termination {
    #[serde(default)]
    pub namespace: Lenient<String>,
    #[serde(default)]
    pub indicator: Lenient<String>,
    #[serde(default)]
    pub details: Lenient<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reported {
    #[serde(default)]
    pub id: Number,
    #[serde(default)]
    pub name: Lenient<String>,
    #[serde(default)]
    pub queue: Lenient<String>,
    #[serde(default)]
    pub triggered: Lenient<bool>,
    #[serde(default)]
    pub frames: Lenient<Vec<Lenient<Place>>>,
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
