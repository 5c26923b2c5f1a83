//! Where things stand in `alm.toml`: from a path of keys to a place in the text.

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A path of keys, such as `["profiles", "standard", "stages", "0", "name"]`. The places of a list
/// are numbers as text.
pub type KeyPath = Vec<String>;

/// The places of all keys and values of a file.
#[derive(Debug, Clone, Default)]
pub struct Locator {
    places: HashMap<KeyPath, Place>,
    line_starts: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Place {
    key: Range<usize>,
    value: Range<usize>,
}

impl Locator {
    /// The places of everything in `tree`, which was read from `text`.
    pub fn new(text: &str, tree: &Spanned<DeTable<'_>>) -> Self {
        let mut places = HashMap::new();
        walk_table(tree.get_ref(), &mut Vec::new(), &mut places);
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            places,
            line_starts,
        }
    }

    /// Where the key stands that `path` ends with.
    pub fn key(&self, path: &[&str]) -> Option<Range<usize>> {
        self.place(path).map(|place| place.key.clone())
    }

    /// Where the value stands that `path` leads to.
    pub fn value(&self, path: &[&str]) -> Option<Range<usize>> {
        self.place(path).map(|place| place.value.clone())
    }

    /// The line, counted from 1, of the key that `path` ends with, or of the nearest part of the
    /// path that the file has.
    pub fn line(&self, path: &[&str]) -> Option<usize> {
        (1..=path.len()).rev().find_map(|length| {
            let start = self.key(&path[..length])?.start;
            Some(self.line_starts.partition_point(|&line| line <= start))
        })
    }

    /// The keys directly under a top-level table, in the order of the file.
    pub fn keys_under(&self, section: &str) -> Vec<String> {
        let mut keys: Vec<(usize, &String)> = self
            .places
            .iter()
            .filter(|(path, _)| path.len() == 2 && path[0] == section)
            .map(|(path, place)| (place.key.start, &path[1]))
            .collect();
        keys.sort();
        keys.into_iter().map(|(_, key)| key.clone()).collect()
    }

    fn place(&self, path: &[&str]) -> Option<&Place> {
        let path: KeyPath = path.iter().map(|&key| key.to_owned()).collect();
        self.places.get(&path)
    }
}

fn walk_table(table: &DeTable<'_>, path: &mut KeyPath, places: &mut HashMap<KeyPath, Place>) {
    for (key, value) in table.iter() {
        path.push(key.get_ref().to_string());
        places.insert(
            path.clone(),
            Place {
                key: key.span(),
                value: value.span(),
            },
        );
        walk_value(value, path, places);
        path.pop();
    }
}

fn walk_value(
    value: &Spanned<DeValue<'_>>,
    path: &mut KeyPath,
    places: &mut HashMap<KeyPath, Place>,
) {
    match value.get_ref() {
        DeValue::Table(table) => walk_table(table, path, places),
        DeValue::Array(array) => {
            for (index, item) in array.iter().enumerate() {
                path.push(index.to_string());
                places.insert(
                    path.clone(),
                    Place {
                        key: item.span(),
                        value: item.span(),
                    },
                );
                walk_value(item, path, places);
                path.pop();
            }
        }
        _ => {}
    }
}
