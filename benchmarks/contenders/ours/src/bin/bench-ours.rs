//! Times, and loops for callgrind.

fn main() -> std::process::ExitCode {
    bench_ours::main(None)
}
