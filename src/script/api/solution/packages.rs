//! Packages and source trees: read, pack, unpack, save.

use rhai::plugin::{Dynamic, ImmutableString, NativeCallContext, export_module};
use rhai::{Array, Map};
use serde::Deserialize;

use super::super::HostError;
use super::super::error::{Scripted, Thrown};
use super::super::options::options;
use super::super::paths::{readable, writable};
use super::map_of;
use crate::script::Context;
use crate::script::sink::Message;
use crate::solution::{
    self, Finding, Kind, LineEnds, Manifest, PackOptions, PackageError, Severity, SolutionVersion,
    UnpackOptions, VersionPart, WriteOptions,
};
use crate::whole_file;

/// Solution packages and their source.
///
/// A `Package` is a solution's zip, a `SourceTree` is the same solution unpacked into readable
/// files, a `Component` is one table, flow or other thing in either. All are values: a verb such as
/// `with_version` gives a new one, and what sets something (`pkg.version = "1.2.0.0"`,
/// `pkg.bump("minor")`) changes the variable that it is called on and no copy of it.
#[export_module]
pub(super) mod module {
    /// A solution package: the zip that environments import and export.
    pub type Package = crate::script::api::package::Package;
    /// An unpacked solution: files by path.
    pub type SourceTree = crate::script::api::source_tree::SourceTree;

    /// Reads a package from a zip in the workspace.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso.zip");
    /// pkg.name != ""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn read(call: NativeCallContext<'_>, path: &str) -> Scripted<Package> {
        let context = Context::of(&call).thrown()?;
        let full = readable(context.root(), path).thrown()?;
        let bytes = whole_file::read(&full, whole_file::MOST)
            .map_err(|error| no_file(path, &error))
            .thrown()?;
        Ok(Package::new(solution::Package::from_zip(&bytes).thrown()?))
    }

    /// Reads an unpacked solution from a folder of the workspace. The folder is the one with
    /// `Other/Solution.xml`, or one above it in a layout that is known, such as
    /// `SolutionPackage/src`.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// tree.name == solution::read("contoso.zip").name
    /// ```
    #[rhai_fn(return_raw)]
    pub fn read_source(call: NativeCallContext<'_>, folder: &str) -> Scripted<SourceTree> {
        let context = Context::of(&call).thrown()?;
        let full = readable(context.root(), folder).thrown()?;
        let source = solution::locate_source(&full).thrown()?;
        tell(&context, &solution::repair(&source).thrown()?);
        Ok(SourceTree::new(
            solution::SourceTree::from_dir(&source).thrown()?,
        ))
    }

    /// Packs a source tree. What is suspicious is told as a warning.
    ///
    /// ```rhai
    /// let pkg = solution::pack(solution::read_source("Contoso"));
    /// !pkg.managed
    /// ```
    #[rhai_fn(name = "pack", return_raw)]
    pub fn pack_plain(call: NativeCallContext<'_>, tree: SourceTree) -> Scripted<Package> {
        pack_with(&call, &tree, Map::new())
    }

    /// Packs a source tree with options: `kind` (`"managed"` or `"unmanaged"`; left out: what the
    /// tree is), `version` (left out: the tree's).
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// solution::pack(tree, #{ version: "9.8.7.6" }).version == "9.8.7.6"
    /// ```
    #[rhai_fn(name = "pack", return_raw)]
    pub fn pack_options(
        call: NativeCallContext<'_>,
        tree: SourceTree,
        options: Map,
    ) -> Scripted<Package> {
        pack_with(&call, &tree, options)
    }

    /// Unpacks the unmanaged and the managed package of one solution into one source tree, as the
    /// ALM Accelerator keeps it in git.
    ///
    /// ```rhai
    /// let unmanaged = solution::read("contoso.zip");
    /// let managed = solution::read("contoso_managed.zip");
    /// let tree = solution::unpack_both(unmanaged, managed);
    /// solution::pack(tree, #{ kind: "managed" }).managed
    /// ```
    #[rhai_fn(return_raw)]
    pub fn unpack_both(
        call: NativeCallContext<'_>,
        unmanaged: Package,
        managed: Package,
    ) -> Scripted<SourceTree> {
        let context = Context::of(&call).thrown()?;
        let options = UnpackOptions::default();
        let unpacked = solution::unpack_both(&unmanaged, &managed, &options).thrown()?;
        tell(&context, &unpacked.findings);
        Ok(SourceTree::new(unpacked.tree))
    }

    /// The next version: `part` is `major`, `minor`, `build` or `revision`, which is raised by one;
    /// what stands behind it becomes zero.
    ///
    /// ```rhai
    /// solution::next_version("1.4.2.7", "minor") == "1.5.0.0"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn next_version(
        call: NativeCallContext<'_>,
        version: &str,
        part: &str,
    ) -> Scripted<ImmutableString> {
        Context::of(&call).thrown()?;
        let part = version_part(part).thrown()?;
        let version: SolutionVersion = version.parse().thrown()?;
        Ok(version.bump(part).to_string().into())
    }

    /// The version of a build on a day: major and minor stay, the build is the day (`20260131` or
    /// `2026-01-31`), the revision the number of the build.
    ///
    /// ```rhai
    /// solution::dated_version("1.4.2.7", "20260131", 3) == "1.4.20260131.3"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn dated_version(
        call: NativeCallContext<'_>,
        version: &str,
        date: &str,
        number: i64,
    ) -> Scripted<ImmutableString> {
        Context::of(&call).thrown()?;
        let version: SolutionVersion = version.parse().thrown()?;
        let number = u32::try_from(number)
            .map_err(|_| HostError::new("ALM-S021", format!("`{number}` is no number of a build")));
        let dated = version.dated(date, Some(number.thrown()?)).thrown()?;
        Ok(dated.to_string().into())
    }

    /// The version that a git tag names: `v1.2.3`, `release/1.2.3.4`. What stands behind the
    /// numbers (`-rc.1`) is left out.
    ///
    /// ```rhai
    /// solution::tag_version("v1.2.3") == "1.2.3.0"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn tag_version(call: NativeCallContext<'_>, tag: &str) -> Scripted<ImmutableString> {
        Context::of(&call).thrown()?;
        Ok(SolutionVersion::from_tag(tag).thrown()?.to_string().into())
    }

    /// Whether the first version is older than the second, number by number.
    ///
    /// ```rhai
    /// solution::is_older("1.9.0.0", "1.10.0.0")
    /// ```
    #[rhai_fn(return_raw)]
    pub fn is_older(call: NativeCallContext<'_>, version: &str, other: &str) -> Scripted<bool> {
        Context::of(&call).thrown()?;
        let version: SolutionVersion = version.parse().thrown()?;
        let other: SolutionVersion = other.parse().thrown()?;
        Ok(version < other)
    }

    /// The unique name of the solution.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").name != ""
    /// ```
    #[rhai_fn(global, get = "name", pure, return_raw)]
    pub fn package_name(package: &mut Package) -> Scripted<ImmutableString> {
        Ok(package.manifest().thrown()?.unique_name.into())
    }

    /// The version of the solution, four numbers.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").version.split(".").len() == 4
    /// ```
    #[rhai_fn(global, get = "version", pure, return_raw)]
    pub fn package_version(package: &mut Package) -> Scripted<ImmutableString> {
        Ok(package.manifest().thrown()?.version.to_string().into())
    }

    /// Sets the version of the solution; every other byte stays.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso.zip");
    /// pkg.version = "2.0.0.0";
    /// pkg.version == "2.0.0.0" && solution::read("contoso.zip").version != "2.0.0.0"
    /// ```
    #[rhai_fn(global, set = "version", return_raw)]
    pub fn set_package_version(package: &mut Package, version: &str) -> Scripted<()> {
        let version: SolutionVersion = version.parse().thrown()?;
        let mut changed = solution::Package::clone(package);
        changed.set_version(version).thrown()?;
        *package = Package::new(changed);
        Ok(())
    }

    /// Raises one number of the version by one (`major`, `minor`, `build`, `revision`); those
    /// behind it become zero. Returns the new version.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso.zip").with_version("1.4.2.7");
    /// pkg.bump("minor") == "1.5.0.0" && pkg.version == "1.5.0.0"
    /// ```
    #[rhai_fn(global, name = "bump", return_raw)]
    pub fn bump_package(package: &mut Package, part: &str) -> Scripted<ImmutableString> {
        let version = package.manifest().thrown()?.version;
        let version = version.bump(version_part(part).thrown()?);
        let mut changed = solution::Package::clone(package);
        changed.set_version(version).thrown()?;
        *package = Package::new(changed);
        Ok(version.to_string().into())
    }

    /// Whether the package is managed.
    ///
    /// ```rhai
    /// solution::read("contoso_managed.zip").managed
    /// ```
    #[rhai_fn(global, get = "managed", pure, return_raw)]
    pub fn package_managed(package: &mut Package) -> Scripted<bool> {
        Ok(package.manifest().thrown()?.managed)
    }

    /// What people see: display name, publisher and more, as a map.
    ///
    /// ```rhai
    /// let facts = solution::read("contoso.zip").manifest();
    /// facts.unique_name == solution::read("contoso.zip").name && facts.publisher.prefix != ""
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn manifest(package: &mut Package) -> Scripted<Map> {
        let manifest: Manifest = package.manifest().thrown()?;
        map_of(&manifest).thrown()
    }

    /// The SHA-256 of the zip, in hexadecimal digits.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").hash.len() == 64
    /// ```
    #[rhai_fn(global, get = "hash", pure, return_raw)]
    pub fn package_hash(package: &mut Package) -> Scripted<ImmutableString> {
        use sha2::{Digest, Sha256};
        Ok(format!("{:x}", Sha256::digest(package.zip().thrown()?)).into())
    }

    /// The package as text: its name, version and kind.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso_managed.zip");
    /// `${pkg}` == `${pkg.name} ${pkg.version} (managed)`
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn package_text(package: &mut Package) -> String {
        package.manifest().map_or_else(
            |error| error.to_string(),
            |manifest| {
                let kind = if manifest.managed {
                    "managed"
                } else {
                    "unmanaged"
                };
                format!("{} {} ({kind})", manifest.unique_name, manifest.version)
            },
        )
    }

    /// The names of all files in the zip.
    ///
    /// ```rhai
    /// "solution.xml" in solution::read("contoso.zip").parts()
    /// ```
    #[rhai_fn(global, pure)]
    pub fn parts(package: &mut Package) -> Array {
        package
            .parts()
            .iter()
            .map(|part| part.name.clone().into())
            .collect()
    }

    /// What the package needs from its target and does not bring: maps with `required` and
    /// `dependent`, each with `component_type` and its attributes.
    ///
    /// ```rhai
    /// type_of(solution::read("contoso.zip").missing_dependencies()) == "array"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn missing_dependencies(package: &mut Package) -> Scripted<Array> {
        let missing = package.manifest().thrown()?.missing_dependencies;
        missing
            .iter()
            .map(|one| Ok(map_of(one).thrown()?.into()))
            .collect()
    }

    /// Looks through the package and returns what is suspicious: maps with `code`, `severity`
    /// (`note`, `warning`, `error`), `message`, `file` and `line`.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").check().filter(|one| one.severity == "error").is_empty()
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn check(package: &mut Package) -> Scripted<Array> {
        let unpacked = solution::unpack(package, &UnpackOptions::default()).thrown()?;
        let mut findings = unpacked.findings;
        let options = PackOptions::default();
        // Packing again runs the checks that an import would fail at.
        match solution::pack(&unpacked.tree, &options) {
            Ok(packed) => findings.extend(packed.findings),
            Err(PackageError::Checks { findings: more }) => findings.extend(more),
            Err(error) => return Err(HostError::from(error).into()),
        }
        let mut seen = Vec::new();
        findings.retain(|finding| {
            let new = !seen.contains(finding);
            seen.push(finding.clone());
            new
        });
        findings
            .iter()
            .map(|finding| Ok(map_of(finding).thrown()?.into()))
            .collect()
    }

    /// Unpacks the package into readable files. What was left out is told as a warning.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").unpack().has("Other/Solution.xml")
    /// ```
    #[rhai_fn(global, name = "unpack", return_raw, pure)]
    pub fn unpack_plain(
        call: NativeCallContext<'_>,
        package: &mut Package,
    ) -> Scripted<SourceTree> {
        unpack_with(&call, package, Map::new())
    }

    /// Unpacks the package with options: `line_ends` (`"crlf"`, as Windows tools, or `"lf"`).
    ///
    /// ```rhai
    /// let tree = solution::read("contoso.zip").unpack(#{ line_ends: "lf" });
    /// !tree.text("Other/Solution.xml").contains("\r\n")
    /// ```
    #[rhai_fn(global, name = "unpack", return_raw, pure)]
    pub fn unpack_options(
        call: NativeCallContext<'_>,
        package: &mut Package,
        options: Map,
    ) -> Scripted<SourceTree> {
        unpack_with(&call, package, options)
    }

    /// The same package with another version.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").with_version("9.0.0.1").version == "9.0.0.1"
    /// ```
    #[rhai_fn(global, name = "with_version", pure, return_raw)]
    pub fn package_with_version(package: &mut Package, version: &str) -> Scripted<Package> {
        let mut changed = solution::Package::clone(package);
        changed
            .set_version(version.parse::<SolutionVersion>().thrown()?)
            .thrown()?;
        Ok(Package::new(changed))
    }

    /// Writes the zip to a file of the workspace.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").save("out/copy.zip");
    /// solution::read("out/copy.zip").version == solution::read("contoso.zip").version
    /// ```
    #[rhai_fn(global, name = "save", pure, return_raw)]
    pub fn save_package(
        call: NativeCallContext<'_>,
        package: &mut Package,
        path: &str,
    ) -> Scripted<()> {
        let context = Context::of(&call).thrown()?;
        let place = writable(context.root(), path).thrown()?;
        let bytes = package.zip().thrown()?;
        whole_file::write_at(&place, &bytes)
            .map_err(|error| no_file(path, &error))
            .thrown()
    }

    /// The unique name of the solution.
    ///
    /// ```rhai
    /// solution::read_source("Contoso").name != ""
    /// ```
    #[rhai_fn(global, get = "name", pure, return_raw)]
    pub fn tree_name(tree: &mut SourceTree) -> Scripted<ImmutableString> {
        Ok(tree.manifest().thrown()?.unique_name.into())
    }

    /// The version of the solution, four numbers.
    ///
    /// ```rhai
    /// solution::read_source("Contoso").version.split(".").len() == 4
    /// ```
    #[rhai_fn(global, get = "version", pure, return_raw)]
    pub fn tree_version(tree: &mut SourceTree) -> Scripted<ImmutableString> {
        Ok(tree.manifest().thrown()?.version.to_string().into())
    }

    /// The paths of all files, sorted. The array is a copy: changing it changes nothing.
    ///
    /// ```rhai
    /// "Other/Solution.xml" in solution::read_source("Contoso").files
    /// ```
    #[rhai_fn(global, get = "files", pure)]
    pub fn tree_files(tree: &mut SourceTree) -> Array {
        tree.paths().map(|path| path.to_owned().into()).collect()
    }

    /// The SHA-256 over all paths and contents, in hexadecimal digits.
    ///
    /// ```rhai
    /// solution::read_source("Contoso").hash.len() == 64
    /// ```
    #[rhai_fn(global, get = "hash", pure)]
    pub fn tree_hash(tree: &mut SourceTree) -> ImmutableString {
        tree.hash().into()
    }

    /// Whether two trees have the same files with the same bytes.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// tree == tree.with_version(tree.version) && tree != tree.without("Other/Solution.xml")
    /// ```
    #[rhai_fn(global, name = "==", pure)]
    pub fn tree_equals(tree: &mut SourceTree, other: SourceTree) -> bool {
        **tree == *other
    }

    /// Whether two trees differ in a file.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// tree != tree.with_text("notes.txt", "new")
    /// ```
    #[rhai_fn(global, name = "!=", pure)]
    pub fn tree_differs(tree: &mut SourceTree, other: SourceTree) -> bool {
        **tree != *other
    }

    /// The tree as text: name, version and how many files.
    ///
    /// ```rhai
    /// `${solution::read_source("Contoso")}`.contains(" files")
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn tree_text(tree: &mut SourceTree) -> String {
        let count = tree.len();
        match tree.manifest() {
            Ok(manifest) => {
                format!(
                    "{} {} ({count} files)",
                    manifest.unique_name, manifest.version
                )
            }
            Err(_) => format!("{count} files"),
        }
    }

    /// Whether the tree has a file.
    ///
    /// ```rhai
    /// !solution::read_source("Contoso").has("no/such/file")
    /// ```
    #[rhai_fn(global, pure)]
    pub fn has(tree: &mut SourceTree, path: &str) -> bool {
        tree.get(path).is_some()
    }

    /// The text of a file, or `()` if there is none.
    ///
    /// ```rhai
    /// solution::read_source("Contoso").text("Other/Solution.xml").contains("<UniqueName>")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn text(tree: &mut SourceTree, path: &str) -> Scripted<Dynamic> {
        let Some(bytes) = tree.get(path) else {
            return Ok(Dynamic::UNIT);
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.trim_start_matches('\u{feff}').to_owned().into()),
            Err(_) => {
                Err(HostError::new("ALM-S051", format!("`{path}` is not a text file")).into())
            }
        }
    }

    /// The same tree with a text file added or replaced.
    ///
    /// ```rhai
    /// solution::read_source("Contoso").with_text("notes.txt", "ä").text("notes.txt") == "ä"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn with_text(tree: &mut SourceTree, path: &str, text: &str) -> Scripted<SourceTree> {
        let mut changed = solution::SourceTree::clone(tree);
        changed.insert(path, text.as_bytes().to_vec()).thrown()?;
        Ok(SourceTree::new(changed))
    }

    /// The same tree without a file.
    ///
    /// ```rhai
    /// !solution::read_source("Contoso").without("Other/Solution.xml").has("Other/Solution.xml")
    /// ```
    #[rhai_fn(global, pure)]
    pub fn without(tree: &mut SourceTree, path: &str) -> SourceTree {
        let mut changed = solution::SourceTree::clone(tree);
        changed.remove(path);
        SourceTree::new(changed)
    }

    /// Sets the version in the manifest of the tree; every other byte stays.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// tree.version = "2.0.0.0";
    /// tree.version == "2.0.0.0"
    /// ```
    #[rhai_fn(global, set = "version", return_raw)]
    pub fn set_tree_version(tree: &mut SourceTree, version: &str) -> Scripted<()> {
        let version: SolutionVersion = version.parse().thrown()?;
        let mut changed = solution::SourceTree::clone(tree);
        changed.set_version(version).thrown()?;
        *tree = SourceTree::new(changed);
        Ok(())
    }

    /// Raises one number of the version by one (`major`, `minor`, `build`, `revision`); those
    /// behind it become zero. Returns the new version.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso").with_version("1.4.2.7");
    /// tree.bump("build") == "1.4.3.0"
    /// ```
    #[rhai_fn(global, name = "bump", return_raw)]
    pub fn bump_tree(tree: &mut SourceTree, part: &str) -> Scripted<ImmutableString> {
        let version = tree.manifest().thrown()?.version;
        let version = version.bump(version_part(part).thrown()?);
        let mut changed = solution::SourceTree::clone(tree);
        changed.set_version(version).thrown()?;
        *tree = SourceTree::new(changed);
        Ok(version.to_string().into())
    }

    /// The same tree with another version in its manifest.
    ///
    /// ```rhai
    /// solution::read_source("Contoso").with_version("9.0.0.1").version == "9.0.0.1"
    /// ```
    #[rhai_fn(global, name = "with_version", pure, return_raw)]
    pub fn tree_with_version(tree: &mut SourceTree, version: &str) -> Scripted<SourceTree> {
        let mut changed = solution::SourceTree::clone(tree);
        changed
            .set_version(version.parse::<SolutionVersion>().thrown()?)
            .thrown()?;
        Ok(SourceTree::new(changed))
    }

    /// Writes the tree into a folder of the workspace, touching only what changed, and returns a
    /// map with `written`, `deleted` and `unneeded` paths and the count `unchanged`.
    ///
    /// ```rhai
    /// let tree = solution::read("contoso.zip").unpack();
    /// tree.save("out/src");
    /// tree.save("out/src").written.is_empty()
    /// ```
    #[rhai_fn(global, name = "save", pure, return_raw)]
    pub fn save_tree(
        call: NativeCallContext<'_>,
        tree: &mut SourceTree,
        folder: &str,
    ) -> Scripted<Map> {
        let context = Context::of(&call).thrown()?;
        let place = writable(context.root(), folder).thrown()?;
        if let Some(there) = place
            .folder()
            .map_err(|error| no_file(folder, &error))
            .thrown()?
        {
            tell(&context, &solution::repair_in(&there).thrown()?);
        }
        let report = tree.write_to(&place, &WriteOptions::default()).thrown()?;
        map_of(&report).thrown()
    }
}

/// The options of `pack`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PackChoice {
    kind: Option<PackageKind>,
    version: Option<SolutionVersion>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PackageKind {
    Managed,
    Unmanaged,
}

/// The options of `unpack`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct UnpackChoice {
    line_ends: Option<Ends>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ends {
    Crlf,
    Lf,
}

fn pack_with(
    call: &NativeCallContext<'_>,
    tree: &crate::script::api::source_tree::SourceTree,
    given: Map,
) -> Scripted<crate::script::api::package::Package> {
    let context = Context::of(call).thrown()?;
    let choice: PackChoice = options(given).thrown()?;
    let mut changed;
    let mut source: &solution::SourceTree = tree;
    if let Some(version) = choice.version {
        changed = solution::SourceTree::clone(tree);
        changed.set_version(version).thrown()?;
        source = &changed;
    }
    let kind = choice.kind.map(|kind| match kind {
        PackageKind::Managed => Kind::Managed,
        PackageKind::Unmanaged => Kind::Unmanaged,
    });
    // A tree of both gives the unmanaged package unless the managed one is asked for.
    let packed = solution::pack(
        source,
        &PackOptions {
            kind,
            // What a merge or a hand has lost must not reach an environment.
            complete: true,
            ..PackOptions::default()
        },
    );
    // The error counts the findings; what they are is told before it.
    let packed = packed
        .inspect_err(|error| {
            if let PackageError::Checks { findings } = error {
                tell(&context, findings);
            }
        })
        .thrown()?;
    tell(&context, &packed.findings);
    Ok(crate::script::api::package::Package::new(
        packed.into_package(),
    ))
}

fn unpack_with(
    call: &NativeCallContext<'_>,
    package: &crate::script::api::package::Package,
    given: Map,
) -> Scripted<crate::script::api::source_tree::SourceTree> {
    let context = Context::of(call).thrown()?;
    let choice: UnpackChoice = options(given).thrown()?;
    let line_ends = match choice.line_ends {
        Some(Ends::Lf) => LineEnds::Lf,
        Some(Ends::Crlf) | None => LineEnds::default(),
    };
    let options = UnpackOptions {
        line_ends,
        ..UnpackOptions::default()
    };
    let unpacked = solution::unpack(package, &options).thrown()?;
    tell(&context, &unpacked.findings);
    Ok(crate::script::api::source_tree::SourceTree::new(
        unpacked.tree,
    ))
}

/// Passes on what packing or unpacking noticed, apart from mere notes.
fn tell(context: &Context, findings: &[Finding]) {
    for finding in findings
        .iter()
        .filter(|finding| finding.severity > Severity::Note)
    {
        context.sink().tell(Message::Warning {
            text: finding.to_string(),
        });
    }
}

fn version_part(name: &str) -> Result<VersionPart, HostError> {
    name.parse().map_err(|()| {
        HostError::new("ALM-S021", format!("`{name}` is no part of a version"))
            .with_hint("the parts are major, minor, build and revision")
    })
}

fn no_file(path: &str, error: &std::io::Error) -> HostError {
    HostError::new(
        "ALM-S053",
        format!("the file `{path}` cannot be used: {error}"),
    )
}
