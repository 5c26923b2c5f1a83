//! The files of each collection, in the order they are packed in (facts §4, §9.3).

use rayon::prelude::*;

use super::built::{Bench, Built, Page};
use super::listing::File;
use super::plugin_remap::Rename;
use crate::solution::checks::{self, Present};
use crate::solution::order;
use crate::solution::xml::outline::Element;
use crate::solution::{Finding, PackageError, names};

/// Indentation of a component: below the root and its collection.
const COMPONENT: usize = 2;

/// Builds every file and joins the results in order.
pub(super) fn join<'t>(
    files: Vec<File<'t>>,
    build: impl Fn(File<'t>) -> Result<Built, PackageError> + Sync + Send,
) -> Result<Built, PackageError> {
    let built = files
        .into_par_iter()
        .map(build)
        .collect::<Result<Vec<_>, _>>()?;
    let mut all = Built {
        xml: String::with_capacity(built.iter().map(|b| b.xml.len()).sum()),
        ..Built::default()
    };
    built.into_iter().for_each(|one| all.append(one));
    Ok(all)
}

/// Writes a file's root element and notes which component it is.
fn component<'p>(
    bench: &Bench<'_>,
    collection: &str,
    page: &Page<'p>,
    root: &Element<'p>,
) -> Result<Built, PackageError> {
    let mut writer = bench.fragment(COMPONENT, root.span.len() + root.span.len() / 8);
    page.copy(&mut writer, root)?;
    Ok(Built {
        xml: text(writer.finish()),
        present: checks::present(collection, page.file, page.outline, root)
            .map_err(|fault| page.error(fault))?
            .into_iter()
            .collect(),
        ..Built::default()
    })
}

/// What a writer has written is text.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("a writer writes text only")
}

/// Collections with one file per component; a file counts whatever its extension.
///
/// Facts §9.3 says of these that Microsoft's tool sorts them itself, whatever the file system lists,
/// and not by which comparison. .NET sorts texts by culture unless told otherwise, as the tool does
/// with root components (facts §9.1), so that is taken: `pub_a_b` before `pub_ab`. No package at
/// hand tells the two comparisons apart.
pub(super) fn each(
    bench: &Bench<'_>,
    collection: &str,
    folder: &str,
) -> Result<Built, PackageError> {
    let mut files = bench.listing.directly_in(folder);
    files.sort_by(|a, b| order::by_culture(a.path, b.path));
    join(files, |file| {
        bench.read(file, |page, root| component(bench, collection, page, &root))
    })
}

/// Collections that are one file.
pub(super) fn whole(
    bench: &Bench<'_>,
    collection: &str,
    path: &str,
) -> Result<Built, PackageError> {
    match bench.listing.get(path) {
        Some(file) => whole_file(bench, collection, file),
        None => Ok(Built::default()),
    }
}

/// Collections that are one file with a twin; `path` has no extension.
pub(super) fn whole_twin(
    bench: &Bench<'_>,
    collection: &str,
    path: &str,
) -> Result<Built, PackageError> {
    let mut built = Built::default();
    let plain = bench.listing.get(&format!("{path}.xml"));
    let twin = bench.listing.get(&format!("{path}_managed.xml"));
    match choose(bench, plain, twin, &mut built) {
        Some(file) => whole_file(bench, collection, file),
        None => Ok(built),
    }
}

fn whole_file(bench: &Bench<'_>, collection: &str, file: File<'_>) -> Result<Built, PackageError> {
    bench.read(file, |page, root| {
        if page.children(&root)?.is_empty() {
            return Ok(Built::default());
        }
        let mut writer = bench.fragment(1, root.span.len() + root.span.len() / 8);
        page.copy(&mut writer, &root)?;
        let mut present = Vec::new();
        if collection == "SiteMap" {
            present.push(Present::site_map(page.file));
        } else {
            for child in page.children(&root)? {
                let found = checks::present(collection, page.file, page.outline, &child);
                present.extend(found.map_err(|fault| page.error(fault))?);
            }
        }
        Ok(Built {
            xml: text(writer.finish()),
            present,
            ..Built::default()
        })
    })
}

/// The file of a twin pair that this package takes (facts §10).
pub(super) fn choose<'t>(
    bench: &Bench<'t>,
    plain: Option<File<'t>>,
    twin: Option<File<'t>>,
    built: &mut Built,
) -> Option<File<'t>> {
    match (bench.managed, plain, twin) {
        (false, Some(plain), _) => Some(plain),
        (false, None, Some(twin)) => {
            let message = "only the managed form exists; it is left out of the unmanaged package";
            built
                .findings
                .push(Finding::warning("ALM-P125", twin.path, message.to_owned()));
            None
        }
        (true, _, Some(twin)) => Some(twin),
        (true, Some(plain), None) if bench.options.plain_for_missing_twin => Some(plain),
        (true, Some(plain), None) => {
            let message = "there is no managed form; it is left out of the managed package";
            built
                .findings
                .push(Finding::warning("ALM-P126", plain.path, message.to_owned()));
            None
        }
        (_, None, None) => None,
    }
}

/// The files of a folder that end in `suffix`, sub-folders included.
fn ending<'t>(bench: &Bench<'t>, folder: &str, suffix: &str) -> Vec<File<'t>> {
    let mut files = bench.listing.below(folder);
    files.retain(|file| strip_suffix(file.path, suffix).is_some());
    files
}

/// The path without a suffix that is compared ignoring case.
pub(super) fn strip_suffix<'a>(path: &'a str, suffix: &str) -> Option<&'a str> {
    let at = path.len().checked_sub(suffix.len())?;
    path.is_char_boundary(at)
        .then(|| path.split_at(at))
        .filter(|(_, end)| end.eq_ignore_ascii_case(suffix))
        .map(|(stem, _)| stem)
}

/// Workflows, plug-in assemblies, custom controls: `<payload>.data.xml`.
pub(super) fn beside_payload(
    bench: &Bench<'_>,
    collection: &str,
    folder: &str,
    elements: &[&str],
) -> Result<Built, PackageError> {
    join(ending(bench, folder, ".data.xml"), |file| {
        bench.read(file, |page, root| {
            let mut built = component(bench, collection, page, &root)?;
            let mut part = None;
            for element in elements {
                part = part.or(page.child_text(&root, element)?);
            }
            if part.is_none() {
                for child in page.children(&root)? {
                    if part.is_none() && child.name.ends_with("FileName") {
                        part = Some(page.text(&child)?).filter(|part| part.starts_with('/'));
                    }
                }
            }
            match part {
                Some(part) if collection == "CustomControls" => {
                    control_parts(bench, page, &root, &part, &mut built);
                }
                Some(part) => {
                    let file = part.trim_start_matches('/').replace('\\', "/");
                    bench.payload(page, &root, &part, &file, &mut built);
                    if let (Some(assembly), Some(name)) =
                        (built.payloads.last(), root.attribute("FullName"))
                    {
                        built.renames.extend(Rename::detect(&name, &assembly.data));
                    }
                }
                None => {
                    let message = format!(
                        "`<{}>` names no file in `{}`",
                        root.name,
                        elements.join("` or `")
                    );
                    built.findings.push(
                        Finding::error(checks::MISSING_FILE, page.file, message)
                            .at(page.line(&root)),
                    );
                }
            }
            Ok(built)
        })
    })
}

/// A custom control: its manifest first, then the other files of its folder.
fn control_parts(
    bench: &Bench<'_>,
    page: &Page<'_>,
    root: &Element<'_>,
    manifest: &str,
    built: &mut Built,
) {
    let manifest = manifest.trim_start_matches('/').replace('\\', "/");
    bench.payload(page, root, &manifest, &manifest, built);
    let Some((folder, _)) = manifest.rsplit_once('/') else {
        return;
    };
    for file in bench.listing.below(folder) {
        let data = strip_suffix(file.path, ".data.xml").is_some();
        if !data && !file.path.eq_ignore_ascii_case(&manifest) {
            bench.payload(page, root, file.path, file.path, built);
        }
    }
}

/// Web resources: the payload lies beside the data file, under the resource's own name.
pub(super) fn web_resources(bench: &Bench<'_>) -> Result<Built, PackageError> {
    join(ending(bench, "WebResources", ".data.xml"), |file| {
        payload_named_by(bench, "WebResources", file, "FileName")
    })
}

/// A component whose payload is the file beside it and whose part is named by an element.
fn payload_named_by(
    bench: &Bench<'_>,
    collection: &str,
    file: File<'_>,
    element: &str,
) -> Result<Built, PackageError> {
    bench.read(file, |page, root| {
        let mut built = component(bench, collection, page, &root)?;
        if let Some(part) = page.child_text(&root, element)? {
            let beside = strip_suffix(page.file, ".data.xml").unwrap_or(page.file);
            let beside = names::as_windows_keeps(beside);
            bench.payload(page, &root, &part, &beside, &mut built);
        }
        Ok(built)
    })
}

/// Reports, and the mappings of their signatures (facts §7.2).
pub(super) fn reports(bench: &Bench<'_>) -> Result<Built, PackageError> {
    let mut files = bench.listing.below("Reports");
    files.retain(|file| {
        let mappings =
            file.path.split('/').count() == 2 && strip_suffix(file.path, ".xml").is_some();
        mappings || strip_suffix(file.path, ".data.xml").is_some()
    });
    join(files, |file| {
        payload_named_by(bench, "Reports", file, "ExportedFileName")
    })
}

/// Apps and their site maps: a folder each, with a twin.
pub(super) fn folder_twin(
    bench: &Bench<'_>,
    collection: &str,
    folder: &str,
    file: &str,
) -> Result<Built, PackageError> {
    let mut chosen = Vec::new();
    let mut all = Built::default();
    for folder in bench.listing.folders_in(folder) {
        let plain = bench.listing.get(&format!("{folder}/{file}.xml"));
        let twin = bench.listing.get(&format!("{folder}/{file}_managed.xml"));
        chosen.extend(choose(bench, plain, twin, &mut all));
    }
    all.append(join(chosen, |file| {
        bench.read(file, |page, root| component(bench, collection, page, &root))
    })?);
    Ok(all)
}

/// Canvas apps: the parts that elements ending in `Uri` name lie under the same names.
pub(super) fn canvas_apps(bench: &Bench<'_>) -> Result<Built, PackageError> {
    let mut files = bench.listing.directly_in("CanvasApps");
    files.retain(|file| strip_suffix(file.path, ".meta.xml").is_some());
    join(files, |file| {
        bench.read(file, |page, root| {
            let mut built = component(bench, "CanvasApps", page, &root)?;
            for child in page.children(&root)? {
                if child.name.ends_with("Uris") {
                    for uri in page.children(&child)? {
                        additional_part(bench, page, &uri, &mut built)?;
                    }
                } else if child.name.ends_with("Uri") {
                    let part = page.text(&child)?;
                    // An address elsewhere names no part.
                    if part.starts_with('/') {
                        bench.payload(
                            page,
                            &child,
                            &part,
                            part.trim_start_matches('/'),
                            &mut built,
                        );
                    }
                }
            }
            Ok(built)
        })
    })
}

/// A file that older unpackers dropped while they kept its name (facts §8): not an error.
fn additional_part<'p>(
    bench: &Bench<'_>,
    page: &Page<'p>,
    uri: &Element<'p>,
    built: &mut Built,
) -> Result<(), PackageError> {
    let part = page.text(uri)?;
    let file = part.trim_start_matches('/');
    if file.is_empty() {
        return Ok(());
    }
    if bench.listing.get(file).is_some() {
        bench.payload(page, uri, &part, file, built);
    } else {
        let message = format!("the file `{file}` is missing; an older unpacker has dropped it");
        let line = page.line(uri);
        built
            .findings
            .push(Finding::warning("ALM-P104", page.file, message).at(line));
    }
    Ok(())
}

/// Connectors: files of `Connectors/` become parts of `Connector/`, by name within a connector.
pub(super) fn connectors(bench: &Bench<'_>) -> Result<Built, PackageError> {
    let mut files = bench.listing.directly_in("Connectors");
    files.retain(|file| strip_suffix(file.path, ".xml").is_some());
    join(files, |file| {
        bench.read(file, |page, root| {
            let mut built = component(bench, "Connectors", page, &root)?;
            for child in page.children(&root)? {
                let part = page.text(&child)?;
                if let Some(name) = part.strip_prefix("/Connector/") {
                    bench.payload(
                        page,
                        &child,
                        &part,
                        &format!("Connectors/{name}"),
                        &mut built,
                    );
                }
            }
            built
                .payloads
                .sort_by(|a, b| order::by_listing(&a.part, &b.part));
            Ok(built)
        })
    })
}

/// A collection that is not known: `<Collection>/<name>.meta.xml` (facts §7.4).
pub(super) fn unknown(bench: &Bench<'_>, folder: &str) -> Result<Built, PackageError> {
    let mut files = bench.listing.directly_in(folder);
    files.retain(|file| strip_suffix(file.path, ".meta.xml").is_some());
    join(files, |file| {
        bench.read(file, |page, root| component(bench, folder, page, &root))
    })
}
