//! Files and folders of a version: `GET items` (facts/git-hosts.md, section 2.3).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::commits;
use super::organisation::{Organisation, segment};
use super::refs::repository_url;
use super::refusal::{Answer, list, not_emulated, not_found, ok};
use super::repositories::Repository;
use crate::git::{BareRepository, Entry, EntryKind, ObjectId};
use crate::transport::{HeaderValue, Response, StatusCode};

/// `GET items[/{path}]`.
pub(super) fn read(
    organisation: &Organisation<'_>,
    repository: &Repository,
    rest: &[&str],
) -> Answer {
    let bare = repository.open(organisation)?;
    let descriptor = |name: &str| {
        organisation
            .query(&format!("versionDescriptor.{name}"))
            .or_else(|| organisation.query(&format!("versionDescriptor[{name}]")))
            .or_else(|| organisation.query(name))
    };
    let commit = commits::version(&bare, descriptor("version"), descriptor("versionType"))?;
    let joined = rest.join("/");
    let scope = organisation.query("scopePath");
    let path = organisation
        .query("path")
        .or(scope)
        .unwrap_or(&joined)
        .trim_matches('/')
        .to_owned();
    let Some(entry) = bare.entry(commit, &path)? else {
        let message = format!(
            "TF401174: The item '/{path}' could not be found in the repository '{}' at the \
             version specified by '<Commit: {commit} >'.",
            repository.name
        );
        return Err(not_found("GitItemNotFoundException", &message));
    };
    let reader = Reader {
        organisation,
        repository,
        bare: &bare,
        commit,
    };
    if scope.is_some() || entry.kind == EntryKind::Folder {
        return reader.folder(&entry);
    }
    if wants_bytes(organisation)? {
        let mut response = Response::new(StatusCode::OK);
        response.body = bare.blob(entry.id)?;
        let kind = HeaderValue::from_static("application/octet-stream");
        response.headers.insert("content-type", kind);
        return Ok(response);
    }
    ok(&reader.wire(&entry, organisation.query("includeContent") == Some("true"))?)
}

struct Reader<'a> {
    organisation: &'a Organisation<'a>,
    repository: &'a Repository,
    bare: &'a BareRepository,
    commit: ObjectId,
}

impl Reader<'_> {
    fn folder(&self, entry: &Entry) -> Answer {
        let level = self.organisation.query("recursionLevel").unwrap_or("none");
        let mut values = vec![self.wire(entry, false)?];
        if entry.kind == EntryKind::Folder {
            match level.to_ascii_lowercase().as_str() {
                "none" | "0" => {}
                "onelevel" | "1" | "onelevelplusnestedemptyfolders" | "4" => {
                    for child in self.bare.list(self.commit, &entry.path)? {
                        values.push(self.wire(&child, false)?);
                    }
                }
                _ => self.below(&entry.path, &mut values)?,
            }
        }
        list(values)
    }

    fn below(&self, folder: &str, values: &mut Vec<Value>) -> Answer<()> {
        for child in self.bare.list(self.commit, folder)? {
            values.push(self.wire(&child, false)?);
            if child.kind == EntryKind::Folder {
                self.below(&child.path, values)?;
            }
        }
        Ok(())
    }

    fn wire(&self, entry: &Entry, with_content: bool) -> Answer<Value> {
        let path = format!("/{}", entry.path);
        let folder = entry.kind == EntryKind::Folder;
        let url = repository_url(self.organisation, self.repository, &["items"]);
        let mut value = json!({
            "objectId": entry.id.to_string(),
            "gitObjectType": if folder { "tree" } else { "blob" },
            "commitId": self.commit.to_string(),
            "path": path,
            "url": format!("{url}?path={}&versionType=Commit&version={}", segment(&path), self.commit),
        });
        if folder {
            value["isFolder"] = true.into();
        }
        if with_content {
            let bytes = self.bare.blob(entry.id)?;
            let name = path.rsplit('/').next().unwrap_or_default();
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            let (text, encoding) = match String::from_utf8(bytes) {
                Ok(text) => (text, 65001),
                Err(error) => (BASE64_STANDARD.encode(error.as_bytes()), -1),
            };
            value["content"] = text.into();
            value["contentMetadata"] = json!({
                "fileName": name,
                "extension": extension,
                "encoding": encoding,
                "isBinary": encoding == -1,
            });
        }
        Ok(value)
    }
}

/// Whether the caller asked for the file itself instead of JSON about it.
fn wants_bytes(organisation: &Organisation<'_>) -> Answer<bool> {
    let format = organisation.query("$format").map(str::to_ascii_lowercase);
    let accept = organisation.call.header("accept").unwrap_or_default();
    match format.as_deref() {
        Some("zip") => Err(not_emulated("items as a zip")),
        Some("octetstream" | "text") => Ok(true),
        Some("json") => Ok(false),
        _ => Ok(organisation.query("download") == Some("true")
            || accept.starts_with("application/octet-stream")
            || accept.starts_with("text/plain")),
    }
}
