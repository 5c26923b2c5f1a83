//! Reads `alm.toml` whole and collects every mistake at its line.
//!
//! A good file is read in one pass by serde. Only when something is wrong is the file walked along
//! its own JSON Schema ([`structure`]), which finds all unknown keys, missing keys and wrong values
//! at once where serde stops at the first. What only makes sense together (names that refer to
//! something, circles, addresses that come twice) is checked after that ([`meaning`]), on all
//! entries whose form is right.

mod concealed;
mod meaning;
mod mistake;
mod structure;

pub use mistake::{Mistake, Mistakes};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::config::Config;
use super::locate::{KeyPath, Locator};

/// Reads the text of an `alm.toml`.
///
/// # Errors
/// All mistakes, in the order of the file.
pub fn read(text: &str) -> Result<(Config, Locator), Vec<Mistake>> {
    let (mut tree, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What a recovering parser makes of the rest would only add invented mistakes.
        return Err(errors.iter().map(Mistake::syntax).collect());
    }
    let locator = Locator::new(text, &tree);
    let (config, mut mistakes) = match deserialize(&tree) {
        Ok(config) => (Some(config), Vec::new()),
        Err(error) => {
            let found = structure::check(&tree);
            let paths: Vec<KeyPath> = found.iter().map(|wrong| wrong.path.clone()).collect();
            let mut mistakes: Vec<Mistake> = found.into_iter().map(|wrong| wrong.mistake).collect();
            if mistakes.is_empty() {
                mistakes.push(Mistake::form(&error));
            }
            // What is left when only the wrong values are gone can be read, unless something was
            // missing; then the whole entry has to go.
            paths
                .iter()
                .for_each(|path| prune_value(tree.get_mut(), path));
            let rest = deserialize(&tree).or_else(|_| {
                paths
                    .iter()
                    .for_each(|path| prune_entry(tree.get_mut(), path));
                deserialize(&tree)
            });
            (rest.ok(), mistakes)
        }
    };
    if let Some(config) = &config {
        mistakes.extend(meaning::check(config, &locator));
    }
    match config {
        Some(config) if mistakes.is_empty() => Ok((config, locator)),
        _ => {
            mistakes.sort_by_key(|mistake| mistake.span.as_ref().map(|span| span.start));
            Err(mistakes)
        }
    }
}

fn deserialize(tree: &Spanned<DeTable<'_>>) -> Result<Config, toml::de::Error> {
    Config::deserialize(Deserializer::from(tree.clone()))
}

/// Takes one wrong value out. A wrong value of a list stays, since the others would move.
fn prune_value(tree: &mut DeTable<'_>, path: &[String]) {
    match path {
        [] => {}
        [key] => {
            tree.remove(key.as_str());
        }
        [key, rest @ ..] => match tree.get_mut(key.as_str()).map(Spanned::get_mut) {
            Some(DeValue::Table(table)) => prune_value(table, rest),
            Some(DeValue::Array(items)) => {
                let [index, rest @ ..] = rest else { return };
                let item = index
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get_mut(index));
                if let Some(DeValue::Table(table)) = item.map(Spanned::get_mut) {
                    prune_value(table, rest);
                }
            }
            _ => {}
        },
    }
}

/// Takes the entry out that a mistake is in, so that the rest can still be checked.
///
/// An entry is `[section.name]`, or the whole section where sections have no named entries. Its
/// name stays known through the locator, so references to it are not called mistakes.
fn prune_entry(tree: &mut DeTable<'_>, path: &KeyPath) {
    let Some(section) = path.first() else { return };
    let mut named = false;
    if let (Some(name), Some(value)) = (path.get(1), tree.get_mut(section.as_str()))
        && let DeValue::Table(entries) = value.get_mut()
        && let Some(entry) = entries.get(name.as_str())
        && matches!(entry.get_ref(), DeValue::Table(_))
    {
        entries.remove(name.as_str());
        named = true;
    }
    if !named {
        tree.remove(section.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match read(text) {
            Ok(_) => "no mistakes".to_owned(),
            Err(list) => Mistakes::new("alm.toml", text, list).to_string(),
        }
    }

    const GOOD: &str = r#"
[tenant]
emulated = true

[identities.pipeline]
application = "6a0c6f9e-1f5c-4c6e-9d1c-0d9d8b6f2a11"
secret = { env = "ALM_PIPELINE_SECRET" }

[environments.dev]
url = "https://contoso-dev.crm4.dynamics.com"
kind = "development"
identity = "pipeline"

[environments.test]
url = "https://contoso-test.crm4.dynamics.com"
identity = "pipeline"

[hosts.contoso]
kind = "azure-devops"
url = "https://dev.azure.com/contoso"
identity = "pipeline"

[repositories.apps]
host = "contoso"
project = "ALM"

[profiles.standard]
repository = "apps"

[[profiles.standard.stages]]
name = "test"
environment = "test"
"#;

    #[test]
    fn a_good_file_is_read_with_its_order_and_defaults() {
        let (config, locator) = read(GOOD).unwrap();
        assert_eq!(
            config.environments.names().collect::<Vec<_>>(),
            ["dev", "test"]
        );
        let stage = config
            .profiles
            .get("standard")
            .unwrap()
            .stage("test")
            .unwrap();
        assert!(stage.deployable);
        assert_eq!(stage.settings_folder(), "test");
        assert_eq!(locator.line(&["environments", "test", "url"]), Some(15));
        assert_eq!(
            locator.line(&["environments", "test", "no such key"]),
            Some(14)
        );
    }

    #[test]
    fn mistakes_of_every_kind_are_found_at_once_and_shown_at_their_lines() {
        let text = GOOD
            .replace("kind = \"development\"", "kind = \"develop\"")
            .replace("https://contoso-test", "contoso test")
            .replace("project = \"ALM\"", "projekt = \"ALM\"\npriority = 3")
            .replace(
                "environment = \"test\"",
                "environment = \"tst\"\ndeployable = \"no\"",
            );
        insta::assert_snapshot!(shown(&text));
    }

    #[test]
    fn names_that_lead_nowhere_and_circles_are_found() {
        let text = GOOD.replace("default", "x")
            + r#"
prerequisite = "prod"
[[profiles.standard.stages]]
name = "prod"
environment = "prod"
prerequisite = "test"
[[profiles.standard.stages]]
name = "prod"
environment = "test"
[profiles.other]
repository = "app"
[environments.twin]
url = "https://contoso-dev.crm4.dynamics.com/"
identity = "pipelines"
[identities.both]
application = "6a0c6f9e-1f5c-4c6e-9d1c-0d9d8b6f2a11"
user = "maya@contoso.example"
[personas.maker]
identity = "maya"
[personas.maker.environments]
tset = ["read"]
[policy.environments]
test = ["reed"]
"#;
        insta::assert_snapshot!(shown(&text));
    }

    #[test]
    fn a_file_that_is_not_toml_is_shown_at_the_place() {
        insta::assert_snapshot!(shown("[workspace\nname = contoso\n"));
    }

    #[test]
    fn an_entry_with_a_mistake_still_counts_as_known() {
        let text = GOOD.replace("kind = \"azure-devops\"", "kind = \"azure\"");
        let list = read(&text).unwrap_err();
        assert_eq!(
            list.len(),
            1,
            "only the kind is wrong, not the reference to the host: {list:?}"
        );
    }
}
