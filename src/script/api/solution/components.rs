//! The components of a package or a source tree: look at them, change them, put them back.

use rhai::plugin::{Dynamic, ImmutableString, export_module};
use rhai::{Array, Map};
use serde_json::Value;

use super::super::HostError;
use super::super::error::{Scripted, Thrown};
use super::super::package::Package;
use super::super::source_tree::SourceTree;
use super::map_of;
use crate::nearest::nearest;
use crate::script::Context;
use crate::script::kept::Keep;
use crate::solution::component::{
    self, components, components_of_tree, counts, declared_components, is_kind_word, kind_words,
    type_name,
};
use crate::solution::model::{
    self, Draft, Files, Origin, dependencies, put, remove, set_variable_value,
};
use crate::solution::{self, Manifest};

/// A component in a script: a copy that can be changed and put back with `with_component`.
#[derive(Debug, Clone)]
pub struct Component(Draft);

impl Component {
    /// The component with the changes that the script made to it.
    pub(super) fn draft(&self) -> &Draft {
        &self.0
    }
}

impl Keep for Component {
    const KIND: &'static str = "component";

    fn keep(&self, context: &Context) -> Result<Value, HostError> {
        let bytes = serde_json::to_vec(&self.0)
            .map_err(|error| HostError::new("ALM-S052", error.to_string()))?;
        Ok(context.artifacts().put(&bytes)?.into())
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        let bytes = context.artifacts().get(kept.as_str().unwrap_or_default())?;
        let draft = serde_json::from_slice(&bytes).map_err(|error| {
            HostError::new(
                "ALM-S015",
                format!("the journal holds a component that cannot be read back: {error}"),
            )
            .with_hint("start the run anew instead of resuming it")
        })?;
        Ok(Self(draft))
    }
}

/// What components are read from and put back into.
trait Held: Sized {
    type Files: Files;
    fn files(&self) -> &Self::Files;
    fn holding(files: Self::Files) -> Self;
    fn components(&self) -> Result<Vec<component::Component>, HostError>;
    fn facts(&self) -> Result<Manifest, HostError>;
}

impl Held for Package {
    type Files = solution::Package;

    fn files(&self) -> &solution::Package {
        self
    }

    fn holding(files: solution::Package) -> Self {
        Self::new(files)
    }

    fn components(&self) -> Result<Vec<component::Component>, HostError> {
        Ok(components(self)?)
    }

    fn facts(&self) -> Result<Manifest, HostError> {
        Ok(self.manifest()?)
    }
}

impl Held for SourceTree {
    type Files = solution::SourceTree;

    fn files(&self) -> &solution::SourceTree {
        self
    }

    fn holding(files: solution::SourceTree) -> Self {
        Self::new(files)
    }

    fn components(&self) -> Result<Vec<component::Component>, HostError> {
        Ok(components_of_tree(self)?)
    }

    fn facts(&self) -> Result<Manifest, HostError> {
        Ok(self.manifest()?)
    }
}

/// The components of a package or a tree.
#[export_module]
pub(super) mod module {
    /// One component of a solution: a table, a column, a flow, a role …
    pub type Component = crate::script::api::solution::components::Component;

    /// All components of the package, in its order.
    ///
    /// ```rhai
    /// let all = solution::read("contoso.zip").components();
    /// all.len() > 0 && all[0].key != ""
    /// ```
    #[rhai_fn(global, name = "components", pure, return_raw)]
    pub fn all_of_package(package: &mut Package) -> Scripted<Array> {
        all(package, None).thrown()
    }

    /// The components of one kind: `"table"`, `"column"`, `"cloud flow"`, `"security role"`, or the
    /// name that Dataverse has for it (`"workflow"`, `"systemform"`).
    ///
    /// ```rhai
    /// let tables = solution::read("contoso.zip").components("table");
    /// tables.all(|table| table.kind == "table")
    /// ```
    #[rhai_fn(global, name = "components", pure, return_raw)]
    pub fn some_of_package(package: &mut Package, kind: &str) -> Scripted<Array> {
        all(package, Some(kind)).thrown()
    }

    /// The component of a kind with this key, id, schema name or display name, or `()` if there is
    /// none. Several with the same display name are an error that lists their keys.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso.zip");
    /// let first = pkg.components("security role")[0];
    /// pkg.component("role", first.display_name).id == first.id
    ///     && pkg.component("role", "no such role") == ()
    /// ```
    #[rhai_fn(global, name = "component", pure, return_raw)]
    pub fn one_of_package(package: &mut Package, kind: &str, name: &str) -> Scripted<Dynamic> {
        one(package, kind, name).thrown()
    }

    /// All components of the tree, in the order of its files.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// tree.components().len() == solution::read("contoso.zip").components().len()
    /// ```
    #[rhai_fn(global, name = "components", pure, return_raw)]
    pub fn all_of_tree(tree: &mut SourceTree) -> Scripted<Array> {
        all(tree, None).thrown()
    }

    /// The components of one kind, as for a package.
    ///
    /// ```rhai
    /// solution::read_source("Contoso").components("column").len() > 1
    /// ```
    #[rhai_fn(global, name = "components", pure, return_raw)]
    pub fn some_of_tree(tree: &mut SourceTree, kind: &str) -> Scripted<Array> {
        all(tree, Some(kind)).thrown()
    }

    /// The component of a kind with this key, id, schema name or display name, or `()`.
    ///
    /// ```rhai
    /// solution::read_source("Contoso").component("table", "no_such_table") == ()
    /// ```
    #[rhai_fn(global, name = "component", pure, return_raw)]
    pub fn one_of_tree(tree: &mut SourceTree, kind: &str, name: &str) -> Scripted<Dynamic> {
        one(tree, kind, name).thrown()
    }

    /// How many components of each kind there are: a map from the kind to the count.
    ///
    /// ```rhai
    /// let counts = solution::read("contoso.zip").counts();
    /// counts["table"] >= 1 && counts.len() > 1
    /// ```
    #[rhai_fn(global, name = "counts", pure, return_raw)]
    pub fn counts_of_package(package: &mut Package) -> Scripted<Map> {
        counted(package).thrown()
    }

    /// How many components of each kind there are: a map from the kind to the count.
    ///
    /// ```rhai
    /// solution::read_source("Contoso").counts() == solution::read("contoso.zip").counts()
    /// ```
    #[rhai_fn(global, name = "counts", pure, return_raw)]
    pub fn counts_of_tree(tree: &mut SourceTree) -> Scripted<Map> {
        counted(tree).thrown()
    }

    /// What the components need, computed from their definitions: maps with `dependent` and
    /// `required` (each with `kind` and `key`), `origin` (`"solution"` has it, `"declared"` in the
    /// manifest, `"platform"`, `"missing"`) and `part_of`.
    ///
    /// ```rhai
    /// let needs = solution::read("contoso.zip").dependencies();
    /// needs.some(|need| need.required.kind == "table" && need.origin == "solution")
    /// ```
    #[rhai_fn(global, name = "dependencies", pure, return_raw)]
    pub fn dependencies_of_package(package: &mut Package) -> Scripted<Array> {
        needs(package).thrown()
    }

    /// What the components need, as for a package.
    ///
    /// ```rhai
    /// let needs = solution::read_source("Contoso").dependencies();
    /// needs.len() == solution::read("contoso.zip").dependencies().len()
    /// ```
    #[rhai_fn(global, name = "dependencies", pure, return_raw)]
    pub fn dependencies_of_tree(tree: &mut SourceTree) -> Scripted<Array> {
        needs(tree).thrown()
    }

    /// The same package with a changed component put back. Only the bytes that its changes concern
    /// are other ones.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso.zip");
    /// let table = pkg.components("table")[0];
    /// table.display_name = "Renamed";
    /// let pkg = pkg.with_component(table);
    /// pkg.component("table", table.key).display_name == "Renamed"
    /// ```
    #[rhai_fn(global, name = "with_component", pure, return_raw)]
    pub fn put_into_package(package: &mut Package, component: Component) -> Scripted<Package> {
        with(package, &[component.0]).thrown()
    }

    /// The same package with several changed components put back at once.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso.zip");
    /// let columns = pkg.components("column")
    ///     .map(|column| { column.customizable = false; column });
    /// pkg.with_components(columns).components("column").all(|column| !column.customizable)
    /// ```
    #[rhai_fn(global, name = "with_components", pure, return_raw)]
    pub fn put_all_into_package(package: &mut Package, components: Array) -> Scripted<Package> {
        with(package, &drafts(components).thrown()?).thrown()
    }

    /// The same tree with a changed component put back, also into its managed version if it has
    /// one. Only the bytes that its changes concern are other ones.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// let role = tree.components("role")[0];
    /// role.customizable = false;
    /// let tree = tree.with_component(role);
    /// !tree.component("role", role.key).customizable
    /// ```
    #[rhai_fn(global, name = "with_component", pure, return_raw)]
    pub fn put_into_tree(tree: &mut SourceTree, component: Component) -> Scripted<SourceTree> {
        with(tree, &[component.0]).thrown()
    }

    /// The same tree with several changed components put back at once.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// tree.with_components([]) == tree
    /// ```
    #[rhai_fn(global, name = "with_components", pure, return_raw)]
    pub fn put_all_into_tree(tree: &mut SourceTree, components: Array) -> Scripted<SourceTree> {
        with(tree, &drafts(components).thrown()?).thrown()
    }

    /// The same package without a component, what cannot exist without it (a table's parts and
    /// relationships), its files and its root component.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso.zip");
    /// let role = pkg.components("role")[0];
    /// pkg.without_component(role).component("role", role.key) == ()
    /// ```
    #[rhai_fn(global, name = "without_component", pure, return_raw)]
    pub fn take_from_package(package: &mut Package, component: Component) -> Scripted<Package> {
        without(package, &component).thrown()
    }

    /// The same tree without a component, as for a package.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// let role = tree.components("role")[0];
    /// tree.without_component(role).component("role", role.key) == ()
    /// ```
    #[rhai_fn(global, name = "without_component", pure, return_raw)]
    pub fn take_from_tree(tree: &mut SourceTree, component: Component) -> Scripted<SourceTree> {
        without(tree, &component).thrown()
    }

    /// The same package that gives an environment variable a current value. Values are better given
    /// by the deployment settings of a stage; a value in the package goes to every target.
    ///
    /// ```rhai,no_run
    /// let pkg = solution::read("contoso.zip").with_variable_value("contoso_Url", "https://…");
    /// ```
    #[rhai_fn(global, name = "with_variable_value", pure, return_raw)]
    pub fn value_in_package(package: &mut Package, name: &str, value: &str) -> Scripted<Package> {
        with_value(package, name, value).thrown()
    }

    /// The same tree that gives an environment variable a current value.
    ///
    /// ```rhai,no_run
    /// let tree = solution::read_source("Contoso").with_variable_value("contoso_Url", "https://…");
    /// ```
    #[rhai_fn(global, name = "with_variable_value", pure, return_raw)]
    pub fn value_in_tree(tree: &mut SourceTree, name: &str, value: &str) -> Scripted<SourceTree> {
        with_value(tree, name, value).thrown()
    }

    /// What a person calls its kind: `"table"`, `"cloud flow"`, `"business rule"`.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("table")[0].kind == "table"
    /// ```
    #[rhai_fn(global, get = "kind", pure)]
    pub fn kind(component: &mut Component) -> ImmutableString {
        component.0.component().kind().into()
    }

    /// The same for kinds that share a number: `"process"` for all flows and rules.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("role")[0].type == "security role"
    /// ```
    #[rhai_fn(global, get = "type", pure)]
    pub fn component_type(component: &mut Component) -> ImmutableString {
        type_name(&component.0.component().component_type).into()
    }

    /// The number of its kind, or `()` for kinds without a fixed one.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("table")[0].type_code == 1
    /// ```
    #[rhai_fn(global, get = "type_code", pure)]
    pub fn type_code(component: &mut Component) -> Dynamic {
        let code = component.0.component().component_type.code();
        code.map_or(Dynamic::UNIT, |code| i64::from(code).into())
    }

    /// What identifies it among its kind: a name in lower case or a GUID.
    ///
    /// ```rhai
    /// let column = solution::read("contoso.zip").components("column")[0];
    /// column.key.contains(".")
    /// ```
    #[rhai_fn(global, get = "key", pure)]
    pub fn key(component: &mut Component) -> ImmutableString {
        component.0.component().key.as_str().into()
    }

    /// Its GUID, or `()` where the package has none.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("role")[0].id.len() == 36
    /// ```
    #[rhai_fn(global, get = "id", pure)]
    pub fn id(component: &mut Component) -> Dynamic {
        text(component.0.component().id.map(|id| id.to_string()))
    }

    /// Its schema or unique name as written, or `()` for kinds without one.
    ///
    /// ```rhai
    /// let table = solution::read("contoso.zip").components("table")[0];
    /// table.name.to_lower() == table.key
    /// ```
    #[rhai_fn(global, get = "name", pure)]
    pub fn name(component: &mut Component) -> Dynamic {
        text(component.0.component().schema_name.clone())
    }

    /// The key of the table or other component that it is a part of, or `()`.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso.zip");
    /// pkg.component("table", pkg.components("form")[0].parent) != ()
    /// ```
    #[rhai_fn(global, get = "parent", pure)]
    pub fn parent(component: &mut Component) -> Dynamic {
        let parent = component.0.component().parent.as_ref();
        text(parent.map(|parent| parent.key.clone()))
    }

    /// The name that people see.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("table")[0].display_name != ""
    /// ```
    #[rhai_fn(global, get = "display_name", pure)]
    pub fn display_name(component: &mut Component) -> ImmutableString {
        component.0.component().display_name.as_str().into()
    }

    /// Sets the name that people see in the solution's base language.
    ///
    /// ```rhai
    /// let role = solution::read("contoso.zip").components("role")[0];
    /// role.display_name = "Readers & \"writers\"";
    /// role.display_name == "Readers & \"writers\""
    /// ```
    #[rhai_fn(global, set = "display_name", return_raw)]
    pub fn set_display_name(component: &mut Component, name: &str) -> Scripted<()> {
        component.0.set_display_name(name).thrown()
    }

    /// The description, or `()` if it has none.
    ///
    /// ```rhai
    /// let table = solution::read("contoso.zip").components("table")[0];
    /// table.description = "What it is for";
    /// table.description == "What it is for"
    /// ```
    #[rhai_fn(global, get = "description", pure)]
    pub fn description(component: &mut Component) -> Dynamic {
        text(component.0.description())
    }

    /// Sets the description in the solution's base language.
    ///
    /// ```rhai
    /// let role = solution::read("contoso.zip").components("role")[0];
    /// role.description = "new";
    /// role.description == "new"
    /// ```
    #[rhai_fn(global, set = "description", return_raw)]
    pub fn set_description(component: &mut Component, description: &str) -> Scripted<()> {
        component.0.set_description(description).thrown()
    }

    /// Whether a customer may change it when it is managed, or `()` for kinds that do not say.
    ///
    /// ```rhai
    /// let role = solution::read("contoso.zip").components("role")[0];
    /// role.customizable = false;
    /// !role.customizable
    /// ```
    #[rhai_fn(global, get = "customizable", pure)]
    pub fn customizable(component: &mut Component) -> Dynamic {
        let properties = component.0.managed_properties();
        let own = properties
            .iter()
            .find(|property| property.name.eq_ignore_ascii_case("iscustomizable"));
        own.map_or(Dynamic::UNIT, |property| property.allowed.into())
    }

    /// Sets whether a customer may change it when it is managed.
    ///
    /// ```rhai
    /// let column = solution::read("contoso.zip").components("column")[0];
    /// column.customizable = false;
    /// !column.customizable
    /// ```
    #[rhai_fn(global, set = "customizable", return_raw)]
    pub fn set_customizable(component: &mut Component, allowed: bool) -> Scripted<()> {
        let done = component.0.set_managed_property("IsCustomizable", allowed);
        done.thrown()
    }

    /// All managed properties as a map from the name to whether it is allowed.
    ///
    /// ```rhai
    /// let table = solution::read("contoso.zip").components("table")[0];
    /// "CanCreateForms" in table.managed_properties()
    /// ```
    #[rhai_fn(global, pure)]
    pub fn managed_properties(component: &mut Component) -> Map {
        let properties = component.0.managed_properties();
        let pair =
            |property: model::ManagedProperty| (property.name.into(), property.allowed.into());
        properties.into_iter().map(pair).collect()
    }

    /// Sets a managed property.
    ///
    /// ```rhai
    /// let table = solution::read("contoso.zip").components("table")[0];
    /// table.set_managed_property("CanCreateForms", false);
    /// !table.managed_properties().CanCreateForms
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn set_managed_property(
        component: &mut Component,
        name: &str,
        allowed: bool,
    ) -> Scripted<()> {
        component.0.set_managed_property(name, allowed).thrown()
    }

    /// Whether a flow, process, form or app is on, or `()` for kinds that are never off.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("form")[0].active
    /// ```
    #[rhai_fn(global, get = "active", pure)]
    pub fn active(component: &mut Component) -> Dynamic {
        component.0.active().map_or(Dynamic::UNIT, Dynamic::from)
    }

    /// Turns a flow, process, form or app on or off in the package.
    ///
    /// ```rhai
    /// let form = solution::read("contoso.zip").components("form")[0];
    /// form.active = false;
    /// !form.active
    /// ```
    #[rhai_fn(global, set = "active", return_raw)]
    pub fn set_active(component: &mut Component, on: bool) -> Scripted<()> {
        component.0.set_active(on).thrown()
    }

    /// The default value of an environment variable, or `()`.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("table")[0].default_value == ()
    /// ```
    #[rhai_fn(global, get = "default_value", pure)]
    pub fn default_value(component: &mut Component) -> Dynamic {
        text(component.0.default_value())
    }

    /// Sets the default value of an environment variable.
    ///
    /// ```rhai,no_run
    /// let pkg = solution::read("contoso.zip");
    /// let variable = pkg.component("environment variable", "contoso_Url");
    /// variable.default_value = "https://contoso.example";
    /// ```
    #[rhai_fn(global, set = "default_value", return_raw)]
    pub fn set_default_value(component: &mut Component, value: &str) -> Scripted<()> {
        component.0.set_default_value(Some(value)).thrown()
    }

    /// The value of an environment variable value, or `()` for other kinds.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("table")[0].value == ()
    /// ```
    #[rhai_fn(global, get = "value", pure)]
    pub fn current_value(component: &mut Component) -> Dynamic {
        text(component.0.current_value())
    }

    /// Sets the value of an environment variable value.
    ///
    /// ```rhai,no_run
    /// let value = pkg.component("environment variable value", "contoso_Url");
    /// value.value = "https://contoso.example";
    /// ```
    #[rhai_fn(global, set = "value", return_raw)]
    pub fn set_current_value(component: &mut Component, value: &str) -> Scripted<()> {
        component.0.set_current_value(value).thrown()
    }

    /// The connector of a connection reference, or `()` for other kinds.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("table")[0].connector == ()
    /// ```
    #[rhai_fn(global, get = "connector", pure)]
    pub fn connector(component: &mut Component) -> Dynamic {
        text(component.0.connector())
    }

    /// Sets the connector of a connection reference.
    ///
    /// ```rhai,no_run
    /// let mail = pkg.component("connection reference", "contoso_Mail");
    /// mail.connector = "/providers/Microsoft.PowerApps/apis/shared_office365";
    /// ```
    #[rhai_fn(global, set = "connector", return_raw)]
    pub fn set_connector(component: &mut Component, id: &str) -> Scripted<()> {
        component.0.set_connector(id).thrown()
    }

    /// The text at a place of the element that defines it, or `()`: names of child elements
    /// separated by slashes, `@` before an attribute, `Label[languagecode=1033]` to choose one.
    ///
    /// ```rhai
    /// let role = solution::read("contoso.zip").components("role")[0];
    /// role.text_at("@name") == role.display_name && role.text_at("no/such/place") == ()
    /// ```
    #[rhai_fn(global, pure)]
    pub fn text_at(component: &mut Component, place: &str) -> Dynamic {
        text(component.0.value(place))
    }

    /// Sets the text at a place. What is missing at the end of the path is added.
    ///
    /// ```rhai
    /// let role = solution::read("contoso.zip").components("role")[0];
    /// role.set_text_at("IsAutoAssigned", "1");
    /// role.text_at("IsAutoAssigned") == "1"
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn set_text_at(component: &mut Component, place: &str, text: &str) -> Scripted<()> {
        component.0.set_value(place, Some(text)).thrown()
    }

    /// The names of its files beside its definition.
    ///
    /// ```rhai
    /// type_of(solution::read("contoso.zip").components()[0].files) == "array"
    /// ```
    #[rhai_fn(global, get = "files", pure)]
    pub fn files(component: &mut Component) -> Array {
        let files = component.0.files().iter();
        files.map(|file| file.name.clone().into()).collect()
    }

    /// The text of its file whose name ends like this, or `()`.
    ///
    /// ```rhai
    /// solution::read("contoso.zip").components("role")[0].file(".json") == ()
    /// ```
    #[rhai_fn(global, name = "file", pure, return_raw)]
    pub fn file_text(component: &mut Component, ending: &str) -> Scripted<Dynamic> {
        let Some(file) = component.0.component().payload_ending(ending) else {
            return Ok(Dynamic::UNIT);
        };
        match std::str::from_utf8(&file.bytes) {
            Ok(text) => Ok(text.to_owned().into()),
            Err(_) => {
                let message = format!("`{}` is not a text file", file.name);
                Err(HostError::new("ALM-S051", message).into())
            }
        }
    }

    /// Replaces the text of its file whose name ends like this.
    ///
    /// ```rhai,no_run
    /// let flow = pkg.component("cloud flow", "Remind the owner");
    /// flow.set_file(".json", flow.file(".json").replace("Hello", "Good morning"));
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn set_file(component: &mut Component, ending: &str, text: &str) -> Scripted<()> {
        let done = component.0.set_file(ending, text.as_bytes().to_vec());
        done.thrown()
    }

    /// The component as text: its kind and its name.
    ///
    /// ```rhai
    /// let role = solution::read("contoso.zip").components("role")[0];
    /// `${role}` == `security role ${role.display_name}`
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn component_text(component: &mut Component) -> String {
        let own = component.0.component();
        format!("{} {}", own.kind(), own.display_name)
    }
}

fn text(text: Option<String>) -> Dynamic {
    text.map_or(Dynamic::UNIT, Dynamic::from)
}

/// The components of `held` as scripts hold them.
fn all<H: Held>(held: &H, kind: Option<&str>) -> Result<Array, HostError> {
    let language = held.facts()?.language.unwrap_or(1033);
    let found = of_kind(held, kind)?;
    let scripted = found
        .into_iter()
        .map(|component| Dynamic::from(Component(Draft::new(component, language))));
    Ok(scripted.collect())
}

fn of_kind<H: Held>(held: &H, kind: Option<&str>) -> Result<Vec<component::Component>, HostError> {
    let mut found = held.components()?;
    let Some(kind) = kind else {
        return Ok(found);
    };
    found.retain(|component| component.is_called(kind));
    if found.is_empty() && !is_kind_word(kind) {
        let error = HostError::new("ALM-S054", format!("`{kind}` is no kind of component"));
        return Err(match nearest(kind, kind_words()) {
            Some(word) => error.with_hint(format!("did you mean `{word}`?")),
            None => error.with_hint("`counts()` lists the kinds that there are"),
        });
    }
    Ok(found)
}

fn one<H: Held>(held: &H, kind: &str, name: &str) -> Result<Dynamic, HostError> {
    let language = held.facts()?.language.unwrap_or(1033);
    let plain = component::plain_id(name);
    let found = of_kind(held, Some(kind))?;
    let is_named = |component: &component::Component| {
        component.key == plain
            || component.id.is_some_and(|id| id.to_string() == plain)
            || component
                .schema_name
                .as_ref()
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    let exact = found.iter().position(is_named);
    let shown: Vec<usize> = found
        .iter()
        .enumerate()
        .filter(|(_, component)| component.display_name == name)
        .map(|(index, _)| index)
        .collect();
    let index = match (exact, shown.as_slice()) {
        (Some(index), _) => index,
        (None, [index]) => *index,
        (None, []) => return Ok(Dynamic::UNIT),
        (None, several) => {
            let keys: Vec<&str> = several.iter().map(|at| found[*at].key.as_str()).collect();
            let message = format!("{} components are called `{name}`", several.len());
            return Err(HostError::new("ALM-S055", message)
                .with_hint(format!("name one by its key: {}", keys.join(", "))));
        }
    };
    Ok(Dynamic::from(Component(Draft::new(
        found[index].clone(),
        language,
    ))))
}

fn counted<H: Held>(held: &H) -> Result<Map, HostError> {
    let counts = counts(&held.components()?);
    let pair = |count: component::Count| {
        let number = i64::try_from(count.names.len()).unwrap_or(i64::MAX);
        (count.label.into(), number.into())
    };
    Ok(counts.into_iter().map(pair).collect())
}

fn needs<H: Held>(held: &H) -> Result<Array, HostError> {
    let declared = declared_components(&held.facts()?);
    let end = |identity: &component::Identity| serde_json::json!({ "kind": type_name(&identity.component_type), "key": identity.key });
    dependencies(&held.components()?, &declared)
        .iter()
        .map(|one| {
            let origin: Origin = one.origin;
            let told = serde_json::json!({
                "dependent": end(&one.dependent),
                "required": end(&one.required),
                "origin": origin,
                "part_of": one.part_of,
            });
            Ok(map_of(&told)?.into())
        })
        .collect()
}

fn drafts(components: Array) -> Result<Vec<Draft>, HostError> {
    components
        .into_iter()
        .map(|one| {
            let found = one.try_cast::<Component>().map(|component| component.0);
            found.ok_or_else(|| HostError::new("ALM-S021", "the array holds what is no component"))
        })
        .collect()
}

fn with<H: Held>(held: &H, drafts: &[Draft]) -> Result<H, HostError> {
    let mut files = held.files().clone();
    put(&mut files, drafts)?;
    Ok(H::holding(files))
}

fn without<H: Held>(held: &H, component: &Component) -> Result<H, HostError> {
    let mut files = held.files().clone();
    let identity = component.0.component().identity();
    remove(&mut files, &held.components()?, &identity)?;
    Ok(H::holding(files))
}

fn with_value<H: Held>(held: &H, name: &str, value: &str) -> Result<H, HostError> {
    let mut files = held.files().clone();
    set_variable_value(&mut files, &held.components()?, name, value)?;
    Ok(H::holding(files))
}
