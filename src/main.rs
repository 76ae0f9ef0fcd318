//! The `safelight` program. Everything is in [`safelight::cli`].

fn main() -> std::process::ExitCode {
    safelight::cli::run()
}
