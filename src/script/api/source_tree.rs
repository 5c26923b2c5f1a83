//! An unpacked solution as scripts hold it.

use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::HostError;
use crate::script::Context;
use crate::script::kept::Keep;
use crate::solution;

/// A source tree in a script: cheap to clone, never changed; verbs give a new one. As a step's
/// result it is kept as one artifact.
#[derive(Debug, Clone)]
pub struct SourceTree(Arc<solution::SourceTree>);

impl SourceTree {
    /// Hands a tree to scripts.
    pub fn new(tree: solution::SourceTree) -> Self {
        Self(Arc::new(tree))
    }

    /// The SHA-256 over all paths and contents, in lower-case hexadecimal digits.
    pub fn hash(&self) -> String {
        format!("{:x}", Sha256::digest(self.encode()))
    }

    /// Each file as the length of its path, the path, the length of its content, the content;
    /// lengths are eight bytes, the lowest first.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (path, data) in self.0.iter() {
            for part in [path.as_bytes(), data] {
                bytes.extend((part.len() as u64).to_le_bytes());
                bytes.extend(part);
            }
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Option<solution::SourceTree> {
        let mut part = || {
            let (length, rest) = bytes.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (part, rest) = rest.split_at_checked(length)?;
            bytes = rest;
            Some((part, rest.is_empty()))
        };
        let mut tree = solution::SourceTree::new();
        loop {
            let (path, _) = part()?;
            let (data, last) = part()?;
            tree.insert(std::str::from_utf8(path).ok()?, data.to_vec())
                .ok()?;
            if last {
                return Some(tree);
            }
        }
    }
}

impl Deref for SourceTree {
    type Target = solution::SourceTree;

    fn deref(&self) -> &solution::SourceTree {
        &self.0
    }
}

impl Keep for SourceTree {
    const KIND: &'static str = "source-tree";

    fn keep(&self, context: &Context) -> Result<Value, HostError> {
        Ok(context.artifacts().put(&self.encode())?.into())
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        let bytes = context.artifacts().get(kept.as_str().unwrap_or_default())?;
        let tree = if bytes.is_empty() {
            Some(solution::SourceTree::new())
        } else {
            Self::decode(&bytes)
        };
        tree.map(Self::new).ok_or_else(|| {
            HostError::new(
                "ALM-S015",
                "the journal holds a source tree that cannot be read back",
            )
            .with_hint("start the run anew instead of resuming it")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_comes_back_with_every_byte() {
        let mut tree = solution::SourceTree::new();
        tree.insert("Other/Solution.xml", b"<x/>\r\n\0\xff".to_vec())
            .unwrap();
        tree.insert("Ä b/empty", Vec::new()).unwrap();
        let tree = SourceTree::new(tree);
        assert_eq!(SourceTree::decode(&tree.encode()).as_ref(), Some(&*tree));
        assert!(SourceTree::decode(&tree.encode()[..20]).is_none());
    }
}
