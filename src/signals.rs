//! Signals that were already ignored when the process started: SIGHUP under `nohup`, and Ctrl-C (SIGINT) for programs
//! that a script runs in the background. A handler would override this, so no handler is installed for them.

/// Whether `signal` was ignored when this function was first called. The first call must come before any handler is
/// installed. Works only on Linux; elsewhere, the result is `false`.
pub(crate) fn is_ignored(signal: i32) -> bool {
    static IGNORED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    let read = || {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    let mask = IGNORED.get_or_init(|| read().unwrap_or_default());
    u32::try_from(signal - 1).ok().and_then(|bit| mask.checked_shr(bit)).is_some_and(|mask| mask & 1 == 1)
}
