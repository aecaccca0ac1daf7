//! Node.js and V8: waits on shared memory, and what stands between a failure and the report of it.

use super::row::*;
use crate::normalize::ResourceClass::Gc;
use crate::normalize::WaitKind::Condition;

/// All rows.
pub static TABLE: &[Source] = &[
    source(
        "ECMAScript 2017 - 2025 25.4 Atomics; V8 7 - 13 src/builtins/builtins-sharedarraybuffer.cc: a worker sleeps on a word of a SharedArrayBuffer",
        &[wait("Atomics.wait", Condition)],
    ),
    source(
        "Node.js 12 - 24 src/node_report.cc, src/node_errors.cc; V8 7 - 13 src/api/api.cc",
        &[
            abort("report::TriggerNodeReport"),
            abort("node::TriggerNodeReport"),
            abort("node::report::*"),
            abort("node::OOMErrorHandler"),
            abort("node::OnFatalError"),
            abort("node::Abort"),
            abort("node::Assert"),
            abort("v8::Utils::ReportOOMFailure"),
            abort("v8::Utils::ReportApiFailure"),
            abort("v8::internal::V8::FatalProcessOutOfMemory"),
            abort("V8_Fatal"),
        ],
    ),
    source(
        "V8 7 - 13 src/heap/: the heap and its collector",
        &[
            runtime("v8::internal::Heap::*").of(Gc),
            runtime("v8::internal::HeapAllocator::*").of(Gc),
            runtime("v8::internal::MarkCompactCollector::*").of(Gc),
            runtime("v8::internal::ScavengerCollector::*").of(Gc),
            runtime("v8::internal::Factory::*"),
            runtime("v8::internal::Runtime_*"),
        ],
    ),
];
