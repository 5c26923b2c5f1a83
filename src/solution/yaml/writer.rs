//! A package as a folder.

use std::collections::{BTreeMap, BTreeSet};

use super::element::{Element, from_xml, to_yaml};
use super::forms::{
    self, CLOUD_FLOWS, DOCUMENTED_PARTS, Form, SECTIONS, Section, TABLES, USUAL_KEYS, plain,
};
use super::manifest;
use super::value::{self, Node};
use super::{LANGUAGES, NO_PLACE, UNDOCUMENTED, WriteOptions};
use crate::solution::names;
use crate::solution::{
    CONTENT_TYPES_XML, CUSTOMIZATIONS_XML, Finding, Package, PackageError, SOLUTION_XML, SourceTree,
};

pub(super) fn write(
    package: &Package,
    options: &WriteOptions,
) -> Result<(SourceTree, Vec<Finding>), PackageError> {
    let manifests = manifest::split(package)?;
    let part = package.required(CUSTOMIZATIONS_XML)?;
    let (root, comments) = from_xml(&part.name, &part.data)?;
    let mut writer = Writer {
        package,
        newline: options.line_ends.text(),
        tree: SourceTree::new(),
        folded: BTreeMap::new(),
        listed: BTreeSet::new(),
        taken: BTreeSet::new(),
        named: BTreeSet::new(),
        undocumented: BTreeMap::new(),
        impossible: Vec::new(),
        findings: Vec::new(),
    };
    if comments > 0 {
        let message = format!("{comments} comments have no place in this layout and are left out");
        writer
            .findings
            .push(Finding::warning(NO_PLACE, &part.name, message));
    }
    let languages = languages(&root, manifests.language.as_deref());
    for collection in root.into_children() {
        writer.collection(collection, &languages)?;
    }
    writer.parts()?;
    writer.refuse(options.undocumented)?;
    for (path, node) in &manifests.files {
        writer.file(path, node)?;
    }
    writer
        .listed
        .insert(format!("publishers/{}", manifests.publisher));
    let listed: Vec<String> = std::mem::take(&mut writer.listed).into_iter().collect();
    let path = format!("solutions/{}/solutioncomponents.yml", manifests.name);
    writer.file(&path, &manifest::components(&listed))?;
    Ok((writer.tree, writer.findings))
}

/// The languages that the labels of a package have, with the solution's own: what a reader of this
/// layout takes as the list of languages.
pub(super) fn languages(root: &Element, own: Option<&str>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = own.map(str::to_owned).into_iter().collect();
    root.for_each(&mut |element| {
        found.extend(element.attribute("languagecode").map(str::to_owned));
    });
    found
}

struct Writer<'p> {
    package: &'p Package,
    newline: &'static str,
    tree: SourceTree,
    /// Paths as a file system sees them that ignores case.
    folded: BTreeMap<String, String>,
    /// Paths for `solutioncomponents.yml`.
    listed: BTreeSet<String>,
    /// Parts that a component names, folded.
    taken: BTreeSet<String>,
    /// Parts that keep their place because a component names them there, folded.
    named: BTreeSet<String>,
    /// Kinds without a documented form: how many, and the first.
    undocumented: BTreeMap<String, (usize, String)>,
    /// What cannot be written at all.
    impossible: Vec<Finding>,
    findings: Vec<Finding>,
}

impl Writer<'_> {
    fn insert(&mut self, path: &str, data: impl Into<bytes::Bytes>) -> Result<(), PackageError> {
        if let Some(first) = self.folded.insert(names::fold(path), path.to_owned()) {
            return Err(PackageError::Collision {
                first,
                second: path.to_owned(),
            });
        }
        self.tree.insert(path, data)
    }

    fn file(&mut self, path: &str, node: &Node) -> Result<(), PackageError> {
        self.insert(path, value::write(node, self.newline))
    }

    /// A component as a file; one that YAML cannot mirror is remembered.
    fn element(&mut self, path: &str, element: &Element) -> Result<(), PackageError> {
        match to_yaml(element) {
            Ok(node) => self.file(path, &node),
            Err((line, reason)) => {
                let finding = Finding::error(UNDOCUMENTED, CUSTOMIZATIONS_XML, reason);
                self.impossible.push(finding.at(line));
                Ok(())
            }
        }
    }

    fn without_form(&mut self, kind: &str, example: &str) {
        let entry = self.undocumented.entry(kind.to_owned());
        entry.or_insert_with(|| (0, example.to_owned())).0 += 1;
    }

    fn collection(
        &mut self,
        collection: Element,
        languages: &BTreeSet<String>,
    ) -> Result<(), PackageError> {
        match collection.name.as_str() {
            "Entities" => collection
                .into_children()
                .try_for_each(|table| self.table(table)),
            "Languages" => {
                let listed: BTreeSet<String> = collection.children().map(Element::text).collect();
                if listed != *languages {
                    let message = format!(
                        "the list of languages ({}) has no place in this layout; packing it will list those of the labels ({})",
                        Vec::from_iter(listed).join(", "),
                        Vec::from_iter(languages.clone()).join(", ")
                    );
                    self.findings
                        .push(Finding::warning(LANGUAGES, CUSTOMIZATIONS_XML, message));
                }
                Ok(())
            }
            name => match forms::by_collection(name) {
                Some(form) => collection
                    .into_children()
                    .enumerate()
                    .try_for_each(|(n, component)| self.component(form, n, component)),
                None => self.by_pattern(collection),
            },
        }
    }

    fn component(
        &mut self,
        form: &Form,
        number: usize,
        mut component: Element,
    ) -> Result<(), PackageError> {
        let key = form.key.of(&component);
        let key = key.unwrap_or_else(|| format!("{:04}", number + 1));
        let folder = match component.child("JsonFileName") {
            Some(_) if form.collection == "Workflows" => CLOUD_FLOWS,
            _ => form.folder,
        };
        let home = format!("{folder}/{key}");
        if !form.parts.is_empty() {
            self.move_payload(form, &home, &mut component)?;
        }
        // The packager looks for apps by this name in the folder itself.
        let path = match form.collection {
            "CanvasApps" => format!("{home}.meta.yml"),
            _ => format!("{home}/{}.yml", form.element.to_ascii_lowercase()),
        };
        if form.collection == "CanvasApps" {
            self.listed.insert(path.clone());
        }
        self.listed.insert(home);
        self.element(&path, &component)
    }

    /// Moves the parts that a component names beside its file and names them there.
    fn move_payload(
        &mut self,
        form: &Form,
        home: &str,
        component: &mut Element,
    ) -> Result<(), PackageError> {
        let prefix = format!("/{}/", form.parts).to_ascii_lowercase();
        let extension = match form.collection {
            "WebResources" => component
                .child_text("Name")
                .and_then(|name| Some(name.rsplit('/').next()?.rsplit_once('.')?.1.to_owned())),
            _ => None,
        };
        let mut moved = Vec::new();
        let package = self.package;
        component.for_each_mut(&mut |element| {
            let text = element.text();
            if !text.to_ascii_lowercase().starts_with(&prefix) {
                return;
            }
            if let Some(part) = package.find(&text[1..]) {
                let mut file = part.name.rsplit('/').next().unwrap_or_default().to_owned();
                if let Some(extension) = &extension
                    && !file.contains('.')
                {
                    file = format!("{file}.{extension}");
                }
                element.set_text(format!("/{home}/{file}"));
                moved.push((format!("{home}/{file}"), part));
            }
        });
        for (path, part) in moved {
            self.taken.insert(names::fold(&part.name));
            self.insert(&path, part.data.clone())?;
        }
        Ok(())
    }

    fn table(&mut self, mut table: Element) -> Result<(), PackageError> {
        let Some(name) = table.child_text("Name") else {
            let finding = Finding::error(
                UNDOCUMENTED,
                CUSTOMIZATIONS_XML,
                "a table has no name".to_owned(),
            );
            self.impossible.push(finding.at(table.line));
            return Ok(());
        };
        let home = format!("{TABLES}/{}", plain(&name).to_lowercase());
        self.listed.insert(home.clone());
        for section in SECTIONS {
            self.section(section, &home, &mut table, &name)?;
        }
        self.named_parts(&table);
        self.element(&format!("{home}/entity.yml"), &table)
    }

    fn section(
        &mut self,
        section: &Section,
        home: &str,
        table: &mut Element,
        name: &str,
    ) -> Result<(), PackageError> {
        let folder = format!("{home}/{}", section.folder);
        let Some((last, above)) = section.path.split_last() else {
            for ribbon in table.take(section.element) {
                self.listed.insert(folder.clone());
                self.element(&format!("{folder}/ribbondiff.yml"), &ribbon)?;
            }
            return Ok(());
        };
        let mut holder = &mut *table;
        for step in above {
            match holder.child_mut(step) {
                Some(child) => holder = child,
                None => return Ok(()),
            }
        }
        let mut pieces: Vec<(String, Element)> = Vec::new();
        for list in holder.take(last) {
            if list.children().next().is_none() {
                // An empty list says so in the table's own file.
                holder.push(list);
                continue;
            }
            for piece in list.into_children() {
                if section.element == "systemform" && piece.name == "forms" {
                    let kind = piece.attribute("type").unwrap_or("main").to_owned();
                    pieces.extend(piece.into_children().map(|form| (kind.clone(), form)));
                } else {
                    pieces.push((String::new(), piece));
                }
            }
        }
        for (number, (kind, piece)) in pieces.into_iter().enumerate() {
            if !section.documented {
                self.without_form(section.folder, name);
            }
            self.named_parts(&piece);
            let key = match section.element {
                "attribute" => piece.child_text("LogicalName").or(piece.child_text("Name")),
                "EntityKey" => piece.child_text("Name").or(piece.child_text("LogicalName")),
                "systemform" => piece.child_text("formid"),
                "savedquery" => piece.child_text("savedqueryid"),
                _ => piece.child_text("savedqueryvisualizationid"),
            };
            let key = key.map_or_else(|| format!("{:04}", number + 1), |key| plain(&key));
            let (listed, path) = match section.element {
                "attribute" | "EntityKey" => {
                    let path = format!("{folder}/{}.yml", key.to_lowercase());
                    (path.clone(), path)
                }
                element => {
                    let own = match kind.as_str() {
                        "" => format!("{folder}/{key}"),
                        kind => format!("{folder}/{kind}/{key}"),
                    };
                    (own.clone(), format!("{own}/{element}.yml"))
                }
            };
            self.listed.insert(listed);
            self.element(&path, &piece)?;
        }
        Ok(())
    }

    /// Parts that keep their place under their folder in lower case, because elements of kinds
    /// without a form of their own name them.
    fn named_parts(&mut self, element: &Element) {
        let mut named = Vec::new();
        let package = self.package;
        element.for_each(&mut |element| {
            let text = element.text();
            if let Some(name) = text.strip_prefix('/')
                && let Some(part) = package.find(name)
            {
                named.push(part.name.clone());
                // A control's manifest stands for its whole folder.
                if element.name == "FileName"
                    && part.name.starts_with("Controls/")
                    && let Some((folder, _)) = part.name.rsplit_once('/')
                {
                    let inside = format!("{folder}/");
                    let parts = package.parts().iter();
                    let inside = parts.filter(|part| part.name.starts_with(&inside));
                    named.extend(inside.map(|part| part.name.clone()));
                }
            }
        });
        named.sort();
        named.dedup();
        for name in named {
            self.named.insert(names::fold(&name));
            let top = name.split('/').next().unwrap_or_default();
            self.without_form(&format!("the parts in {top}"), &name);
        }
    }

    /// A collection without a documented form.
    fn by_pattern(&mut self, collection: Element) -> Result<(), PackageError> {
        if collection.children().next().is_none() && collection.text().is_empty() {
            return Ok(());
        }
        let folder = collection.name.to_ascii_lowercase();
        let known = forms::collection_of(&folder) == Some(collection.name.as_str());
        if !known || !collection.attributes.is_empty() || !collection.text().is_empty() {
            let message = format!(
                "the collection `{}` has no form in this layout",
                collection.name
            );
            let finding = Finding::error(UNDOCUMENTED, CUSTOMIZATIONS_XML, message);
            self.impossible.push(finding.at(collection.line));
            return Ok(());
        }
        let name = collection.name.clone();
        let mut keys = BTreeSet::new();
        for (number, component) in collection.into_children().enumerate() {
            let key = USUAL_KEYS.iter().find_map(|key| key.of(&component));
            let key = key.filter(|key| keys.insert(key.to_lowercase()));
            let key = key.unwrap_or_else(|| format!("{:04}", number + 1));
            self.without_form(&name, &key);
            self.named_parts(&component);
            let home = format!("{folder}/{key}");
            let path = format!("{home}/{}.yml", component.name.to_ascii_lowercase());
            self.listed.insert(home);
            self.element(&path, &component)?;
        }
        Ok(())
    }

    /// The parts that no component named and moved: pass-through, and those of undocumented kinds.
    fn parts(&mut self) -> Result<(), PackageError> {
        for part in self.package.parts() {
            let root = [SOLUTION_XML, CUSTOMIZATIONS_XML, CONTENT_TYPES_XML];
            if root.iter().any(|name| part.name.eq_ignore_ascii_case(name))
                || self.taken.contains(&names::fold(&part.name))
            {
                continue;
            }
            let Some((top, rest)) = part.name.split_once('/') else {
                let message = "a part of the root has no place in a folder and is left out";
                self.findings
                    .push(Finding::warning(NO_PLACE, &part.name, message.to_owned()));
                continue;
            };
            // Folders of collections are in lower case, all others as they are.
            let is_collection = forms::COLLECTIONS
                .iter()
                .any(|name| name.eq_ignore_ascii_case(top))
                || matches!(top, "Controls" | "Formulas" | "Connector");
            if is_collection && !self.named.contains(&names::fold(&part.name)) {
                let message = "no component names it; it is left out";
                self.findings
                    .push(Finding::warning(NO_PLACE, &part.name, message.to_owned()));
                continue;
            }
            let folder = if is_collection {
                top.to_ascii_lowercase()
            } else {
                top.to_owned()
            };
            if !DOCUMENTED_PARTS.contains(&top) && !is_collection {
                self.without_form(&format!("the pass-through parts in {top}"), &part.name);
            }
            let path = format!("{folder}/{rest}");
            self.listed.insert(match rest.split_once('/') {
                Some((name, _)) => format!("{folder}/{name}"),
                None => path.clone(),
            });
            self.insert(&path, part.data.clone())?;
        }
        Ok(())
    }

    /// Everything that has no documented form, at once.
    fn refuse(&mut self, allowed: bool) -> Result<(), PackageError> {
        let mut errors = std::mem::take(&mut self.impossible);
        for (kind, (count, example)) in &self.undocumented {
            let message = format!(
                "{kind} ({count}, for example {example}): the form in this layout is not documented"
            );
            if allowed {
                let message = format!(
                    "{message}; it follows the pattern of the others, and other tools may not read it"
                );
                self.findings
                    .push(Finding::warning(UNDOCUMENTED, CUSTOMIZATIONS_XML, message));
            } else {
                errors.push(Finding::error(UNDOCUMENTED, CUSTOMIZATIONS_XML, message));
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(PackageError::NoYamlForm { findings: errors })
        }
    }
}
