//! Duration of the demo at full size, from built binaries.

use std::time::Instant;

use anyhow::{Result, ensure};
use qamtu_devstack::testing::binary;

use crate::measurement::{Better, Comparison, Measured, Measurement};

/// Limit for the duration of the whole demo.
const LIMIT_S: f64 = 60.0;

pub async fn demo() -> Result<Measurement> {
    let out = tempfile::tempdir()?;
    let begin = Instant::now();
    let done =
        tokio::process::Command::new(binary("qamtu")?).args(["demo", "--once", "--seed", "7", "--out"]).arg(out.path()).output().await?;
    ensure!(done.status.success(), "the demo failed: {}", String::from_utf8_lossy(&done.stderr));
    let seconds = begin.elapsed().as_secs_f64();
    let measured = Measured { value: seconds, unit: "s", better: Better::Less };
    Ok(Measurement::new("demo", "qamtu demo --once, full size with roll", measured, Comparison { with: "limit", value: LIMIT_S }))
}
