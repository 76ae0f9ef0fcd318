//! Signals that the process was told to ignore when it was started: a hang-up under `nohup`, Ctrl-C for programs that a script
//! has in the background. A handler would undo that, so none is installed for them.

/// Whether a signal was ignored when this is first asked, which must be before a handler for it is installed. Known on Linux
/// alone.
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
