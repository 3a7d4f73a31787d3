//! The program: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    one_heap();
    std::process::ExitCode::from(infra::cli::run(std::env::args_os()) as u8)
}

/// One heap for all threads. The usual allocator gives each its own, and what is freed in one is of no use to another: the
/// tree of a configuration, which is read on a thread with a large stack and let go of on another, would stay to the end.
fn one_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: these only set numbers, and no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        // Nor is anything kept apart for pieces of the same size: what is freed is joined with its neighbours at once.
        libc::mallopt(libc::M_MXFAST, 0);
    }
}
