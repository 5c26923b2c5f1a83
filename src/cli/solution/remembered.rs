//! Remembers what large packages were unpacked to, so that the same call again is quick.
//!
//! What is remembered lies in the user's cache folder: a file in the target would be taken for
//! source. It only ever saves time; deleting it loses nothing.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::report::Told;
use crate::solution::{Imprint, SourceTree};

/// Below this many bytes a package is unpacked as quickly as an imprint is compared.
const LARGE: usize = 1 << 20;
/// How many folders are remembered.
const MOST: usize = 64;

/// What a call made and told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The files.
    pub imprint: Imprint,
    /// The findings.
    pub told: Vec<Told>,
}

/// The place of one folder's imprint, and the call it is for.
pub struct Remembered {
    file: PathBuf,
    call: String,
}

impl Remembered {
    /// For unpacking these archives with these arguments into a folder; nothing if the archives are
    /// small or there is no place to remember anything.
    pub fn call(dir: &Path, arguments: &impl Debug, archives: &[&[u8]]) -> Option<Self> {
        if archives.iter().map(|archive| archive.len()).sum::<usize>() * 8 < LARGE {
            return None;
        }
        let cache = dirs::cache_dir()?.join("almscript").join("unpacked");
        let mut call = Sha256::new();
        call.update(program()?);
        call.update(format!("{arguments:?}"));
        for archive in archives {
            call.update(archive.len().to_le_bytes());
            call.update(archive);
        }
        let place = std::path::absolute(dir).ok()?;
        let name = hex(&Sha256::digest(place.to_string_lossy().as_bytes()));
        Some(Self {
            file: cache.join(format!("{name}.json")),
            call: hex(&call.finalize()),
        })
    }

    /// What the same call made, if the folder still holds exactly that.
    pub fn recall(&self, dir: &Path) -> Option<Outcome> {
        let bytes = fs::read(&self.file).ok()?;
        let bytes = bytes.strip_prefix(self.call.as_bytes())?;
        let outcome: Outcome = serde_json::from_slice(bytes).ok()?;
        outcome.imprint.is_in(dir).then_some(outcome)
    }

    /// Remembers what the call has made. A failure only costs the time that it would have saved.
    pub fn keep(&self, tree: &SourceTree, told: Vec<Told>) {
        let imprint = Imprint::of(tree);
        let _ = self.write(&Outcome { imprint, told });
    }

    fn write(&self, outcome: &Outcome) -> anyhow::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut bytes = self.call.clone().into_bytes();
        serde_json::to_writer(&mut bytes, outcome)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, &bytes)?;
        file.persist(&self.file)?;
        forget_the_oldest(folder)
    }
}

/// What tells one build of this program from another, which may unpack differently.
fn program() -> Option<String> {
    let program = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let built = program.modified().ok()?;
    Some(format!("{}:{built:?}", program.len()))
}

fn forget_the_oldest(folder: &Path) -> anyhow::Result<()> {
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort();
    for (_, file) in files.iter().rev().skip(MOST) {
        fs::remove_file(file)?;
    }
    Ok(())
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
