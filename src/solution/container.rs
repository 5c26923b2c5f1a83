//! The zip container of a package: parts in their order, read with limits, written repeatably.
//!
//! The only module that knows the `zip` crate. It knows nothing of what the parts mean.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use bytes::Bytes;
use rayon::prelude::*;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::limits::{self, Limits, NestedBudget};
use super::names;
use super::{Manifest, PackageError, SolutionVersion};
use crate::portable_path::DotNames;

/// Name of the part with the solution's manifest.
pub const SOLUTION_XML: &str = "solution.xml";
/// Name of the part with all components.
pub const CUSTOMIZATIONS_XML: &str = "customizations.xml";
/// Name of the part that declares the type of all others.
pub const CONTENT_TYPES_XML: &str = "[Content_Types].xml";

/// One entry of a package: a name with `/` separators, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Name, for example `Workflows/Send-1B….json`.
    pub name: String,
    /// Uncompressed content; cloning shares it.
    pub data: Bytes,
}

/// A solution package in memory: its parts in the order of the archive.
///
/// Names are unique ignoring case, relative, and possible on every file system. Whether the parts
/// make up a sensible solution is not known here.
#[derive(Debug, Clone, Default)]
pub struct Package {
    parts: Vec<Part>,
    /// Folded name to index in `parts`.
    index: HashMap<String, usize>,
}

impl PartialEq for Package {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Package {}

impl Package {
    /// A package without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads an archive with the default [`Limits`].
    ///
    /// Directory entries and `\` separators, which people make by re-zipping, are tolerated.
    ///
    /// # Errors
    ///
    /// Refuses everything that is no plain, complete archive of harmless names: see
    /// [`PackageError`].
    pub fn from_zip(archive: &[u8]) -> Result<Self, PackageError> {
        Self::from_zip_within(archive, &Limits::default())
    }

    /// Reads an archive with limits of your own.
    ///
    /// # Errors
    ///
    /// As [`Package::from_zip`].
    pub fn from_zip_within(archive: &[u8], limits: &Limits) -> Result<Self, PackageError> {
        Self::read(archive, limits, |_| Ok(()))
    }

    /// Reads an archive that lies in another one, out of what is left of the operation's budget.
    ///
    /// # Errors
    ///
    /// As [`Package::from_zip`].
    pub(crate) fn from_nested_zip(
        archive: &[u8],
        budget: &NestedBudget,
    ) -> Result<Self, PackageError> {
        let limits = budget.limits();
        Self::read(archive, &limits, |total| {
            if budget.take(total) {
                return Ok(());
            }
            // Another thread was faster.
            Err(PackageError::Limit {
                subject: "the archive".to_owned(),
                limit: limits::PARTS,
                found: total,
                allowed: budget.limits().total_bytes,
            })
        })
    }

    fn read(
        archive: &[u8],
        limits: &Limits,
        claim: impl FnOnce(u64) -> Result<(), PackageError>,
    ) -> Result<Self, PackageError> {
        let mut zip = ZipArchive::new(Cursor::new(archive)).map_err(unreadable)?;
        if zip.offset() > 0 {
            return Err(PackageError::NotAnArchive {
                reason: format!(
                    "{} bytes stand before the archive, as when two files were joined",
                    zip.offset()
                ),
            });
        }
        if zip.has_duplicate_names() {
            return Err(duplicate_entry(archive, zip.central_directory_start()));
        }
        let wanted = list(&mut zip, limits)?;
        claim(wanted.iter().map(|entry| entry.size).sum())?;
        let parts = wanted
            .into_par_iter()
            .map_init(|| zip.clone(), inflate)
            .collect::<Result<Vec<_>, _>>()?;
        Self::from_parts(parts)
    }

    /// A package from parts in the order given.
    ///
    /// # Errors
    ///
    /// [`PackageError::UnsafeName`] and [`PackageError::Collision`].
    pub fn from_parts(parts: Vec<Part>) -> Result<Self, PackageError> {
        let mut index = HashMap::with_capacity(parts.len());
        for (position, part) in parts.iter().enumerate() {
            check_name(&part.name)?;
            if let Some(first) = index.insert(names::fold(&part.name), position) {
                return Err(PackageError::Collision {
                    first: parts[first].name.clone(),
                    second: part.name.clone(),
                });
            }
        }
        Ok(Self { parts, index })
    }

    /// Writes the archive: all parts deflated in their order, every stamp fixed.
    ///
    /// The same parts give the same bytes on every machine and at every thread count.
    ///
    /// # Errors
    ///
    /// Only if a part is larger than the format allows.
    pub fn to_zip(&self) -> Result<Vec<u8>, PackageError> {
        let entries: Vec<_> = self
            .parts
            .iter()
            .map(|part| (entry_name(&part.name), &part.data[..]))
            .collect();
        super::archive::write(&entries)
    }

    /// The parts in their order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The content of a part; its name is looked up ignoring case.
    pub fn part(&self, name: &str) -> Option<&[u8]> {
        self.find(name).map(|part| &part.data[..])
    }

    /// The content of a part to be shared; its name is looked up ignoring case.
    pub fn shared_part(&self, name: &str) -> Option<Bytes> {
        self.find(name).map(|part| part.data.clone())
    }

    /// A part by its name, ignoring case.
    pub fn find(&self, name: &str) -> Option<&Part> {
        self.index
            .get(&names::fold(name))
            .map(|index| &self.parts[*index])
    }

    /// Replaces the content of a part where it stands, or adds the part at the end.
    ///
    /// # Errors
    ///
    /// [`PackageError::UnsafeName`].
    pub fn set_part(
        &mut self,
        name: impl Into<String>,
        data: impl Into<Bytes>,
    ) -> Result<(), PackageError> {
        let name = name.into();
        check_name(&name)?;
        match self.index.get(&names::fold(&name)) {
            Some(index) => self.parts[*index].data = data.into(),
            None => {
                self.index.insert(names::fold(&name), self.parts.len());
                self.parts.push(Part {
                    name,
                    data: data.into(),
                });
            }
        }
        Ok(())
    }

    /// Takes a part out and returns it; nothing happens if there is none of that name.
    pub fn remove_part(&mut self, name: &str) -> Option<Part> {
        let position = self.index.remove(&names::fold(name))?;
        let part = self.parts.remove(position);
        for index in self.index.values_mut().filter(|index| **index > position) {
            *index -= 1;
        }
        Some(part)
    }

    /// Declares the types of all parts as SolutionPackager does (facts §2.3), replacing
    /// `[Content_Types].xml` or adding it at the end.
    pub fn declare_content_types(&mut self) {
        let declaration = super::content_types::declare(self.parts.iter().map(|part| &*part.name));
        self.set_part(CONTENT_TYPES_XML, declaration)
            .expect("the name is a constant that is safe");
    }

    /// Declares the type of one part in `[Content_Types].xml`; every other byte of it stays.
    ///
    /// # Errors
    ///
    /// [`PackageError::UnsafeName`].
    pub(crate) fn declare_part(&mut self, name: &str) -> Result<(), PackageError> {
        let Some(part) = self.find(CONTENT_TYPES_XML) else {
            self.declare_content_types();
            return Ok(());
        };
        match super::content_types::with_part(&part.data, name) {
            Some(data) => self.set_part(CONTENT_TYPES_XML, data),
            None => Ok(()),
        }
    }

    /// Who the solution is: name, version, publisher, root components.
    ///
    /// # Errors
    ///
    /// [`PackageError::MissingPart`], [`PackageError::Xml`], [`PackageError::Manifest`].
    pub fn manifest(&self) -> Result<Manifest, PackageError> {
        let part = self.required(SOLUTION_XML)?;
        Manifest::parse(&part.name, &part.data)
    }

    /// Sets the solution's version; every other byte stays.
    ///
    /// # Errors
    ///
    /// As [`Package::manifest`].
    pub fn set_version(&mut self, version: SolutionVersion) -> Result<(), PackageError> {
        let part = self.required(SOLUTION_XML)?;
        let name = part.name.clone();
        let data = super::manifest::replace_version(&name, &part.data, version)?;
        self.set_part(name, data)
    }

    /// A part that every package needs.
    ///
    /// # Errors
    ///
    /// [`PackageError::MissingPart`].
    pub fn required(&self, name: &str) -> Result<&Part, PackageError> {
        self.find(name).ok_or_else(|| PackageError::MissingPart {
            name: name.to_owned(),
        })
    }
}

/// A part's name may begin with a dot: unpacking gives its file another.
fn check_name(name: &str) -> Result<(), PackageError> {
    names::check(name, DotNames::Allowed)
}

fn entry_name(part: &str) -> String {
    if part == CONTENT_TYPES_XML {
        part.to_owned()
    } else {
        names::entry_name_of_part(part).into_owned()
    }
}

/// One entry that is to be inflated.
struct Wanted {
    position: usize,
    name: String,
    size: u64,
}

/// Checks every entry of the directory before a single byte is inflated.
fn list(zip: &mut ZipArchive<Cursor<&[u8]>>, limits: &Limits) -> Result<Vec<Wanted>, PackageError> {
    let whole = |limit, found, allowed| PackageError::Limit {
        subject: "the archive".to_owned(),
        limit,
        found,
        allowed,
    };
    let count = zip.len() as u64;
    if count > limits.entries {
        return Err(whole(limits::ENTRIES, count, limits.entries));
    }
    if zip.has_overlapping_entries().map_err(unreadable)? {
        return Err(PackageError::NotAnArchive {
            reason: "two entries share the same bytes, as in a zip bomb".to_owned(),
        });
    }
    let mut wanted = Vec::with_capacity(zip.len());
    let mut total = 0u64;
    for position in 0..zip.len() {
        let entry = zip.by_index_data(position).map_err(unreadable)?;
        // Names without the UTF-8 flag are usually UTF-8 (or plain ASCII) all the same.
        let stored = match std::str::from_utf8(entry.name_raw()) {
            Ok(name) => name.to_owned(),
            Err(_) => entry.name().map_err(unreadable)?.into_owned(),
        };
        let name = names::part_name_of_entry(&stored).into_owned();
        if entry.is_symlink() {
            return Err(PackageError::Link { path: stored });
        }
        if entry.is_dir() || name.ends_with('/') {
            if entry.size() > 0 {
                return Err(PackageError::Damaged {
                    entry: stored,
                    reason: "a folder cannot have content".to_owned(),
                });
            }
            continue;
        }
        if entry.encrypted() {
            return Err(PackageError::Encrypted { entry: stored });
        }
        check_name(&name).map_err(|error| match error {
            PackageError::UnsafeName { reason, .. } => PackageError::UnsafeName {
                entry: stored.clone(),
                reason,
            },
            other => other,
        })?;
        if !matches!(
            entry.compression(),
            CompressionMethod::Stored | CompressionMethod::Deflated
        ) {
            return Err(PackageError::Damaged {
                entry: stored,
                reason: format!(
                    "it is compressed by {}, not by deflate",
                    entry.compression()
                ),
            });
        }
        check_size(&stored, entry.size(), entry.compressed_size(), limits)?;
        total = total.saturating_add(entry.size());
        if total > limits.total_bytes {
            return Err(whole(limits::PARTS, total, limits.total_bytes));
        }
        wanted.push(Wanted {
            position,
            name,
            size: entry.size(),
        });
    }
    Ok(wanted)
}

fn check_size(entry: &str, size: u64, packed: u64, limits: &Limits) -> Result<(), PackageError> {
    let refuse = |limit, found, allowed| {
        Err(PackageError::Limit {
            subject: entry.to_owned(),
            limit,
            found,
            allowed,
        })
    };
    if size > limits.part_bytes {
        return refuse(limits::PART, size, limits.part_bytes);
    }
    let ratio = size / packed.max(1);
    if size > limits.ratio_from_bytes && ratio > limits.ratio {
        return refuse(limits::RATIO, ratio, limits.ratio);
    }
    Ok(())
}

/// Inflates one entry; its checksum and its declared size must fit.
fn inflate(zip: &mut ZipArchive<Cursor<&[u8]>>, wanted: Wanted) -> Result<Part, PackageError> {
    let Wanted {
        position,
        name,
        size,
    } = wanted;
    let file = zip
        .by_index(position)
        .map_err(|error| damaged(&name, &error))?;
    // The declared size has passed the limits, and one byte more than it is never taken.
    let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(size + 1)
        .read_to_end(&mut data)
        .map_err(|error| PackageError::Damaged {
            entry: name.clone(),
            reason: error.to_string(),
        })?;
    if data.len() as u64 != size {
        return Err(PackageError::Damaged {
            entry: name,
            reason: format!("it should have {size} bytes and has another number"),
        });
    }
    Ok(Part {
        name,
        data: data.into(),
    })
}

fn unreadable(error: ZipError) -> PackageError {
    PackageError::NotAnArchive {
        reason: error.to_string(),
    }
}

fn damaged(entry: &str, error: &ZipError) -> PackageError {
    PackageError::Damaged {
        entry: entry.to_owned(),
        reason: error.to_string(),
    }
}

/// Names the entry that occurs twice; the reader of the directory only says that there is one.
fn duplicate_entry(archive: &[u8], directory: u64) -> PackageError {
    let mut seen = std::collections::HashSet::new();
    let mut rest = usize::try_from(directory)
        .ok()
        .and_then(|start| archive.get(start..));
    while let Some(header) = rest.filter(|rest| rest.starts_with(b"PK\x01\x02")) {
        let length = |at: usize| {
            header
                .get(at..at + 2)
                .map_or(0, |two| usize::from(u16::from_le_bytes([two[0], two[1]])))
        };
        let (name, extra, comment) = (length(28), length(30), length(32));
        let Some(raw) = header.get(46..46 + name) else {
            break;
        };
        let text = String::from_utf8_lossy(raw).into_owned();
        if !seen.insert(raw) {
            return PackageError::Collision {
                first: text.clone(),
                second: text,
            };
        }
        rest = header.get(46 + name + extra + comment..);
    }
    PackageError::NotAnArchive {
        reason: "an entry occurs twice".to_owned(),
    }
}
