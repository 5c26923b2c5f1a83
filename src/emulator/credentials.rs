//! What callers from outside of the process prove themselves with: the password that the people of
//! a tenant share, and the key that signs the tokens which the tenant hands out.
//!
//! Inside the process nothing is proved: whoever can open the tenant's folder can change
//! everything in it. Over a socket the folder's rights do not protect, so these do.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::store::{StoreError, Transaction};
use crate::transport::Secret;

const SCOPE: &str = "tenant";
const KIND: &str = "credentials";
const ID: &str = "served";

/// The key and the password's hash of one tenant.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// The key in base64.
    key: String,
    /// The keyed hash of the password in base64; without one nobody signs in with a password.
    #[serde(default)]
    password: Option<String>,
}

impl Credentials {
    /// Those of the tenant; a new key is made when there is none yet.
    ///
    /// # Errors
    /// Those of the store; so for [`Credentials::keep_password`].
    pub fn of(tx: &Transaction<'_>) -> Result<Self, StoreError> {
        if let Some(stored) = tx.get(SCOPE, KIND, ID)? {
            return Ok(serde_json::from_value(stored)?);
        }
        let new = Self {
            key: random(),
            password: None,
        };
        tx.put(SCOPE, KIND, ID, &serde_json::to_value(&new)?)?;
        Ok(new)
    }

    /// Makes `password` the one that all people of the tenant sign in with over a socket.
    pub fn keep_password(tx: &Transaction<'_>, password: &Secret) -> Result<(), StoreError> {
        let mut changed = Self::of(tx)?;
        changed.password = Some(BASE64_STANDARD.encode(changed.sign(password.expose().as_bytes())));
        tx.put(SCOPE, KIND, ID, &serde_json::to_value(&changed)?)
    }

    /// Whether `text` is the password. Takes the same time for every wrong one.
    pub fn is_password(&self, text: &str) -> bool {
        let kept = self.password.as_deref().unwrap_or_default();
        let kept = BASE64_STANDARD.decode(kept).unwrap_or_default();
        self.verify(text.as_bytes(), &kept)
    }

    /// The signature of `message` (HMAC with SHA-256, the `HS256` of JSON Web Tokens).
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mac = self.mac(message).map(|mac| mac.finalize().into_bytes());
        mac.map(|bytes| bytes.to_vec()).unwrap_or_default()
    }

    /// Whether `signature` is that of `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let mac = self.mac(message);
        mac.is_some_and(|mac| mac.verify_slice(signature).is_ok())
    }

    /// `None` only for a damaged key: then nothing is signed and nothing verified.
    fn mac(&self, message: &[u8]) -> Option<Hmac<Sha256>> {
        let key = BASE64_STANDARD.decode(&self.key).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(message);
        Some(mac)
    }
}

/// A secret as it is kept where it only has to be recognised, or is never read again: an
/// application's, a personal access token, a secret variable.
pub fn one_way(secret: &str) -> String {
    format!("sha256:{:x}", Sha256::digest(secret.as_bytes()))
}

/// A new password that nobody guesses: 122 random bits.
pub fn new_password() -> Secret {
    Secret::new(Uuid::new_v4().simple().to_string())
}

/// 244 random bits in base64.
fn random() -> String {
    let halves = [Uuid::new_v4(), Uuid::new_v4()];
    BASE64_STANDARD.encode(halves.map(Uuid::into_bytes).concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_key_or_a_missing_password_opens_nothing() {
        let damaged = Credentials {
            key: "not base64!".into(),
            password: Some(String::new()),
        };
        assert!(!damaged.is_password(""));
        assert!(!damaged.verify(b"a", &damaged.sign(b"a")));
        let without = Credentials {
            key: random(),
            password: None,
        };
        assert!(!without.is_password(""));
        assert!(without.verify(b"a", &without.sign(b"a")));
        assert!(!without.verify(b"b", &without.sign(b"a")));
    }
}
