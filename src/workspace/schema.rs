//! The JSON Schema of `alm.toml`, made from its types.

use serde_json::Value;

use super::config::Config;

/// The JSON Schema of `alm.toml` (draft 2020-12), for editors and for the check of the file's form.
pub fn json_schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The copy at the repository's root is what editors load; `alm schema > alm.schema.json`
    /// renews it.
    #[test]
    fn the_copy_in_the_repository_is_the_schema_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/alm.schema.json");
        let copy = std::fs::read_to_string(path).expect("alm.schema.json stands at the root");
        let copy: Value = serde_json::from_str(&copy).expect("the copy is JSON");
        assert!(
            copy == json_schema(),
            "alm.schema.json is old; renew it with `cargo run -- schema > alm.schema.json`"
        );
    }
}
