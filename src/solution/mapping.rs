//! Mapping files (`/map`): files of an unpacked solution whose originals lie elsewhere (facts §13).

use std::path::{Component, Path, PathBuf};

use super::xml::outline::{Element, Outline};
use super::xml::{decode, line_at};
use super::{Finding, Limits, PackageError, SourceTree, names};
use crate::whole_file;

/// The directives of a mapping file; the first that matches a file decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    directives: Vec<Directive>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Directive {
    kind: Kind,
    /// Path or pattern in the folder, with `/`.
    map: String,
    /// Where the originals are, with `/`.
    to: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    FileToFile,
    FileToPath,
}

/// What a mapping did to a tree.
#[derive(Debug, Clone, Default)]
pub struct Mapped {
    /// Files of the tree that a directive has matched and whose original exists.
    pub paths: Vec<String>,
    /// Originals that were looked for and not found, and more.
    pub findings: Vec<Finding>,
}

impl Mapping {
    /// Reads a mapping file. `variable` gives the value of a `%NAME%` in it.
    ///
    /// An unknown directive is ignored with a finding, as by Microsoft's tool.
    ///
    /// # Errors
    ///
    /// [`PackageError::Xml`], [`PackageError::Mapping`].
    pub fn parse(
        file: &str,
        bytes: &[u8],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(Self, Vec<Finding>), PackageError> {
        let text = decode(file, bytes)?;
        let outline = Outline {
            text: &text,
            deepest: Limits::default().xml_depth,
        };
        let located = |fault: super::xml::Fault| fault.in_file(file, &text);
        let refuse = |element: &Element<'_>, reason: String| PackageError::Mapping {
            file: file.to_owned(),
            line: line_at(&text, element.span.start),
            reason,
        };
        let root = outline.root().map_err(located)?;
        if root.name != "Mapping" {
            return Err(refuse(
                &root,
                format!("the root is `<{}>`, not `<Mapping>`", root.name),
            ));
        }
        let (mut directives, mut findings) = (Vec::new(), Vec::new());
        for element in outline.children(root.inner.clone()).map_err(located)? {
            let kind = match element.name {
                "Folder" => Kind::Folder,
                "FileToFile" => Kind::FileToFile,
                "FileToPath" => Kind::FileToPath,
                other => {
                    let message = format!("the directive `{other}` is not known and is ignored");
                    let line = line_at(&text, element.span.start);
                    findings.push(Finding::warning("ALM-P140", file, message).at(line));
                    continue;
                }
            };
            let value = |name: &str| {
                let value = element
                    .attribute(name)
                    .filter(|value| !value.trim().is_empty());
                let value = value.ok_or_else(|| {
                    refuse(&element, format!("`<{}>` has no `{name}`", element.name))
                })?;
                expand(value.trim(), &variable)
                    .map_err(|name| refuse(&element, format!("the variable `%{name}%` is not set")))
            };
            let map = value("map")?
                .replace('\\', "/")
                .trim_matches('/')
                .to_owned();
            let to = value("to")?.replace('\\', "/");
            directives.push(Directive { kind, map, to });
        }
        Ok((Self { directives }, findings))
    }

    /// Puts the originals into a tree that is about to be packed.
    ///
    /// `folder` is where the tree was read from. An original that does not exist is a finding; the
    /// file in the folder, if there is one, is used after all.
    ///
    /// # Errors
    ///
    /// [`PackageError::Io`] if an original exists and cannot be read.
    pub fn apply(&self, tree: &mut SourceTree, folder: &Path) -> Result<Mapped, PackageError> {
        let mut mapped = Mapped::default();
        let mut candidates: Vec<String> = tree.paths().map(str::to_owned).collect();
        // A payload need not lie in the folder at all: its data file says that there is one.
        candidates.extend(
            tree.paths()
                .filter_map(|path| path.strip_suffix(".data.xml").map(str::to_owned)),
        );
        candidates.extend(self.files_of_folders(folder));
        candidates.sort();
        candidates.dedup();
        for path in candidates {
            let Some(target) = self.target(&path, folder) else {
                continue;
            };
            match target.find() {
                Some(original) => {
                    let data = whole_file::read(&original, whole_file::MOST)
                        .map_err(|error| PackageError::io("read", &original, error))?;
                    tree.insert(&*path, data)?;
                    mapped.paths.push(path);
                }
                None => mapped.findings.push(missing(&path, &target)),
            }
        }
        Ok(mapped)
    }

    /// Takes the files out of a tree that is about to be written whose originals lie elsewhere.
    pub fn withhold(&self, tree: &mut SourceTree, folder: &Path) -> Mapped {
        let mut mapped = Mapped::default();
        let paths: Vec<String> = tree.paths().map(str::to_owned).collect();
        for path in paths {
            let Some(target) = self.target(&path, folder) else {
                continue;
            };
            if target.find().is_some() {
                tree.remove(&path);
                mapped.paths.push(path);
            } else {
                mapped.findings.push(missing(&path, &target));
            }
        }
        mapped
    }

    /// Files of mapped folders, under the paths that they have in the tree.
    fn files_of_folders(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for directive in self
            .directives
            .iter()
            .filter(|directive| directive.kind == Kind::Folder)
        {
            let base = resolve(folder, &directive.to);
            let mut open = vec![(base, directive.map.clone())];
            while let Some((dir, path)) = open.pop() {
                let Ok(entries) = std::fs::read_dir(&dir) else {
                    continue;
                };
                for entry in entries.flatten() {
                    let name = entry.file_name();
                    let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
                        continue;
                    };
                    let below = format!("{path}/{name}");
                    match entry.file_type() {
                        Ok(kind) if kind.is_dir() => open.push((entry.path(), below)),
                        Ok(kind) if kind.is_file() => found.push(below),
                        _ => {}
                    }
                }
            }
        }
        found
    }

    /// Where the original of a file should be.
    fn target(&self, path: &str, folder: &Path) -> Option<Target> {
        self.directives
            .iter()
            .find_map(|directive| directive.target(path, folder))
    }
}

fn missing(path: &str, target: &Target) -> Finding {
    let message = format!("the mapped file `{}` does not exist", target.shown());
    Finding::warning("ALM-P141", path, message)
}

/// Where an original should be.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// Folder to look in.
    base: PathBuf,
    /// Path below it.
    rest: String,
    /// Whether sub-folders of `base` are looked through, as `**` says.
    deep: bool,
}

impl Target {
    fn shown(&self) -> String {
        let stars = if self.deep { "**/" } else { "" };
        format!("{}/{stars}{}", self.base.display(), self.rest)
    }

    fn find(&self) -> Option<PathBuf> {
        let direct = join(&self.base, &self.rest);
        if direct.is_file() {
            return Some(direct);
        }
        if !self.deep {
            return None;
        }
        let mut folders = vec![self.base.clone()];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).ok()?.flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    let candidate = join(&entry.path(), &self.rest);
                    if candidate.is_file() {
                        found.push(candidate);
                    }
                    folders.push(entry.path());
                }
            }
        }
        // The same one on every machine, whatever the order of the listing.
        found.into_iter().min()
    }
}

impl Directive {
    fn target(&self, path: &str, folder: &Path) -> Option<Target> {
        match self.kind {
            Kind::Folder => {
                let rest = strip_folder(path, &self.map)?;
                Some(Target {
                    base: resolve(folder, &self.to),
                    rest: rest.to_owned(),
                    deep: false,
                })
            }
            Kind::FileToFile => matches(&self.map, path).then(|| {
                let (base, file) = self.to.rsplit_once('/').unwrap_or(("", &self.to));
                deep_target(folder, base, file)
            }),
            Kind::FileToPath => matches(&self.map, path).then(|| {
                let file = path.rsplit('/').next().unwrap_or(path);
                deep_target(folder, &self.to, file)
            }),
        }
    }
}

fn deep_target(folder: &Path, base: &str, file: &str) -> Target {
    let (base, deep) = match base.trim_end_matches('/').strip_suffix("**") {
        Some(above) => (above, true),
        None => (base, false),
    };
    Target {
        base: resolve(folder, base),
        rest: file.to_owned(),
        deep,
    }
}

/// The rest of a path below a folder, ignoring case.
fn strip_folder<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let depth = folder.split('/').count();
    let (at, _) = path.match_indices('/').nth(depth - 1)?;
    (names::fold(&path[..at]) == names::fold(folder)).then(|| &path[at + 1..])
}

/// Whether a pattern matches a path: `*.ext` and `*.*` in the file name, `**` as any folders. A
/// pattern without a folder matches in every folder.
fn matches(pattern: &str, path: &str) -> bool {
    let pattern = names::fold(pattern);
    let path = names::fold(path);
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    match pattern.as_slice() {
        [file] => path.last().is_some_and(|name| matches_name(file, name)),
        segments => matches_segments(segments, &path),
    }
}

/// In one pass over the pattern, since trying every place for every `**` would take for ever.
fn matches_segments(pattern: &[&str], path: &[&str]) -> bool {
    // Where in the path the pattern read so far can end.
    let mut ends = vec![false; path.len() + 1];
    ends[0] = true;
    for segment in pattern {
        if *segment == "**" {
            let mut before = false;
            for end in &mut ends {
                before |= *end;
                *end = before;
            }
        } else {
            for at in (0..path.len()).rev() {
                ends[at + 1] = ends[at] && matches_name(segment, path[at]);
            }
            ends[0] = false;
        }
    }
    ends[path.len()]
}

/// `*.*` is every file, as on Windows; one `*` stands for any characters.
fn matches_name(pattern: &str, name: &str) -> bool {
    if pattern == "*.*" || pattern == "*" {
        return true;
    }
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

/// A path from a mapping file, relative to the folder of the solution; `..` is taken out, so that
/// messages are readable.
fn resolve(folder: &Path, to: &str) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in join(folder, to).components() {
        match component {
            Component::ParentDir if resolved.file_name().is_some() => {
                resolved.pop();
            }
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

fn join(base: &Path, rest: &str) -> PathBuf {
    rest.split('/').filter(|segment| !segment.is_empty()).fold(
        if rest.starts_with('/') {
            PathBuf::from("/")
        } else {
            base.to_owned()
        },
        |mut path, segment| {
            path.push(segment);
            path
        },
    )
}

/// Replaces `%NAME%`; the error is the name of a variable that is not set.
fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        match after.split_once('%') {
            Some((name, behind)) => {
                out.push_str(&variable(name).ok_or_else(|| name.to_owned())?);
                rest = behind;
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_documented() {
        for (pattern, path) in [
            ("Plugin.dll", "PluginAssemblies/x/plugin.DLL"),
            ("WebResources/*.*", "WebResources/a.js"),
            ("WebResources/**/*.*", "WebResources/a/b/c.js"),
            ("WebResources/**/*.js", "WebResources/c.js"),
            ("*.dll", "PluginAssemblies/x/a.dll"),
            ("PluginAssemblies/**/A.dll", "PluginAssemblies/x/a.dll"),
        ] {
            assert!(matches(pattern, path), "{pattern} should match {path}");
        }
        for (pattern, path) in [
            ("WebResources/*.*", "WebResources/a/b.js"),
            ("*.js", "WebResources/a.css"),
            ("Other/a.xml", "Else/Other/a.xml"),
        ] {
            assert!(!matches(pattern, path), "{pattern} should not match {path}");
        }
    }

    #[test]
    fn variables_are_replaced_and_missing_ones_named() {
        let variable = |name: &str| (name == "OUT").then(|| "bin".to_owned());
        assert_eq!(expand("a/%OUT%/b%", variable).unwrap(), "a/bin/b%");
        assert_eq!(expand("%NO%", variable).unwrap_err(), "NO");
    }

    #[test]
    fn originals_replace_files_and_are_not_written() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("solution");
        std::fs::create_dir_all(home.path().join("bin/release")).unwrap();
        std::fs::create_dir_all(home.path().join("web/img")).unwrap();
        std::fs::write(home.path().join("bin/release/Sales.dll"), "built").unwrap();
        std::fs::write(home.path().join("web/img/a.png"), "picture").unwrap();
        let text = br#"<Mapping>
            <FileToFile map="Sales.dll" to="..\bin\**\Sales.dll" />
            <Folder map="WebResources\pub_" to="../web" />
            <FileToPath map="*.gone" to="../nowhere" />
            <Unheard map="a" to="b" />
        </Mapping>"#;
        let (mapping, findings) = Mapping::parse("map.xml", text, |_| None).unwrap();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, Some(5));
        let mut tree = SourceTree::new();
        for path in [
            "PluginAssemblies/x/Sales.dll.data.xml",
            "WebResources/pub_/img/a.png",
            "a/b.gone",
        ] {
            tree.insert(path, b"folder".to_vec()).unwrap();
        }
        let mapped = mapping.apply(&mut tree, &folder).unwrap();
        assert_eq!(
            tree.get("PluginAssemblies/x/Sales.dll"),
            Some(&b"built"[..])
        );
        assert_eq!(
            tree.get("WebResources/pub_/img/a.png"),
            Some(&b"picture"[..])
        );
        assert_eq!(tree.get("a/b.gone"), Some(&b"folder"[..]));
        assert_eq!(mapped.findings.len(), 1);
        let withheld = mapping.withhold(&mut tree, &folder);
        assert_eq!(
            withheld.paths,
            [
                "PluginAssemblies/x/Sales.dll",
                "WebResources/pub_/img/a.png"
            ]
        );
        assert!(tree.get("a/b.gone").is_some());
    }

    #[test]
    fn a_broken_mapping_file_is_refused_with_its_line() {
        let refused = Mapping::parse("m", b"<Mapping>\n<Folder map='a'/>\n</Mapping>", |_| None);
        assert!(
            matches!(refused, Err(PackageError::Mapping { line: 2, .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn many_stars_take_no_longer_than_few() {
        let path = "a/".repeat(60) + "b";
        assert!(matches(&("**/a/".repeat(30) + "b"), &path));
        assert!(!matches(&("**/a/".repeat(30) + "c"), &path));
        assert!(matches("a/**/b", "a/b") && matches("**/b", "b"));
        assert!(!matches("a/**/b", "b") && !matches("a/*/b", "a/b"));
    }
}
