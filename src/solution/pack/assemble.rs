//! `customizations.xml` and the parts, put together from the skeleton and the files.

use std::collections::{HashMap, HashSet};

use super::built::{Bench, Built};
use super::listing::Listing;
use super::{PackOptions, entity, files, plugin_remap, relationships, templates};
use crate::solution::checks::Present;
use crate::solution::container::Part;
use crate::solution::layout::{self, Shape};
use crate::solution::xml::outline::{Element, Ends, Layers, Outline};
use crate::solution::xml::scan::{Scanner, Tag};
use crate::solution::xml::write::{Divert, Namespaces, Writer};
use crate::solution::xml::{Fault, line_at};
use crate::solution::{CUSTOMIZATIONS_FILE, Finding, PackageError, names};

/// Everything of a package but `solution.xml` and the content types.
pub(super) struct Assembled {
    pub customizations: Vec<u8>,
    /// The other parts in their order.
    pub parts: Vec<Part>,
    pub present: Vec<Present>,
    pub findings: Vec<Finding>,
}

/// Fills the placeholders of the skeleton, `Other/Customizations.xml`.
pub(super) fn customizations<'t>(
    skeleton: &'t str,
    listing: Listing<'t>,
    managed: bool,
    options: &'t PackOptions,
) -> Result<Assembled, PackageError> {
    let outline = Outline {
        text: skeleton,
        deepest: options.limits.xml_depth,
    };
    let located = |fault: Fault| fault.in_file(CUSTOMIZATIONS_FILE, skeleton);
    let layers = outline.layers(Ends::Counted).map_err(located)?;
    let namespaces = layers.root.namespaces().map_err(located)?;
    let bench = Bench {
        listing,
        managed,
        namespaces,
        options,
    };
    let mut collections = HashMap::new();
    let mut order = Vec::new();
    let mut claimed = HashSet::new();
    for (element, components) in &layers.children {
        claimed.extend(claimed_folders(element.name));
        if collections.contains_key(element.name) {
            // A second placeholder holds nothing; the first has taken all.
            if components.is_empty() {
                continue;
            }
            let reason = format!("the collection `{}` stands twice", element.name);
            let line = line_at(skeleton, element.span.start);
            return Err(PackageError::Component {
                file: CUSTOMIZATIONS_FILE.to_owned(),
                line,
                reason,
            });
        }
        let built = build_collection(&bench, element, !components.is_empty())?;
        order.push(element.name);
        collections.insert(element.name, built);
    }
    if options.remap_plugins {
        plugin_remap::apply(&mut collections);
    }
    finish(&bench, outline, &layers, (order, collections), &claimed)
}

/// Builds what belongs into a collection; nothing if it stays as it stands in the skeleton.
fn build_collection(
    bench: &Bench<'_>,
    element: &Element<'_>,
    filled: bool,
) -> Result<Option<Built>, PackageError> {
    let shape = shape_of(element.name);
    let folder = layout::rule_of(element.name).map_or(element.name, |rule| rule.folder);
    // Content in the skeleton itself wins: that is how inline collections are kept.
    if filled || shape == Shape::Inline {
        return Ok(None);
    }
    let collection = element.name;
    Ok(Some(match shape {
        // Built when its place in the document is reached.
        Shape::Entities => Built::default(),
        Shape::Each(_, sub) => {
            let folder = if sub.is_empty() {
                folder.to_owned()
            } else {
                format!("{folder}/{sub}")
            };
            files::each(bench, collection, &folder)?
        }
        Shape::Whole(path) => files::whole(bench, collection, path)?,
        Shape::WholeTwin(path) => files::whole_twin(bench, collection, path)?,
        Shape::BesidePayload(elements) => {
            files::beside_payload(bench, collection, folder, elements)?
        }
        Shape::WebResources => files::web_resources(bench)?,
        Shape::FolderTwin(_, file) => files::folder_twin(bench, collection, folder, file)?,
        Shape::CanvasApps => files::canvas_apps(bench)?,
        Shape::Connectors => files::connectors(bench)?,
        Shape::Relationships => relationships::build(bench)?,
        Shape::Reports => files::reports(bench)?,
        Shape::Templates => templates::build(bench)?,
        Shape::Inline | Shape::Unknown => files::unknown(bench, &names::file_name(element.name))?,
    }))
}

fn claimed_folders(collection: &str) -> Vec<String> {
    match layout::rule_of(collection) {
        Some(rule) => [rule.folder, rule.zip_folder]
            .into_iter()
            .chain((collection == "ServiceEndpoints").then_some("PluginAssemblies"))
            .filter(|folder| !folder.is_empty())
            .map(names::fold)
            .collect(),
        None => vec![names::fold(&names::file_name(collection))],
    }
}

type Collections<'t> = (Vec<&'t str>, HashMap<&'t str, Option<Built>>);

/// Writes the document and gathers the parts.
fn finish<'t>(
    bench: &Bench<'t>,
    outline: Outline<'t>,
    layers: &Layers<'t>,
    (order, mut collections): Collections<'t>,
    claimed: &HashSet<String>,
) -> Result<Assembled, PackageError> {
    let built: usize = collections
        .values()
        .flatten()
        .map(|built| built.xml.len())
        .sum();
    let tables = bench.listing.bytes_below("Entities");
    let text = outline.text;
    // Elements stand deeper in the document than in their files, by two spaces a line.
    let size = built + tables + tables / 8 + text.len();
    let mut writer = Writer::file(bench.newline(), size);
    let root = &layers.root;
    let written = writer
        .prolog(text, 0..root.span.start)
        .map_err(Stop::from)
        .and_then(|()| {
            let mut fill = Fill {
                bench,
                collections: &mut collections,
            };
            writer.copy_diverting(outline, root, Namespaces::Keep, &mut fill)
        })
        .and_then(|()| Ok(writer.prolog(text, root.span.end..text.len())?));
    written.map_err(|stop| match stop {
        Stop::Fault(fault) => fault.in_file(CUSTOMIZATIONS_FILE, text),
        Stop::Refused(error) => error,
    })?;

    let mut assembled = Assembled {
        customizations: writer.finish(),
        parts: Vec::new(),
        present: Vec::new(),
        findings: Vec::new(),
    };
    let mut taken: HashMap<String, String> = HashMap::new();
    let mut used = HashSet::new();
    for name in order {
        let Some(built) = collections.remove(name).flatten() else {
            continue;
        };
        assembled.present.extend(built.present);
        assembled.findings.extend(built.findings);
        for payload in built.payloads {
            used.insert(names::fold(&payload.file));
            // A file that two components name is one part.
            let known = taken.insert(names::fold(&payload.part), payload.file.clone());
            match known {
                None => assembled.parts.push(Part {
                    name: payload.part,
                    data: payload.data,
                }),
                Some(file) if file == payload.file => {}
                Some(file) => {
                    return Err(PackageError::Collision {
                        first: file,
                        second: payload.file,
                    });
                }
            }
        }
    }
    pass_through(bench, claimed, &used, &mut assembled);
    Ok(assembled)
}

/// Puts the contents of the collections where their placeholders stand.
struct Fill<'c, 't> {
    bench: &'c Bench<'t>,
    collections: &'c mut HashMap<&'t str, Option<Built>>,
}

/// Why the document cannot be written.
enum Stop {
    /// The skeleton is not XML.
    Fault(Fault),
    /// A table cannot be built.
    Refused(PackageError),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<'t> Divert<'t> for Fill<'_, 't> {
    type Error = Stop;

    fn wants(&self, depth: usize, _: &str) -> bool {
        depth == 1
    }

    fn take(
        &mut self,
        writer: &mut Writer<'t>,
        scanner: &mut Scanner<'t>,
        tag: Tag<'t>,
    ) -> Result<(), Stop> {
        let element = scanner.element(tag)?;
        let outline = Outline::of(scanner);
        let name = element.name;
        let Some(built) = self.collections.get_mut(name).and_then(Option::as_mut) else {
            if is_empty(outline, &element)? {
                writer.empty(name);
            } else {
                writer.copy(outline, &element, Namespaces::Keep)?;
            }
            return Ok(());
        };
        if shape_of(name) == Shape::Entities {
            return tables(self.bench, writer, name, built).map_err(Stop::Refused);
        }
        let xml = std::mem::take(&mut built.xml);
        match shape_of(name) {
            _ if xml.is_empty() => writer.empty(name),
            // One that is a file of its own brings its own tags.
            Shape::Whole(_) | Shape::WholeTwin(_) => writer.raw(&xml),
            _ => {
                writer.begin(name, "");
                writer.raw(&xml);
                writer.end();
            }
        }
        Ok(())
    }
}

/// Builds and writes the collection of tables.
fn tables<'t>(
    bench: &Bench<'t>,
    writer: &mut Writer<'t>,
    name: &'t str,
    all: &mut Built,
) -> Result<(), PackageError> {
    let mut begun = false;
    entity::build_all(bench, |table| {
        if !table.xml.is_empty() && !begun {
            writer.begin(name, "");
            begun = true;
        }
        writer.raw(&table.xml);
        all.append_beside_xml(table);
    })?;
    if begun {
        writer.end();
    } else {
        writer.empty(name);
    }
    Ok(())
}

fn shape_of(collection: &str) -> Shape {
    layout::rule_of(collection).map_or(Shape::Unknown, |rule| rule.shape)
}

/// Adds the files of unclaimed folders; reports what is left out (facts §7.5, §19).
fn pass_through(
    bench: &Bench<'_>,
    claimed: &HashSet<String>,
    used: &HashSet<String>,
    assembled: &mut Assembled,
) {
    for file in bench.listing.walk() {
        let Some((top, _)) = file.path.split_once('/') else {
            continue;
        };
        if layout::NEVER_PACKED
            .iter()
            .any(|folder| folder.eq_ignore_ascii_case(top))
        {
            continue;
        }
        if !claimed.contains(&names::fold(top)) {
            if layout::RULES
                .iter()
                .any(|rule| rule.folder.eq_ignore_ascii_case(top))
            {
                let message = format!(
                    "`{top}` is the folder of a component type that {CUSTOMIZATIONS_FILE} does not \
                     have; the file is packed as it is and will not be imported as a component"
                );
                assembled
                    .findings
                    .push(Finding::warning("ALM-P123", file.path, message));
            }
            assembled.parts.push(Part {
                name: file.path.to_owned(),
                data: file.data.clone(),
            });
        } else if !used.contains(&names::fold(file.path)) && !is_source_form(file.path) {
            let message = "no component names this file; it is left out".to_owned();
            assembled
                .findings
                .push(Finding::note("ALM-P124", file.path, message));
        }
    }
}

/// Whether a file in a claimed folder is read as a component or as data of one.
fn is_source_form(path: &str) -> bool {
    const READ_WHOLE: [&str; 8] = [
        "entities",
        "roles",
        "optionsets",
        "dashboards",
        "interactioncentricdashboards",
        "sdkmessageprocessingsteps",
        "templates",
        "appmodules",
    ];
    let top = path.split('/').next().unwrap_or_default().to_lowercase();
    path.ends_with(".xml") || READ_WHOLE.contains(&top.as_str())
}

/// Whether an element of the skeleton has neither children nor text.
fn is_empty<'t>(outline: Outline<'t>, element: &Element<'t>) -> Result<bool, Fault> {
    Ok(outline.children(element.inner.clone())?.is_empty() && outline.text_of(element)?.is_empty())
}
