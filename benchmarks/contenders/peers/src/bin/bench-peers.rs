//! Times, and loops for callgrind.

fn main() -> std::process::ExitCode {
    bench_peers::main(None)
}
