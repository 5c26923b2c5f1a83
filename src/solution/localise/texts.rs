//! Every label of a source tree with the name that resource files give it.

use std::ops::Range;

use roxmltree::{Document, Node};

use crate::solution::component::fragment::{child, elements};
use crate::solution::xml::{Fault, decode};
use crate::solution::{PackageError, SOLUTION_FILE, SourceTree};

/// A label in some languages.
#[derive(Debug)]
pub(super) struct Text {
    /// `<component type>:<element>,<identifier>`.
    pub name: String,
    /// What a translator is told about it.
    pub comment: String,
    /// The file it stands in.
    pub file: String,
    /// Its texts, in the order of the file.
    pub labels: Vec<Label>,
}

/// A label in one language.
#[derive(Debug)]
pub(super) struct Label {
    pub language: u32,
    pub value: String,
    /// Where the value stands between its quotes, in the text of the file without its mark.
    pub value_at: Range<usize>,
    /// Where the number of the language stands.
    pub language_at: Range<usize>,
    /// Where the element stands.
    pub whole: Range<usize>,
}

impl Text {
    /// The text in a language.
    pub fn value(&self, language: u32) -> Option<&str> {
        let label = self.labels.iter().find(|label| label.language == language);
        label.map(|label| label.value.as_str())
    }

    /// The languages that have a text.
    pub fn languages(&self) -> impl Iterator<Item = u32> {
        self.labels.iter().map(|label| label.language)
    }

    /// Language and text of each label.
    pub fn values(&self) -> Vec<(u32, &str)> {
        let pairs = self.labels.iter();
        pairs
            .map(|label| (label.language, label.value.as_str()))
            .collect()
    }
}

/// The labels of a tree.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// Those that have a name, in the order of the files.
    pub texts: Vec<Text>,
    /// How many have none, by file.
    pub unnamed: Vec<(String, usize)>,
}

/// Finds all labels of a tree.
///
/// # Errors
///
/// [`PackageError::Xml`].
pub(super) fn texts_of(tree: &SourceTree) -> Result<Texts, PackageError> {
    let mut found = Texts::default();
    for (path, data) in tree.iter() {
        if !path.to_ascii_lowercase().ends_with(".xml") || path.starts_with("Resources/") {
            continue;
        }
        let text = decode(path, data)?;
        let document = document(path, &text)?;
        let mut file = File {
            path,
            owner: Owner::of(tree, path, document.root_element())?,
            texts: &mut found.texts,
            unnamed: 0,
        };
        file.below(document.root_element());
        if file.unnamed > 0 {
            let count = file.unnamed;
            found.unnamed.push((path.to_owned(), count));
        }
    }
    Ok(found)
}

/// The number of the solution's own language, from `Other/Solution.xml`.
pub(super) fn base_language(tree: &SourceTree) -> Option<u32> {
    let text = decode(SOLUTION_FILE, tree.get(SOLUTION_FILE)?).ok()?;
    let document = document(SOLUTION_FILE, &text).ok()?;
    let number = document.root_element().attribute("languagecode")?;
    number.trim().parse().ok()
}

/// Reads an XML text.
pub(super) fn document<'t>(file: &str, text: &'t str) -> Result<Document<'t>, PackageError> {
    Document::parse(text).map_err(|error| {
        let at = error.pos();
        let offset = text
            .lines()
            .take(at.row as usize - 1)
            .map(|l| l.len() + 1)
            .sum();
        Fault::new(offset, format!("it is not well formed: {error}")).in_file(file, text)
    })
}

/// What a file is about, as far as the names of its labels say it.
enum Owner {
    /// A table: the text of `Name`.
    Table(String),
    /// A form of a table: the table's display name, and the form's id.
    Form {
        table: String,
        form: String,
    },
    /// A view of a table: the table's display name.
    View(String),
    Choice,
    Relationships,
    App,
    AppSiteMap,
    Dashboard,
    Workflow,
    Solution,
    /// Something whose labels no sample names.
    Other,
}

impl Owner {
    fn of(tree: &SourceTree, path: &str, root: Node<'_, '_>) -> Result<Self, PackageError> {
        let steps: Vec<&str> = path.split('/').collect();
        Ok(match steps.as_slice() {
            ["Entities", _, "Entity.xml"] => Self::Table(child_text(root, "Name")),
            ["Entities", table, "FormXml", _, _] => Self::Form {
                table: display_name(tree, table)?,
                form: child(root, "systemform")
                    .map(|form| child_text(form, "formid"))
                    .unwrap_or_default(),
            },
            ["Entities", table, "SavedQueries", _] => Self::View(display_name(tree, table)?),
            ["OptionSets", _] => Self::Choice,
            ["Other", "Relationships", _] => Self::Relationships,
            ["AppModules", ..] => Self::App,
            ["AppModuleSiteMaps", ..] => Self::AppSiteMap,
            ["Dashboards", _] => Self::Dashboard,
            ["Workflows", _] => Self::Workflow,
            ["Other", "Solution.xml"] => Self::Solution,
            _ => Self::Other,
        })
    }
}

/// A table's name for people, by the folder of the table; its own name if it has none.
fn display_name(tree: &SourceTree, folder: &str) -> Result<String, PackageError> {
    let path = format!("Entities/{folder}/Entity.xml");
    let Some(data) = tree.get(&path) else {
        return Ok(folder.to_owned());
    };
    let text = decode(&path, data)?;
    let document = document(&path, &text)?;
    let name = child(document.root_element(), "Name");
    Ok(name
        .and_then(|name| name.attribute("LocalizedName").or(name.text()))
        .unwrap_or(folder)
        .to_owned())
}

fn child_text(node: Node<'_, '_>, name: &str) -> String {
    let text = child(node, name).and_then(|child| child.text());
    text.unwrap_or_default().trim().to_owned()
}

struct File<'f> {
    path: &'f str,
    owner: Owner,
    texts: &'f mut Vec<Text>,
    unnamed: usize,
}

impl File<'_> {
    fn below(&mut self, node: Node<'_, '_>) {
        let labels: Vec<(Node<'_, '_>, Label)> = elements(node)
            .filter_map(|child| Some((child, label(child)?)))
            .collect();
        if let Some((first, _)) = labels.first() {
            match self.named(node, first.tag_name().name()) {
                Some((name, comment)) => self.texts.push(Text {
                    name,
                    comment,
                    file: self.path.to_owned(),
                    labels: labels.into_iter().map(|(_, label)| label).collect(),
                }),
                None => self.unnamed += 1,
            }
        }
        elements(node).for_each(|child| self.below(child));
    }

    /// Name and comment of the labels in `list`, whose elements are called `element`.
    fn named(&self, list: Node<'_, '_>, element: &str) -> Option<(String, String)> {
        let holder = list.parent_element()?;
        let name = |number: u32, id: &str| format!("{number}:{element},{id}");
        match &self.owner {
            Owner::Table(table) => self.of_table(table, holder, element),
            Owner::Form { table, form } => {
                let titled = element == "Title";
                let tag = holder.tag_name().name();
                let id = match tag {
                    "systemform" => form.clone(),
                    _ if titled => holder.attribute("Id")?.to_owned(),
                    _ => holder.attribute("id")?.to_owned(),
                };
                let key = match titled {
                    true => format!("{table}{id}{form}"),
                    false => format!("{table}{id}"),
                };
                let comment =
                    format!("'{table}' : {element} for {tag} in Entity FormXml ID: '{id}'");
                Some((name(1, &key), comment))
            }
            Owner::View(table) => {
                let id = child_text(holder, "savedqueryid");
                let comment =
                    format!("'{table}' : {element} for SavedQuery on Entity QueryId: '{id}'");
                Some((name(1, &format!("{table}{id}")), comment))
            }
            Owner::Choice => {
                if let Some(choice) = holder.attribute("Name") {
                    let comment = format!("'{choice}' : {element} for OptionSet");
                    return Some((name(9, choice), comment));
                }
                let value = holder.attribute("value").filter(|_| element == "label")?;
                let choice = holder.ancestors().find_map(|node| node.attribute("Name"))?;
                let comment = format!("'{choice}' : {element} for OptionSet Value '{value}'");
                Some((name(9, &format!("{choice}{value}")), comment))
            }
            Owner::Relationships => {
                let relationship = list
                    .ancestors()
                    .find(|node| node.has_tag_name("EntityRelationship"))?;
                let id = relationship.attribute("Name")?;
                let table = child_text(relationship, "ReferencingEntityName");
                let comment = format!("{table} {element} for EntityRelationship '{id}'");
                Some((name(10, id), comment))
            }
            Owner::App => {
                let id = child_text(holder, "UniqueName");
                let comment = format!(" '{id}' : {element} for AppModule");
                (!id.is_empty()).then(|| (name(80, &id), comment))
            }
            Owner::AppSiteMap => {
                if holder.has_tag_name("AppModuleSiteMap") {
                    let id = child_text(holder, "SiteMapUniqueName");
                    let comment = format!("'{id}' : {element} for AppModuleSiteMap");
                    return Some((name(81, &id), comment));
                }
                let area = holder.ancestors().find(|node| node.has_tag_name("Area"))?;
                let (area, id) = (area.attribute("Id")?, holder.attribute("Id")?);
                let tag = holder.tag_name().name();
                let comment = format!("{element} for Area '{area}' {tag} '{id}'");
                Some((name(81, &format!("{area}{id}")), comment))
            }
            Owner::Dashboard if holder.has_tag_name("Dashboard") => {
                let id = child_text(holder, "FormId");
                (element == "LocalizedName").then(|| (name(222, &id), "'DashBoard'".to_owned()))
            }
            Owner::Workflow => {
                if let Some(step) = list.attribute("id") {
                    let flow = list.ancestors().find_map(|node| node.attribute("Name"))?;
                    let comment = format!("'{flow}:{step}' : {element} for Workflow Label");
                    return Some((name(29, step), comment));
                }
                let (id, flow) = (holder.attribute("WorkflowId")?, holder.attribute("Name")?);
                Some((name(29, id), format!("'{flow}' : {element} for Workflow")))
            }
            Owner::Solution => {
                let unique = child_text(holder, "UniqueName");
                let (id, what) = match holder.tag_name().name() {
                    "SolutionManifest" => (unique.clone(), "Solution"),
                    _ => {
                        let prefix = child_text(holder, "CustomizationPrefix");
                        let values = child_text(holder, "CustomizationOptionValuePrefix");
                        (format!("{unique}{prefix}{values}"), "Solution Publisher")
                    }
                };
                Some((
                    name(15062, &id),
                    format!(" '{unique}' : {element} for {what}"),
                ))
            }
            Owner::Dashboard | Owner::Other => None,
        }
    }

    fn of_table(
        &self,
        table: &str,
        holder: Node<'_, '_>,
        element: &str,
    ) -> Option<(String, String)> {
        let (id, comment) = match holder.tag_name().name() {
            "attribute" => {
                let column = holder.attribute("PhysicalName")?;
                let comment = format!("'{table}' : {element} for Attribute '{column}' on Entity");
                (format!("{table}{column}"), comment)
            }
            "optionset" => {
                let choice = holder.attribute("Name")?;
                let comment = format!("'{table}' : {element} for OptionSet '{choice}' on Entity");
                (format!("{table}{choice}"), comment)
            }
            tag @ ("option" | "state" | "status") if element == "label" => {
                let value = holder.attribute("value")?;
                let choice = holder
                    .ancestors()
                    .find(|node| node.has_tag_name("optionset"))?;
                let choice = choice.attribute("Name")?;
                let comment = format!("'{table}' : {element} for {tag} '{value}' on Entity");
                (format!("{table}{choice}{value}"), comment)
            }
            "entity" => {
                let own = holder.attribute("Name")?;
                let comment = format!(" '{table}' : {element} for Entity");
                (format!("{table}entity{own}"), comment)
            }
            _ => return None,
        };
        Some((format!("1:{element},{id}"), comment))
    }
}

/// An element that is a text in a language.
fn label(node: Node<'_, '_>) -> Option<Label> {
    let attribute = |names: &[&str]| names.iter().find_map(|name| node.attribute_node(*name));
    let language = attribute(&["languagecode", "LCID"])?;
    let value = attribute(&["description", "Title", "Description"])?;
    Some(Label {
        language: language.value().trim().parse().ok()?,
        value: value.value().to_owned(),
        value_at: value.range_value(),
        language_at: language.range_value(),
        whole: node.range(),
    })
}
