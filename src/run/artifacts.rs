//! Packages, trees and other bytes that steps keep, addressed by their SHA-256.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::RunError;
use crate::script::ArtifactStore;
use crate::script::api::HostError;

/// Artifacts as files of a folder. A file is there whole or not at all.
pub(super) struct ArtifactFolder(pub(super) PathBuf);

/// Artifacts of a host without a workspace.
#[derive(Default)]
pub(super) struct ArtifactMemory(Mutex<HashMap<String, Vec<u8>>>);

fn address_of(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// An address comes out of a journal that anybody can edit, and becomes a file name.
fn checked(address: &str) -> Result<&str, RunError> {
    let hexadecimal = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if address.len() == 64 && address.bytes().all(hexadecimal) {
        Ok(address)
    } else {
        Err(RunError::Artifact {
            address: address.to_owned(),
            reason: "has no valid address",
        })
    }
}

impl ArtifactFolder {
    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        crate::owner_only::folder(&self.0)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(bytes)?;
        file.as_file().sync_data()?;
        match file.persist(path) {
            Ok(_) => Ok(()),
            // Another run kept the same bytes meanwhile, and has them open.
            Err(_) if path.is_file() => Ok(()),
            Err(error) => Err(error.error),
        }
    }
}

impl ArtifactStore for ArtifactFolder {
    fn put(&self, bytes: &[u8]) -> Result<String, HostError> {
        let address = address_of(bytes);
        let path = self.0.join(&address);
        if !path.is_file() {
            self.write(&path, bytes).map_err(|source| RunError::State {
                what: path.display().to_string(),
                source,
            })?;
        }
        Ok(address)
    }

    fn get(&self, address: &str) -> Result<Vec<u8>, HostError> {
        let wrong = |reason| RunError::Artifact {
            address: address.to_owned(),
            reason,
        };
        let bytes = std::fs::read(self.0.join(checked(address)?))
            .map_err(|_| wrong("is no longer in `.alm/artifacts`"))?;
        if address_of(&bytes) != address {
            return Err(wrong("was changed").into());
        }
        Ok(bytes)
    }
}

impl ArtifactStore for ArtifactMemory {
    fn put(&self, bytes: &[u8]) -> Result<String, HostError> {
        let address = address_of(bytes);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(address.clone(), bytes.to_vec());
        Ok(address)
    }

    fn get(&self, address: &str) -> Result<Vec<u8>, HostError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(address).cloned().ok_or_else(|| {
            RunError::Artifact {
                address: address.to_owned(),
                reason: "was never kept",
            }
            .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_a_changed_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let store = ArtifactFolder(dir.path().join("artifacts"));
        let address = store.put(b"package").unwrap();
        assert_eq!(store.put(b"package").unwrap(), address);
        assert_eq!(store.get(&address).unwrap(), b"package");
        std::fs::write(dir.path().join("artifacts").join(&address), "other").unwrap();
        assert_eq!(store.get(&address).unwrap_err().code, "ALM-R009");
    }

    #[test]
    fn an_address_cannot_lead_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("secret"), "x").unwrap();
        let store = ArtifactFolder(dir.path().join("artifacts"));
        assert_eq!(store.get("../secret").unwrap_err().code, "ALM-R009");
    }
}
