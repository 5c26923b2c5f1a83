//! Tokens `#{name}#` from the variables of a stage (ALM Accelerator notes, 2.4 and 8 (f)).

use std::collections::BTreeMap;

use almscript::deployment::{FileMap, Settings, layout};
use almscript::problem::Problem;

fn load(
    text: &str,
    variables: &[(&str, &str)],
) -> Result<Settings, almscript::deployment::DeploymentError> {
    let mut files = FileMap::new();
    files.insert(
        "S/SolutionPackage/Other/Solution.xml".to_owned(),
        Vec::new(),
    );
    files.insert(
        "S/config/test/deploymentSettings.json".to_owned(),
        text.as_bytes().to_vec(),
    );
    let paths: Vec<_> = files.keys().cloned().collect();
    let variables: BTreeMap<_, _> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Settings::load(&files, &layout(&paths)[0], "test", &variables)
}

fn value(value: &str, variables: &[(&str, &str)]) -> String {
    let text =
        format!("{{\"EnvironmentVariables\": [{{\"SchemaName\": \"a\", \"Value\": {value}}}]}}");
    load(&text, variables).unwrap().variables[0].value.clone()
}

#[test]
fn a_value_with_quotes_dots_newline_and_non_ascii_arrives_as_it_is() {
    let odd = "a \"b\" \\c.d\n{\"é\": 'ü'} #{other}#";
    assert_eq!(value("\"#{x.y}#\"", &[("x.y", odd)]), odd);
    assert_eq!(
        value("\"<#{x}#|#{x}#>\"", &[("X", "1")]),
        "<1|1>",
        "names ignore case"
    );
    assert_eq!(
        value("#{bare}#", &[("bare", "7")]),
        "7",
        "a token may stand without quotes"
    );
}

#[test]
fn a_missing_token_is_an_error_with_its_name_and_file() {
    let text = r##"{"EnvironmentVariables": [{"SchemaName": "a", "Value": "#{one}# #{two}#"}]}"##;
    let error = load(text, &[("two", "2")]).unwrap_err();
    assert_eq!(error.code(), "ALM-D004");
    assert_eq!(
        error.to_string(),
        "no value for #{one}# in S/config/test/deploymentSettings.json"
    );
    assert!(error.hint().unwrap().contains("variables of the stage"));
}

#[test]
fn a_variable_with_a_place_as_its_name_overrides_that_place() {
    assert_eq!(
        value("\"before\"", &[("EnvironmentVariables.0.Value", "after")]),
        "after"
    );
}
