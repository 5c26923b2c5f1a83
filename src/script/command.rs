//! A script's declared parameters as a command line.

use std::collections::BTreeMap;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::Value;

use super::parameters::{Declaration, Given, Kind, Parameter, Rules, option_name};

impl Declaration {
    /// The options of the script called `name`, with types, defaults and help, as a persona with
    /// `rules` sees them. Whether a required one is missing is decided later, by
    /// [`Declaration::settle`], whose message says what the parameter is for.
    pub fn command(&self, name: &str, rules: &Rules) -> Command {
        let visible = |parameter: &&Parameter| {
            rules
                .get(&parameter.name)
                .is_none_or(|rule| !rule.hidden && rule.fixed.is_none())
        };
        let (_, details) = self.description.split_once('\n').unwrap_or_default();
        let mut command = Command::new(name.to_owned()).about(self.title.clone());
        if !details.trim().is_empty() {
            command = command.long_about(format!("{}\n\n{}", self.title, details.trim()));
        }
        command.args(self.parameters.iter().filter(visible).map(|parameter| {
            let default = rules
                .get(&parameter.name)
                .and_then(|rule| rule.default.as_ref());
            argument(parameter, default.or(parameter.default.as_ref()))
        }))
    }

    /// What was typed, by parameter, from the matches of [`command`](Self::command).
    pub fn given(&self, matches: &ArgMatches) -> BTreeMap<String, Given> {
        let typed = |parameter: &Parameter| {
            // A parameter that the persona does not see is not in the command.
            let value = matches
                .try_get_one::<String>(&parameter.name)
                .ok()
                .flatten()?;
            Some((parameter.name.clone(), Given::Text(value.clone())))
        };
        self.parameters.iter().filter_map(typed).collect()
    }
}

fn argument(parameter: &Parameter, default: Option<&Value>) -> Arg {
    let mut help = parameter.help.clone();
    match default {
        Some(Value::Bool(false)) => {}
        Some(Value::String(text)) => help.push_str(&format!(" [default: {text}]")),
        Some(Value::Number(number)) if parameter.kind == Kind::Duration => {
            help.push_str(&format!(" [default: {number}s]"));
        }
        Some(value) => help.push_str(&format!(" [default: {value}]")),
        None if parameter.optional => {}
        None => help.push_str(" (required)"),
    }
    let arg = Arg::new(parameter.name.clone())
        .long(option_name(&parameter.name))
        .alias(parameter.name.clone())
        .help(help)
        .action(ArgAction::Set)
        .value_name(value_name(&parameter.kind));
    match &parameter.kind {
        Kind::Choice(words) => arg.value_parser(PossibleValuesParser::new(words.clone())),
        // `--publish` and `--publish=no`, but never `--publish other-word`.
        Kind::Flag => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        Kind::Integer => arg.allow_negative_numbers(true),
        _ => arg,
    }
}

fn value_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "TEXT",
        Kind::Flag => "YES|NO",
        Kind::Integer => "NUMBER",
        Kind::Choice(_) => "CHOICE",
        Kind::Solution => "SOLUTION",
        Kind::Environment => "ENVIRONMENT",
        Kind::Branch => "BRANCH",
        Kind::Profile => "PROFILE",
        Kind::Stage => "STAGE",
        Kind::Path => "PATH",
        Kind::Duration => "TIME",
        Kind::Json => "JSON",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::config::ParameterRule;

    const TEXT: &str = "//! Save.\n//!\n//! More about it.\n\
        //! @param to_branch branch?  where to save\n\
        //! @param publish flag = true  publish first\n\
        //! @param quick flag  check less\n\
        //! @param mode choice(a|b) = a  how\n";

    fn parse(args: &[&str], rules: &Rules) -> Result<BTreeMap<String, Given>, clap::Error> {
        let save = Declaration::of(TEXT).unwrap();
        let matches = save
            .command("save", rules)
            .try_get_matches_from(["save"].iter().chain(args))?;
        Ok(save.given(&matches))
    }

    #[test]
    fn options_are_written_with_dashes_and_flags_alone() {
        let given = parse(
            &["--to-branch", "x", "--quick", "--publish=no"],
            &Rules::new(),
        )
        .unwrap();
        let text = |text: &str| Some(Given::Text(text.to_owned()));
        assert_eq!(given.get("to_branch").cloned(), text("x"));
        assert_eq!(given.get("quick").cloned(), text("true"));
        assert_eq!(given.get("publish").cloned(), text("no"));
        assert_eq!(given.get("mode"), None);
    }

    #[test]
    fn a_hidden_or_fixed_parameter_is_no_option() {
        let hidden = ParameterRule {
            hidden: true,
            ..ParameterRule::default()
        };
        let fixed = ParameterRule {
            fixed: Some("a".into()),
            ..ParameterRule::default()
        };
        let rules = Rules::from([("quick".into(), hidden), ("mode".into(), fixed)]);
        assert!(parse(&["--quick"], &rules).is_err());
        assert!(parse(&["--mode", "a"], &rules).is_err());
        assert!(parse(&[], &rules).unwrap().is_empty());
    }

    #[test]
    fn the_help_says_what_each_is_for() {
        let save = Declaration::of(TEXT).unwrap();
        let help = save
            .command("save", &Rules::new())
            .render_help()
            .to_string();
        assert!(help.contains("--to-branch <BRANCH>"), "{help}");
        assert!(help.contains("publish first [default: true]"), "{help}");
        assert!(help.contains("[possible values: a, b]"), "{help}");
    }
}
