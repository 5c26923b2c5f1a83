//! A folder as a package.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::element::{Element, from_yaml, to_part, to_xml};
use super::forms::{
    self, CLOUD_FLOWS, COLLECTIONS, FORM_TYPES, Form, RESERVED, SECTIONS, Section, TABLES, plain,
};
use super::value::{self, Node, Value};
use super::{LISTED_ONLY, NOT_LISTED, NOT_UNDERSTOOD, manifest, solutions, writer};
use crate::solution::container::Part;
use crate::solution::names;
use crate::solution::{
    CUSTOMIZATIONS_XML, Finding, Package, PackageError, SOLUTION_XML, SourceTree,
};

/// The files of a folder, found ignoring case.
pub(super) struct Files<'t> {
    by_fold: BTreeMap<String, (&'t str, &'t Bytes)>,
}

impl<'t> Files<'t> {
    fn new(tree: &'t SourceTree) -> Result<Self, PackageError> {
        let mut by_fold: BTreeMap<String, (&str, &Bytes)> = BTreeMap::new();
        for (path, data) in tree.iter() {
            if let Some((first, _)) = by_fold.insert(names::fold(path), (path, data)) {
                return Err(PackageError::Collision {
                    first: first.to_owned(),
                    second: path.to_owned(),
                });
            }
        }
        Ok(Self { by_fold })
    }

    /// A file with its path as it stands.
    pub fn get(&self, path: &str) -> Option<(&'t str, &'t Bytes)> {
        self.by_fold.get(&names::fold(path)).copied()
    }

    /// Whether there is a file at or below a path.
    fn any_at(&self, path: &str) -> bool {
        let fold = names::fold(path);
        let below = format!("{fold}/");
        self.by_fold.contains_key(&fold)
            || self
                .by_fold
                .range(below.clone()..)
                .next()
                .is_some_and(|(found, _)| found.starts_with(&below))
    }
}

/// What `solutioncomponents.yml` lists, folded.
struct Listed(BTreeSet<String>);

impl Listed {
    fn new(paths: &[String]) -> Self {
        Self(paths.iter().map(|path| names::fold(path)).collect())
    }

    /// Whether a path or a folder above it is listed, looking no higher than `floor`.
    fn has(&self, path: &str, floor: &str) -> bool {
        let (path, floor) = (names::fold(path), names::fold(floor));
        let mut at = path.as_str();
        loop {
            if self.0.contains(at) {
                return true;
            }
            match at.rsplit_once('/') {
                Some((above, _)) if at.len() > floor.len() => at = above,
                _ => return false,
            }
        }
    }

    /// Whether anything at or below a path is listed.
    fn any_at(&self, path: &str) -> bool {
        let fold = names::fold(path);
        let below = format!("{fold}/");
        self.0.contains(&fold)
            || self
                .0
                .range(below.clone()..)
                .next()
                .is_some_and(|found| found.starts_with(&below))
    }
}

pub(super) fn read(
    tree: &SourceTree,
    solution: Option<&str>,
) -> Result<(Package, Vec<Finding>), PackageError> {
    let files = Files::new(tree)?;
    let found = solutions(tree);
    let name = choose(found.clone(), solution)?;
    let manifest = manifest::join(&files, &name)?;
    let paths = manifest::listed(&files, &name)?;
    let mut findings = Vec::new();
    for path in &paths {
        if !files.any_at(path) {
            let message = "the solution lists it, but it has no files; it is left out";
            findings.push(Finding::warning(LISTED_ONLY, path, message.to_owned()));
        }
    }
    // What another solution of the folder lists is not forgotten, but not ours.
    let others = found.iter().filter(|other| **other != name);
    let others: Vec<Listed> = others
        .filter_map(|other| manifest::listed(&files, other).ok())
        .map(|paths| Listed::new(&paths))
        .collect();
    let mut reader = Reader {
        files: &files,
        listed: Listed::new(&paths),
        others,
        collections: BTreeMap::new(),
        tables: BTreeMap::new(),
        parts: BTreeMap::new(),
        forgotten: BTreeMap::new(),
        findings,
    };
    for (path, data) in tree.iter() {
        reader.file(path, data)?;
    }
    reader.finish(&manifest)
}

fn choose(found: Vec<String>, asked: Option<&str>) -> Result<String, PackageError> {
    if found.is_empty() {
        return Err(PackageError::NotATree {
            missing: "solutions/<name>/solution.yml".to_owned(),
        });
    }
    let chosen = match asked {
        Some(asked) => found.iter().find(|name| name.eq_ignore_ascii_case(asked)),
        None if found.len() == 1 => found.first(),
        None => None,
    };
    chosen.cloned().ok_or_else(|| PackageError::WhichSolution {
        asked: asked.map(str::to_owned),
        found,
    })
}

/// A table whose files are being gathered.
#[derive(Default)]
struct Table {
    element: Option<Element>,
    /// Pieces by section, with the type of a form.
    pieces: Vec<(&'static str, String, Element)>,
    /// The first file of it.
    path: String,
}

struct Reader<'t> {
    files: &'t Files<'t>,
    listed: Listed,
    others: Vec<Listed>,
    collections: BTreeMap<&'static str, Vec<Element>>,
    tables: BTreeMap<String, Table>,
    /// Parts by folded name.
    parts: BTreeMap<String, Part>,
    /// Folders of listed tables that no solution lists, with how many files.
    forgotten: BTreeMap<String, usize>,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, data: &Bytes) -> Result<(), PackageError> {
        let Some((top, _)) = path.split_once('/') else {
            return Ok(());
        };
        let folder = top.to_ascii_lowercase();
        if RESERVED.contains(&folder.as_str()) {
            return Ok(());
        }
        if folder == TABLES {
            return self.table_file(path, data);
        }
        if !self.listed.has(path, top) {
            return Ok(());
        }
        let is_yaml = path.to_ascii_lowercase().ends_with(".yml");
        if let Some(form) = forms::by_folder(&folder) {
            // Everything else in these folders is payload, which the YAML names.
            if is_yaml {
                self.component(form, path, data)?;
            }
            return Ok(());
        }
        if let Some(collection) = forms::collection_of(&folder) {
            if is_yaml && let Some((name, node)) = single(&value::parse(path, data)?) {
                let component = from_yaml(path, &name, &node)?;
                self.named_parts(&component)?;
                self.collections
                    .entry(collection)
                    .or_default()
                    .push(component);
            }
            return Ok(());
        }
        if matches!(
            folder.as_str(),
            "controls" | "formulas" | "connector" | "other"
        ) {
            return Ok(());
        }
        self.pass_through(path, data, is_yaml)
    }

    fn component(
        &mut self,
        form: &'static Form,
        path: &str,
        data: &[u8],
    ) -> Result<(), PackageError> {
        let node = value::parse(path, data)?;
        let single = single(&node).filter(|(name, _)| name == form.element);
        let Some((name, node)) = single else {
            let message = format!("it holds no `{}` and is left out", form.element);
            self.findings
                .push(Finding::warning(NOT_UNDERSTOOD, path, message));
            return Ok(());
        };
        let mut component = from_yaml(path, &name, &node)?;
        if !form.parts.is_empty() {
            self.payload(form, path, &mut component)?;
        }
        let list = self.collections.entry(form.collection).or_default();
        list.push(component);
        Ok(())
    }

    /// Takes in the files that a component names, under the names that exports give them.
    fn payload(
        &mut self,
        form: &Form,
        path: &str,
        component: &mut Element,
    ) -> Result<(), PackageError> {
        let home = path.rsplit_once('/').map_or("", |(home, _)| home);
        let tops = [form.folder, CLOUD_FLOWS, form.parts];
        let prefix = match form.collection {
            "SolutionPluginAssemblies" => assembly_folder(component),
            _ => form.parts.to_owned(),
        };
        let files = self.files;
        let mut found = Vec::new();
        component.for_each_mut(&mut |element| {
            let text = element.text();
            let named = text.trim_start_matches('/');
            let Some((top, _)) = named.split_once('/') else {
                return;
            };
            if !tops.iter().any(|known| known.eq_ignore_ascii_case(top)) {
                return;
            }
            let base = named.rsplit('/').next().unwrap_or_default();
            let file = files
                .get(named)
                .or_else(|| files.get(&format!("{home}/{base}")));
            if let Some((file, data)) = file {
                let base = file.rsplit('/').next().unwrap_or_default();
                let part = format!("{prefix}/{}", part_file(form, base));
                element.set_text(format!("/{part}"));
                found.push((part, data.clone()));
            }
        });
        found
            .into_iter()
            .try_for_each(|(part, data)| self.part(part, data))
    }

    fn part(&mut self, name: String, data: Bytes) -> Result<(), PackageError> {
        if let Some(first) = self.parts.get(&names::fold(&name)) {
            if first.data == data && first.name == name {
                return Ok(());
            }
            return Err(PackageError::Collision {
                first: first.name.clone(),
                second: name,
            });
        }
        self.parts.insert(names::fold(&name), Part { name, data });
        Ok(())
    }

    /// Parts that elements name by the place that they have in a package.
    fn named_parts(&mut self, element: &Element) -> Result<(), PackageError> {
        let mut named = Vec::new();
        let files = self.files;
        element.for_each(&mut |element| {
            let text = element.text();
            let Some(name) = text.strip_prefix('/') else {
                return;
            };
            let Some((file, data)) = files.get(name) else {
                return;
            };
            named.push((name.to_owned(), data.clone()));
            let (Some((folder, _)), Some((from, _))) =
                (name.rsplit_once('/'), file.rsplit_once('/'))
            else {
                return;
            };
            if name.starts_with("Controls/") && element.name == "FileName" {
                let below = format!("{}/", names::fold(from));
                let inside = files.by_fold.range(below.clone()..);
                for (_, (path, data)) in inside.take_while(|(fold, _)| fold.starts_with(&below)) {
                    named.push((
                        format!("{folder}/{}", &path[from.len() + 1..]),
                        (*data).clone(),
                    ));
                }
            }
        });
        named
            .into_iter()
            .try_for_each(|(name, data)| self.part(name, data))
    }

    /// Files of solution-aware tables. Most lie there as they are in a package; a YAML file whose
    /// root is called as the file mirrors the XML file of that name.
    fn pass_through(
        &mut self,
        path: &str,
        data: &Bytes,
        is_yaml: bool,
    ) -> Result<(), PackageError> {
        let stem = path.rsplit('/').next().unwrap_or_default();
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let mirrored = match is_yaml {
            true => single(&value::parse(path, data)?)
                .filter(|(name, _)| name.eq_ignore_ascii_case(stem)),
            false => None,
        };
        match mirrored {
            None => self.part(path.to_owned(), data.clone()),
            Some((name, node)) => {
                let element = from_yaml(path, &name, &node)?;
                let part = format!("{}.xml", &path[..path.len() - ".yml".len()]);
                self.part(part, to_part(&element).into())
            }
        }
    }

    fn table_file(&mut self, path: &str, data: &[u8]) -> Result<(), PackageError> {
        let steps: Vec<&str> = path.split('/').collect();
        let [top, name, rest @ ..] = steps.as_slice() else {
            return Ok(());
        };
        if !path.to_ascii_lowercase().ends_with(".yml") || rest.is_empty() {
            return Ok(());
        }
        let home = format!("{top}/{name}");
        if !self.listed.any_at(&home) && !self.listed.has(top, top) {
            return Ok(());
        }
        let section = match rest {
            [_] => None,
            [kind, ..] => {
                let section = SECTIONS
                    .iter()
                    .find(|s| s.folder.eq_ignore_ascii_case(kind));
                let Some(section) = section else {
                    let message = format!("`{kind}` is no known part of a table; it is left out");
                    self.findings
                        .push(Finding::warning(NOT_UNDERSTOOD, path, message));
                    return Ok(());
                };
                if !self.section_is_listed(section, &format!("{home}/{kind}"), path) {
                    return Ok(());
                }
                Some(section)
            }
            [] => return Ok(()),
        };
        let node = value::parse(path, data)?;
        let Some((root, node)) = single(&node) else {
            let message = "it holds no single element and is left out";
            self.findings
                .push(Finding::warning(NOT_UNDERSTOOD, path, message.to_owned()));
            return Ok(());
        };
        let element = from_yaml(path, &root, &node)?;
        self.named_parts(&element)?;
        let table = self.tables.entry(names::fold(&home)).or_default();
        if table.path.is_empty() {
            table.path = path.to_owned();
        }
        match section {
            None if root == "Entity" => table.element = Some(element),
            // Older writers put a list with one entry into the file, as the XML layout does.
            Some(section) if matches!(root.as_str(), "forms" | "savedqueries") => {
                let kind = form_type(rest);
                let inner = element.into_children();
                let inner = inner.map(|inner| (section.folder, kind.clone(), inner));
                table.pieces.extend(inner);
            }
            Some(section) if root == section.element => {
                table
                    .pieces
                    .push((section.folder, form_type(rest), element));
            }
            _ => {
                let message = format!("`{root}` is not known in this place; it is left out");
                self.findings
                    .push(Finding::warning(NOT_UNDERSTOOD, path, message));
            }
        }
        Ok(())
    }

    /// Whether a file of a table belongs to the solution. A listed table alone has all its columns
    /// and keys; forms, views, charts and the ribbon are listed by themselves, as for Microsoft's
    /// packager.
    fn section_is_listed(&mut self, section: &Section, folder: &str, path: &str) -> bool {
        let whole = matches!(section.folder, "attributes" | "entitykeys");
        let above = self.listed.has(path, folder) || self.listed.has(TABLES, TABLES);
        if above || (whole && !self.listed.any_at(folder)) {
            return true;
        }
        let elsewhere = self.others.iter().any(|other| other.has(path, folder));
        if !elsewhere {
            *self.forgotten.entry(folder.to_owned()).or_default() += 1;
        }
        false
    }

    fn finish(
        mut self,
        manifest: &manifest::Joined,
    ) -> Result<(Package, Vec<Finding>), PackageError> {
        for (folder, count) in std::mem::take(&mut self.forgotten) {
            let message = format!("{count} files are left out, for no solution lists them");
            self.findings
                .push(Finding::warning(NOT_LISTED, folder, message));
        }
        let mut tables = Vec::new();
        for table in std::mem::take(&mut self.tables).into_values() {
            match table.element {
                Some(element) => tables.push(assembled(element, table.pieces)),
                None => {
                    let message = "the table has no `entity.yml`; it is left out";
                    self.findings.push(Finding::warning(
                        LISTED_ONLY,
                        table.path,
                        message.to_owned(),
                    ));
                }
            }
        }
        self.collections.insert("Entities", tables);
        let mut root = Element::new("ImportExportXml");
        for name in [
            "OrganizationVersion",
            "OrganizationSchemaType",
            "CRMServerServiceabilityVersion",
        ] {
            let value = manifest.root.attribute(name);
            root.attributes
                .extend(value.map(|value| (name.to_owned(), value.to_owned())));
        }
        for collection in COLLECTIONS {
            if *collection == "Languages" {
                continue;
            }
            let components = self.collections.remove(collection);
            if let Some(components) = components.filter(|components| !components.is_empty()) {
                root.push(Element::with(*collection, components));
            }
        }
        let own = manifest.root.attribute("languagecode");
        let languages = writer::languages(&root, own).into_iter().map(|number| {
            let mut language = Element::new("Language");
            language.set_text(number);
            language
        });
        root.push(Element::with("Languages", languages));
        let customizations =
            to_xml(&root, "\r\n").map_err(|fault| fault.in_file(CUSTOMIZATIONS_XML, ""))?;
        let mut package = Package::new();
        package.set_part(CUSTOMIZATIONS_XML, customizations)?;
        package.set_part(SOLUTION_XML, manifest.xml.clone())?;
        for part in self.parts.into_values() {
            package.set_part(part.name, part.data)?;
        }
        package.declare_content_types();
        Ok((package, self.findings))
    }
}

/// The only entry of a document.
fn single(node: &Node) -> Option<(String, Node)> {
    match &node.value {
        Value::Map(entries) if entries.len() == 1 => entries.first().cloned(),
        _ => None,
    }
}

/// The type of a form, from the folder below `formxml`.
fn form_type(rest: &[&str]) -> String {
    match rest {
        [_, kind, _, ..] => {
            let known = FORM_TYPES
                .iter()
                .find(|known| known.eq_ignore_ascii_case(kind));
            known.map_or_else(|| (*kind).to_owned(), |known| (*known).to_owned())
        }
        _ => String::new(),
    }
}

/// A table with its pieces in their places.
fn assembled(mut table: Element, pieces: Vec<(&'static str, String, Element)>) -> Element {
    for section in SECTIONS {
        let mine = pieces
            .iter()
            .filter(|(folder, ..)| *folder == section.folder);
        let mut mine: Vec<(&str, &Element)> = mine.map(|(_, kind, e)| (kind.as_str(), e)).collect();
        if mine.is_empty() {
            continue;
        }
        if section.path.is_empty() {
            table.take(section.element);
            mine.into_iter()
                .for_each(|(_, ribbon)| table.push(ribbon.clone()));
            continue;
        }
        at_path(&mut table, section.path, |list| {
            if section.element != "systemform" {
                mine.into_iter()
                    .for_each(|(_, piece)| list.push(piece.clone()));
                return;
            }
            mine.sort_by_key(|(kind, _)| *kind);
            for group in mine.chunk_by(|a, b| a.0 == b.0) {
                let forms = group.iter().map(|(_, form)| (*form).clone());
                let mut forms = Element::with("forms", forms);
                let kind = if group[0].0.is_empty() {
                    "main"
                } else {
                    group[0].0
                };
                forms.attributes.push(("type".to_owned(), kind.to_owned()));
                list.push(forms);
            }
        });
    }
    table
}

/// Changes the element at a path, which is made as far as it does not exist.
fn at_path(element: &mut Element, path: &[&str], change: impl FnOnce(&mut Element)) {
    let Some((step, rest)) = path.split_first() else {
        return change(element);
    };
    if element.child(step).is_none() {
        element.push(Element::new(*step));
    }
    if let Some(child) = element.child_mut(step) {
        at_path(child, rest, change);
    }
}

/// The folder of an assembly's part, as the server builds it (facts §2.6).
fn assembly_folder(assembly: &Element) -> String {
    let full = assembly.attribute("FullName").unwrap_or_default();
    let name = full.split(',').next().unwrap_or_default().trim();
    let name: String = name.chars().filter(|c| *c != '.').take(50).collect();
    let id = plain(assembly.attribute("PluginAssemblyId").unwrap_or_default());
    format!("PluginAssemblies/{name}-{}", id.to_ascii_uppercase())
}

/// The name of a part's file. The server gives web resources no extension; this layout does.
fn part_file(form: &Form, file: &str) -> String {
    if form.collection == "WebResources"
        && let Some((stem, _)) = file.rsplit_once('.')
        && let Some(id) = stem.len().checked_sub(36).and_then(|at| stem.get(at..))
        && uuid::Uuid::try_parse(id).is_ok()
    {
        return stem.to_owned();
    }
    file.to_owned()
}
