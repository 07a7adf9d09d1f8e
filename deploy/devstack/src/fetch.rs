//! Fetches a package once into the cache. A folder there is complete, since it appears by a rename. Concurrent calls are safe, also
//! those of several processes. npm and Maven do the download; callers verify its content. The functions block.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::DevstackError;

/// The folder of everything that is fetched: `$QAMTU_CACHE`, else `~/.cache/qamtu`.
///
/// # Errors
/// [`DevstackError::Configuration`] if there is no home folder.
pub fn cache_dir() -> Result<PathBuf, DevstackError> {
    let cache_dir = std::env::var_os("QAMTU_CACHE").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    cache_dir.or_else(|| Some(std::env::home_dir()?.join(".cache/qamtu"))).ok_or_else(|| DevstackError::Configuration {
        name: "QAMTU_CACHE",
        reason: "there is no home folder; set it to a folder that can keep 600 MB".to_owned(),
    })
}

/// Fills `folder` unless it is complete: `fetch` gets an empty folder beside it, which then takes its name. Returns whether the folder
/// was not complete at the time of the call.
pub(crate) fn ensure(
    folder: &Path,
    is_complete: impl Fn() -> bool,
    fetch: impl FnOnce(&Path) -> Result<(), DevstackError>,
) -> Result<bool, DevstackError> {
    if is_complete() {
        return Ok(false);
    }
    let failed = |source| DevstackError::file(folder, source);
    let (lock, temporary) = (folder.with_file_name("lock"), folder.with_file_name("unfinished"));
    fs::create_dir_all(folder.parent().unwrap_or(folder)).map_err(failed)?;
    // The kernel releases the lock if its owner exits.
    let lock = File::create(lock).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if !is_complete() {
        let _ = fs::remove_dir_all(&temporary);
        fs::create_dir(&temporary).map_err(failed)?;
        fetch(&temporary).inspect_err(|_| drop(fs::remove_dir_all(&temporary)))?;
        let _ = fs::remove_dir_all(folder);
        fs::rename(&temporary, folder).map_err(failed)?;
    }
    Ok(true)
}

/// Runs npm or Maven to download `package`; `missing` is the error if that program is not on PATH.
pub(crate) fn download(package: String, command: &mut Command, missing: DevstackError) -> Result<(), DevstackError> {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing),
        Err(source) => return Err(DevstackError::Spawn { program: command.get_program().into(), source }),
    };
    let printed = [output.stdout, output.stderr].concat();
    Err(DevstackError::Fetch { package, reason: reason(&String::from_utf8_lossy(&printed)) })
}

/// The reason in the output of npm or Maven, without its advice.
fn reason(printed: &str) -> String {
    let words = |line: &'_ str| line.trim_start_matches("npm error").trim_start_matches("[ERROR]").trim().to_owned();
    let lines = || printed.lines().map(words).filter(|line| !line.is_empty());
    let prefixes_without_reason = ["code ", "syscall ", "errno ", "type ", "[WARNING]"];
    let reason = lines().find(|line| !prefixes_without_reason.iter().any(|word| line.starts_with(word))).or_else(|| lines().next());
    reason.unwrap_or_else(|| "it printed nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn the_reason_omits_codes_and_advice() {
        let printed = "npm error code E404\nnpm error 404 Not Found - GET somewhere\nnpm error 404\nnpm error A complete log";
        assert_eq!(reason(printed), "404 Not Found - GET somewhere");
        let printed = "npm error code ECONNREFUSED\nnpm error syscall connect\nnpm error errno ECONNREFUSED\nnpm error FetchError: refused";
        assert_eq!(reason(printed), "FetchError: refused");
        let printed = "[WARNING] a plugin is old\n[ERROR] Failed to execute goal\n[ERROR]\n[ERROR] To see the full stack trace";
        assert_eq!(reason(printed), "Failed to execute goal");
        assert_eq!(reason(""), "it printed nothing");
    }
}
