//! Which files each collection becomes (facts §4 and §7).

use std::collections::HashSet;

use super::recipe::{Carve, Form, Precedence, Recipe};
use super::source::{Source, has_a_place};
use super::{entity, relationships, templates};
use crate::solution::layout::{self, Key, Shape};
use crate::solution::xml::outline::Element;
use crate::solution::{Finding, PackageError, names};

/// Plans the files of all collections, in the order of the document.
pub(super) fn plan<'a>(source: &mut Source<'a>) -> Result<Vec<Recipe<'a>>, PackageError> {
    let collections = std::mem::take(&mut source.layers.children);
    let mut recipes = Vec::new();
    for (collection, components) in &collections {
        let rule = layout::rule_of(collection.name);
        let shape = rule.map_or(Shape::Unknown, |rule| rule.shape);
        let folder = rule.map_or(collection.name, |rule| rule.folder);
        if !has_a_place(shape) && (shape == Shape::Inline || components.is_empty()) {
            source.inline.insert(collection.name);
            continue;
        }
        plan_collection(
            source,
            (collection, components),
            shape,
            folder,
            &mut recipes,
        )?;
    }
    source.layers.children = collections;
    Ok(recipes)
}

fn plan_collection<'a>(
    source: &mut Source<'a>,
    (collection, components): (&Element<'a>, &[Element<'a>]),
    shape: Shape,
    folder: &str,
    recipes: &mut Vec<Recipe<'a>>,
) -> Result<(), PackageError> {
    match shape {
        Shape::Entities => {
            for component in components {
                let name = required(source, component, Key::Child("Name"))?;
                let folder = format!("Entities/{}", names::file_name(&name));
                for formula in entity::formulas(source, component)? {
                    let path = source.text(&formula)?;
                    let file = path.rsplit('/').next().unwrap_or(&path);
                    let file = format!("{folder}/Formulas/{file}");
                    recipes.extend(tolerated(source, &path, file, &formula));
                }
                recipes.push(Recipe::Entity {
                    folder,
                    element: component.clone(),
                });
            }
        }
        Shape::Each(key, sub_folder) => {
            if !all_named(source, collection, components, key)? {
                return Ok(());
            }
            for component in components {
                let name = required(source, component, key)?;
                let folder = if sub_folder.is_empty() {
                    folder.to_owned()
                } else {
                    format!("{folder}/{sub_folder}")
                };
                let path = format!("{folder}/{}", with_xml(&names::file_name(&name)));
                recipes.push(one(path, Precedence::UnmanagedWins, Form::Plain, component));
            }
        }
        Shape::Whole(path) if !components.is_empty() => {
            recipes.push(one(
                path.to_owned(),
                Precedence::UnmanagedWins,
                Form::Plain,
                collection,
            ));
        }
        Shape::WholeTwin(path) if !components.is_empty() => {
            recipes.push(one(
                twin(source, path),
                Precedence::Twin,
                Form::Plain,
                collection,
            ));
        }
        Shape::Whole(_) | Shape::WholeTwin(_) => {}
        Shape::BesidePayload(elements) => {
            for component in components {
                beside_payload(source, collection.name, elements, component, recipes)?;
            }
        }
        Shape::WebResources => {
            for component in components {
                web_resource(source, component, recipes)?;
            }
        }
        Shape::FolderTwin(key, file) => {
            let form = if file == "AppModule" {
                Form::App
            } else {
                Form::Plain
            };
            if !all_named(source, collection, components, Key::Child(key))? {
                return Ok(());
            }
            for component in components {
                let name = required(source, component, Key::Child(key))?;
                let path = twin(
                    source,
                    &format!("{folder}/{}/{file}", names::file_name(&name)),
                );
                recipes.push(one(path, Precedence::Twin, form, component));
            }
        }
        Shape::CanvasApps => {
            for component in components {
                canvas_app(source, component, recipes)?;
            }
        }
        Shape::Connectors => {
            for component in components {
                connector(source, component, recipes)?;
            }
        }
        Shape::Relationships => {
            recipes.extend(relationships::plan(source, collection, components)?);
        }
        Shape::Reports => {
            for component in components {
                report(source, component, recipes)?;
            }
        }
        Shape::Templates => recipes.extend(templates::plan(source, components)?),
        Shape::Inline | Shape::Unknown => unknown(source, collection, components, recipes)?,
    }
    Ok(())
}

/// Whether each component has what names its file. If not, the collection stays where it is: what
/// Microsoft's tool does then is not known, and nothing is lost.
fn all_named<'a>(
    source: &mut Source<'a>,
    collection: &Element<'a>,
    components: &[Element<'a>],
    key: Key,
) -> Result<bool, PackageError> {
    for component in components {
        if value(source, component, key)?.is_none() {
            let message = format!(
                "a `<{}>` has no `{}`, which names its file; all of `{}` stays in {}",
                component.name,
                key.first(),
                collection.name,
                crate::solution::CUSTOMIZATIONS_FILE
            );
            let finding = Finding::warning("ALM-P105", source.file, message);
            let line = source.line(component);
            source.findings.push(finding.at(line));
            source.inline.insert(collection.name);
            return Ok(false);
        }
    }
    Ok(true)
}

/// A file of one element.
fn one<'a>(path: String, precedence: Precedence, form: Form, element: &Element<'a>) -> Recipe<'a> {
    Recipe::Carve(Carve {
        path,
        precedence,
        wrapper: None,
        elements: vec![element.clone()],
        form,
    })
}

fn twin(source: &Source<'_>, path: &str) -> String {
    if source.managed {
        format!("{path}_managed.xml")
    } else {
        format!("{path}.xml")
    }
}

/// A name that has an extension already, as it seems to .NET, gets no other (facts §4, traps).
fn with_xml(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, extension)) if !extension.is_empty() => names::as_windows_keeps(name).into_owned(),
        Some((stem, _)) => format!("{stem}.xml"),
        None => format!("{name}.xml"),
    }
}

fn value<'a>(
    source: &Source<'a>,
    element: &Element<'a>,
    key: Key,
) -> Result<Option<String>, PackageError> {
    Ok(match key {
        Key::Attribute(name) => element.attribute(name).map(Into::into),
        Key::Child(name) => source.child_text(element, name)?.map(Into::into),
        Key::Any(keys) => {
            let mut found = None;
            for name in keys {
                found = match value(source, element, Key::Attribute(name))? {
                    Some(value) => Some(value),
                    None => value(source, element, Key::Child(name))?,
                };
                if found.is_some() {
                    break;
                }
            }
            found
        }
    }
    .filter(|value: &String| !value.is_empty()))
}

fn required<'a>(
    source: &Source<'a>,
    element: &Element<'a>,
    key: Key,
) -> Result<String, PackageError> {
    value(source, element, key)?.ok_or_else(|| {
        source.refuse(
            element,
            format!(
                "`<{}>` has no `{}`, which names its file",
                element.name,
                key.first()
            ),
        )
    })
}

/// Workflows, plug-in assemblies and custom controls: `<payload>.data.xml` beside the payload.
fn beside_payload<'a>(
    source: &mut Source<'a>,
    collection: &str,
    elements: &[&str],
    component: &Element<'a>,
    recipes: &mut Vec<Recipe<'a>>,
) -> Result<(), PackageError> {
    let mut path = None;
    for element in elements {
        path = path.or(source.child_text(component, element)?);
    }
    if path.is_none() {
        // A kind of payload that came later than these names: its element ends alike.
        for child in source.children(component)? {
            if path.is_none() && child.name.ends_with("FileName") {
                path = Some(source.text(&child)?).filter(|path| path.starts_with('/'));
            }
        }
    }
    let Some(path) = path else {
        if component.attribute("unmodified").as_deref() == Some("1") {
            // Microsoft's tool drops it as well; the file it would be named by does not exist.
            let message = format!(
                "`<{}>` is unmodified and names no file; it is left out",
                component.name
            );
            let line = source.line(component);
            source
                .findings
                .push(Finding::warning("ALM-P103", source.file, message).at(line));
            return Ok(());
        }
        let reason = format!(
            "`<{}>` names no file in `{}`",
            component.name,
            elements.join("` or `")
        );
        return Err(source.refuse(component, reason));
    };
    let file = path.trim_start_matches('/').replace('\\', "/");
    let data = match source.optional_payload(&path) {
        Some(data) => data,
        None if component.attribute("unmodified").as_deref() == Some("1") => {
            let message = format!(
                "`<{}>` is unmodified and its file `{file}` is not in the package; it is left out",
                component.name
            );
            let line = source.line(component);
            source
                .findings
                .push(Finding::warning("ALM-P103", source.file, message).at(line));
            return Ok(());
        }
        None => source.payload(&path, component)?,
    };
    if collection == "CustomControls" {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (path, data) in source.payload_folder(folder) {
            recipes.push(Recipe::Payload { path, data });
        }
    } else {
        recipes.push(Recipe::Payload {
            path: file.clone(),
            data,
        });
    }
    recipes.push(one(
        format!("{file}.data.xml"),
        Precedence::UnmanagedWins,
        Form::Plain,
        component,
    ));
    Ok(())
}

/// Web resources: named by their own name, whose `/` make folders.
fn web_resource<'a>(
    source: &mut Source<'a>,
    component: &Element<'a>,
    recipes: &mut Vec<Recipe<'a>>,
) -> Result<(), PackageError> {
    let name = required(source, component, Key::Child("Name"))?;
    let segments: Vec<_> = name.split('/').map(names::file_name).collect();
    let path = format!("WebResources/{}", segments.join("/"));
    if let Some(part) = source.child_text(component, "FileName")? {
        let data = source.payload(&part, component)?;
        recipes.push(Recipe::Payload {
            path: names::as_windows_keeps(&path).into_owned(),
            data,
        });
    }
    let data_file = format!("{path}.data.xml");
    recipes.push(one(
        names::as_windows_keeps(&data_file).into_owned(),
        Precedence::UnmanagedWins,
        Form::Plain,
        component,
    ));
    Ok(())
}

/// Canvas apps: a file, and every part that an element ending in `Uri` names.
fn canvas_app<'a>(
    source: &mut Source<'a>,
    component: &Element<'a>,
    recipes: &mut Vec<Recipe<'a>>,
) -> Result<(), PackageError> {
    let name = required(source, component, Key::Child("Name"))?;
    for child in source.children(component)? {
        if child.name.ends_with("Uris") {
            // `AdditionalUris`, and `CodeAppPackageUris` of apps that are code.
            for uri in source.children(&child)? {
                let path = source.text(&uri)?;
                if !path.is_empty() {
                    let file = path.trim_start_matches('/').to_owned();
                    recipes.extend(tolerated(source, &path, file, &uri));
                }
            }
        } else if child.name.ends_with("Uri") {
            let path = source.text(&child)?;
            // An address elsewhere names no part.
            if path.starts_with('/') {
                let data = source.payload(&path, &child)?;
                recipes.push(Recipe::Payload {
                    path: path.trim_start_matches('/').to_owned(),
                    data,
                });
            }
        }
    }
    let path = format!("CanvasApps/{}.meta.xml", names::file_name(&name));
    recipes.push(one(path, Precedence::UnmanagedWins, Form::Plain, component));
    Ok(())
}

/// A part whose absence is no error: older packagers dropped it while they kept its name (facts
/// §8), or Microsoft's tool does not mind (formulas, facts §11).
fn tolerated<'a>(
    source: &mut Source<'a>,
    part: &str,
    path: String,
    asking: &Element<'a>,
) -> Option<Recipe<'a>> {
    let found = source.optional_payload(part);
    if found.is_none() {
        let part = part.trim_start_matches('/');
        let message = format!("the part `{part}` is missing; an older packager has dropped it");
        let line = source.line(asking);
        source
            .findings
            .push(Finding::warning("ALM-P104", source.file, message).at(line));
    }
    found.map(|data| Recipe::Payload { path, data })
}

/// Connectors: parts of the zip folder `Connector/` go to `Connectors/`.
fn connector<'a>(
    source: &mut Source<'a>,
    component: &Element<'a>,
    recipes: &mut Vec<Recipe<'a>>,
) -> Result<(), PackageError> {
    let name = required(source, component, Key::Child("name"))?;
    for child in source.children(component)? {
        let path = source.text(&child)?;
        if let Some(file) = path.strip_prefix("/Connector/") {
            let data = source.payload(&path, &child)?;
            recipes.push(Recipe::Payload {
                path: format!("Connectors/{file}"),
                data,
            });
        }
    }
    let path = format!("Connectors/{}.xml", names::file_name(&name));
    recipes.push(one(path, Precedence::UnmanagedWins, Form::Plain, component));
    Ok(())
}

/// Reports and the mappings of their signatures (facts §7.2).
fn report<'a>(
    source: &mut Source<'a>,
    component: &Element<'a>,
    recipes: &mut Vec<Recipe<'a>>,
) -> Result<(), PackageError> {
    if component.name != "Report" {
        let path = format!("Reports/{}.xml", names::file_name(component.name));
        recipes.push(one(path, Precedence::UnmanagedWins, Form::Bare, component));
        return Ok(());
    }
    let language = value(source, component, Key::Child("languagecode"))?;
    let language = language.unwrap_or_else(|| "0".to_owned());
    let id = required(source, component, Key::Child("reportid"))?;
    // A report that is a link to a page has no file.
    let file = required(
        source,
        component,
        Key::Any(&["filename", "name", "reportid"]),
    )?;
    let path = format!(
        "Reports/{}/{}/{}",
        names::file_name(&language),
        names::file_name(&id),
        names::file_name(&file)
    );
    if let Some(part) = source.child_text(component, "ExportedFileName")? {
        let data = source.payload(&part, component)?;
        recipes.push(Recipe::Payload {
            path: path.clone(),
            data,
        });
    }
    recipes.push(one(
        format!("{path}.data.xml"),
        Precedence::UnmanagedWins,
        Form::Bare,
        component,
    ));
    Ok(())
}

/// A collection that is not known: a file per component if all have names (facts §7.4).
fn unknown<'a>(
    source: &mut Source<'a>,
    collection: &Element<'a>,
    components: &[Element<'a>],
    recipes: &mut Vec<Recipe<'a>>,
) -> Result<(), PackageError> {
    let mut named = Vec::with_capacity(components.len());
    for component in components {
        let mut name = value(source, component, Key::Attribute("Name"))?;
        for child in ["name", "Name", "schemaname"] {
            if name.is_none() {
                name = value(source, component, Key::Child(child))?;
            }
        }
        let Some(name) = name else {
            source.inline.insert(collection.name);
            return Ok(());
        };
        named.push((name, component));
    }
    let folder = names::file_name(collection.name);
    let mut taken = HashSet::new();
    for (name, component) in &named {
        if !taken.insert(names::fold(&names::file_name(name))) {
            // Microsoft's tool would overwrite the first and lose it. Nothing is known of these
            // components, their names may well be no keys, so this is no reason to refuse.
            let message = format!(
                "two `<{}>` are called `{name}`; all of `{}` stays in {}",
                component.name,
                collection.name,
                crate::solution::CUSTOMIZATIONS_FILE
            );
            let finding = Finding::warning("ALM-P105", source.file, message);
            let line = source.line(component);
            source.findings.push(finding.at(line));
            source.inline.insert(collection.name);
            return Ok(());
        }
    }
    for (name, component) in named {
        let path = format!("{folder}/{}.meta.xml", names::file_name(&name));
        recipes.push(one(path, Precedence::UnmanagedWins, Form::Plain, component));
    }
    Ok(())
}
