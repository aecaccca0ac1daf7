//! Why a kernel of Windows stopped the machine.
//!
//! ```text
//! BUGCHECK_CODE:  50                                      !analyze of WinDbgX
//! BUGCHECK_STR:  0xC5_2                                   before; of a process it names an exception
//! BugCheck 1E, {ffffffffc0000005, fffff8036b7d4b1c, 0, ffffffffffffffff}
//! DRIVER_CORRUPTED_EXPOOL (c5)
//! ```
//!
//! Source: the debugger's documentation (learn.microsoft.com/windows-hardware/drivers/debugger: bug check code
//! reference; -bugcheck; !analyze).

use crate::formats::text::words::hex;

/// Codes that people know, and their names in `bugcodes.h`.
static CODES: &[(u32, &str)] = &[
    (0x0a, "IRQL_NOT_LESS_OR_EQUAL"),
    (0x19, "BAD_POOL_HEADER"),
    (0x1a, "MEMORY_MANAGEMENT"),
    (0x1e, "KMODE_EXCEPTION_NOT_HANDLED"),
    (0x24, "NTFS_FILE_SYSTEM"),
    (0x3b, "SYSTEM_SERVICE_EXCEPTION"),
    (0x50, "PAGE_FAULT_IN_NONPAGED_AREA"),
    (0x74, "BAD_SYSTEM_CONFIG_INFO"),
    (0x7a, "KERNEL_DATA_INPAGE_ERROR"),
    (0x7b, "INACCESSIBLE_BOOT_DEVICE"),
    (0x7e, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"),
    (0x7f, "UNEXPECTED_KERNEL_MODE_TRAP"),
    (0x9f, "DRIVER_POWER_STATE_FAILURE"),
    (0xbe, "ATTEMPTED_WRITE_TO_READONLY_MEMORY"),
    (0xc1, "SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION"),
    (0xc2, "BAD_POOL_CALLER"),
    (0xc4, "DRIVER_VERIFIER_DETECTED_VIOLATION"),
    (0xc5, "DRIVER_CORRUPTED_EXPOOL"),
    (0xd1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL"),
    (0xef, "CRITICAL_PROCESS_DIED"),
    (0xf4, "CRITICAL_OBJECT_TERMINATION"),
    (0xfc, "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY"),
    (0x101, "CLOCK_WATCHDOG_TIMEOUT"),
    (0x109, "CRITICAL_STRUCTURE_CORRUPTION"),
    (0x116, "VIDEO_TDR_FAILURE"),
    (0x124, "WHEA_UNCORRECTABLE_ERROR"),
    (0x133, "DPC_WATCHDOG_VIOLATION"),
    (0x139, "KERNEL_SECURITY_CHECK_FAILURE"),
    (0x13a, "KERNEL_MODE_HEAP_CORRUPTION"),
];

/// Codes of dumps that somebody wanted: the keyboard, NMI, `.crash`, a dump of a machine that goes on.
static WANTED: &[u32] = &[0xe2, 0x80, 0x161, 0xdead_dead];

/// How the lines begin that have nothing but the code behind them; without a bracket before the first blank.
static FIELDS: &[&str] = &["BUGCHECK_CODE: ", "BUGCHECK_STR: ", "BugCheck ", "Bugcheck code "];

/// The code of a line.
pub(super) fn code(line: &str) -> Option<u32> {
    let line = line.trim();
    let by_field = || {
        let field = FIELDS.iter().find(|field| line.starts_with(**field))?;
        let value = line.get(field.len()..)?.trim_start();
        // `AV`, `c0000005`, `APPLICATION_HANG`: of a process.
        let value = if *field == "BUGCHECK_STR: " { value.strip_prefix("0x")? } else { value };
        let digits = value.bytes().take_while(u8::is_ascii_hexdigit).count();
        hex(value.get(..digits)?)
    };
    let by_title = || {
        let (name, rest) = line.split_once(" (")?;
        let code = hex(rest.strip_suffix(')')?)?;
        CODES.iter().find(|(known, title)| u64::from(*known) == code && name == *title).map(|_| code)
    };
    let code = by_field().or_else(by_title)?;
    u32::try_from(code).ok().filter(|code| *code != 0)
}

/// What a code says of the end; `None`: somebody wanted a dump.
pub(super) fn told(code: u32) -> Option<String> {
    if WANTED.contains(&code) {
        return None;
    }
    let name = CODES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name);
    Some(name.map_or_else(|| format!("bugcheck 0x{code:x}"), |name| format!("bugcheck 0x{code:x}: {name}")))
}
