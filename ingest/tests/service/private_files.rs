//! Files of register and keys are private: created so, made private again at the start; a key that others can read is refused.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    harness::TestEnv,
    sample::{IIN, attendance, campaign_at},
};

fn mode(path: &Path) -> Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

/// Paths and modes of the files in a folder.
fn modes(folder: &Path) -> Result<Vec<(String, u32)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        found.push((path.display().to_string(), mode(&path)?));
    }
    Ok(found)
}

#[tokio::test]
async fn register_and_keys_are_private_and_become_so_again() -> Result<()> {
    let env = TestEnv::new()?;
    let (register, keys) = (env.path("own/register.sqlite"), env.path("keys"));
    let folder = env.path("own");
    let settings = [("QAMTU__REGISTER__PATH", register.to_str().unwrap_or_default())];
    let is_private = || -> Result<bool> {
        let files = [modes(&folder)?, modes(&keys)?].concat();
        ensure!(files.len() > 3, "{files:?}");
        Ok(mode(&folder)? == 0o700 && mode(&keys)? == 0o700 && files.iter().all(|(_, mode)| *mode == 0o600))
    };
    let ingest = campaign_at(&env, &settings).await?;
    ingest.send_lines(&[attendance("m-open", json!({"iin": IIN}))]).await?;
    ensure!(is_private()?, "{:?} {:?}", modes(&folder)?, modes(&keys)?);
    ingest.kill().await?;

    for folder in [&folder, &keys] {
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    }
    for (path, _) in modes(&folder)? {
        fs::set_permissions(path, Permissions::from_mode(0o644))?;
    }
    let ingest = env.start(&settings).await?;
    ensure!(is_private()?, "{:?} {:?}", modes(&folder)?, modes(&keys)?);
    ensure!(env.stderr().contains("is now private (mode 600)") && env.stderr().contains("is now private (mode 700)"), "{}", env.stderr());
    ingest.stop().await
}

#[tokio::test]
async fn a_key_that_others_can_read_stops_the_start_and_says_what_to_do() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    ingest.send_lines(&[attendance("m-open", json!({"iin": IIN}))]).await?;
    ingest.stop().await?;
    let key = env.path("keys").join("c.key");
    // Readable by everybody. (A root key readable by a group is accepted: secrets are mounted like that.)
    fs::set_permissions(&key, Permissions::from_mode(0o604))?;
    let mut ingest = env.launch(&[]).await?;
    ensure!(ingest.wait_exit().await?.code() == Some(1));
    ensure!(env.stderr().contains("c.key can be read by other users of this machine: run chmod 600 on it"), "{}", env.stderr());
    fs::set_permissions(&key, Permissions::from_mode(0o600))?;
    env.start(&[]).await?.stop().await
}
