//! `solution.xml` as the four manifests of a solution and the publisher, and back.

use super::element::{Element, from_xml, from_yaml, to_xml, to_yaml};
use super::reader::Files;
use super::value::{self, Node, Value, error};
use crate::solution::{Package, PackageError, SOLUTION_XML};

/// The files of a manifest: paths with documents, and who the solution is.
pub(super) struct Manifests {
    pub name: String,
    pub publisher: String,
    pub files: Vec<(String, Node)>,
    /// `languagecode`.
    pub language: Option<String>,
}

/// Splits `solution.xml`; what lists the components comes later.
pub(super) fn split(package: &Package) -> Result<Manifests, PackageError> {
    let part = package.required(SOLUTION_XML)?;
    let (mut root, _) = from_xml(&part.name, &part.data)?;
    let missing = |what: &str| PackageError::Manifest {
        file: part.name.clone(),
        reason: format!("`{what}` is missing"),
    };
    let language = root.attribute("languagecode").map(str::to_owned);
    let manifest = root
        .child_mut("SolutionManifest")
        .ok_or_else(|| missing("SolutionManifest"))?;
    let name = manifest
        .child_text("UniqueName")
        .ok_or_else(|| missing("UniqueName"))?;
    let list = |manifest: &mut Element, name: &str| {
        let found = manifest.take(name).into_iter().next();
        found.unwrap_or_else(|| Element::new(name))
    };
    let components = list(manifest, "RootComponents");
    let dependencies = list(manifest, "MissingDependencies");
    let whole = manifest
        .child_mut("Publisher")
        .ok_or_else(|| missing("Publisher"))?;
    let publisher = whole
        .child_text("UniqueName")
        .ok_or_else(|| missing("Publisher/UniqueName"))?;
    let mut named = Element::new("UniqueName");
    named.set_text(publisher.clone());
    let full = std::mem::replace(whole, Element::with("Publisher", [named]));
    let mut files = Vec::new();
    for (path, element) in [
        (format!("solutions/{name}/solution.yml"), root),
        (format!("solutions/{name}/rootcomponents.yml"), components),
        (
            format!("solutions/{name}/missingdependencies.yml"),
            dependencies,
        ),
        (format!("publishers/{publisher}/publisher.yml"), full),
    ] {
        let node = to_yaml(&element).map_err(|(line, reason)| PackageError::Component {
            file: part.name.clone(),
            line,
            reason,
        })?;
        files.push((path, node));
    }
    Ok(Manifests {
        name,
        publisher,
        files,
        language,
    })
}

/// `solutioncomponents.yml`.
pub(super) fn components(paths: &[String]) -> Node {
    let items = paths.iter().map(|path| {
        Node::new(Value::Map(vec![(
            "@path".to_owned(),
            Node::text(format!("/{path}")),
        )]))
    });
    let list = Node::new(Value::List(items.collect()));
    let inner = Node::new(Value::Map(vec![("Component".to_owned(), list)]));
    Node::new(Value::Map(vec![("SolutionComponents".to_owned(), inner)]))
}

/// `solution.xml` from the manifests of a solution.
pub(super) struct Joined {
    pub xml: Vec<u8>,
    pub root: Element,
}

/// Joins the manifests of the solution in a folder `solutions/<name>`.
pub(super) fn join(files: &Files<'_>, name: &str) -> Result<Joined, PackageError> {
    let path = format!("solutions/{name}/solution.yml");
    let (mut root, path) = document(files, &path, "ImportExportXml")?;
    let manifest = root.child_mut("SolutionManifest");
    let manifest = manifest.ok_or_else(|| error(&path, 1, "`SolutionManifest` is missing"))?;
    let publisher = manifest
        .child("Publisher")
        .and_then(|publisher| publisher.child_text("UniqueName"))
        .ok_or_else(|| error(&path, 1, "`Publisher` has no `UniqueName`"))?;
    let publisher_path = format!("publishers/{publisher}/publisher.yml");
    let (publisher, _) = document(files, &publisher_path, "Publisher")?;
    if let Some(place) = manifest.child_mut("Publisher") {
        *place = publisher;
    }
    for (list, file) in [
        ("RootComponents", "rootcomponents.yml"),
        ("MissingDependencies", "missingdependencies.yml"),
    ] {
        let path = format!("solutions/{name}/{file}");
        if files.get(&path).is_none() && manifest.child(list).is_some() {
            continue;
        }
        let (element, _) = document(files, &path, list)?;
        manifest.take(list);
        manifest.push(element);
    }
    let xml = to_xml(&root, "\r\n").map_err(|fault| fault.in_file(&path, ""))?;
    Ok(Joined { xml, root })
}

/// The root of a document that must be there.
fn document(files: &Files<'_>, path: &str, root: &str) -> Result<(Element, String), PackageError> {
    let (path, data) = files.get(path).ok_or_else(|| PackageError::NotATree {
        missing: path.to_owned(),
    })?;
    let node = value::parse(path, data)?;
    let inner = node
        .get(root)
        .ok_or_else(|| error(path, node.line, format!("`{root}` is missing")))?;
    Ok((from_yaml(path, root, inner)?, path.to_owned()))
}

/// The paths that a solution lists, without a slash at either end.
///
/// Besides the form that the packager reads, the plain list that the reference shows is taken.
pub(super) fn listed(files: &Files<'_>, name: &str) -> Result<Vec<String>, PackageError> {
    let path = format!("solutions/{name}/solutioncomponents.yml");
    let (path, data) = files.get(&path).ok_or_else(|| PackageError::NotATree {
        missing: path.clone(),
    })?;
    let node = value::parse(path, data)?;
    let list = node
        .get("SolutionComponents")
        .and_then(|list| list.get("Component"));
    let items = match (&node.value, list) {
        (_, Some(list)) => list.items(),
        (Value::List(items), None) => items.as_slice(),
        (Value::Null, None) => &[],
        (Value::Map(_), None) if node.get("SolutionComponents").is_some() => &[],
        _ => return Err(error(path, node.line, "`SolutionComponents` is missing")),
    };
    let mut paths = Vec::new();
    for item in items {
        let listed = item.get("@path").or_else(|| item.get("path"));
        let listed = listed
            .and_then(Node::as_text)
            .ok_or_else(|| error(path, item.line, "a component has no `@path`"))?;
        paths.push(listed.replace('\\', "/").trim_matches('/').to_owned());
    }
    Ok(paths)
}
