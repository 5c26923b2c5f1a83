//! Checks what only makes sense together: names that refer to something, circles, doubles.

use std::collections::{HashMap, HashSet};

use super::mistake::Mistake;
use crate::nearest::nearest;
use crate::workspace::config::{Config, HostKind, Identity, PersonaRules};
use crate::workspace::locate::Locator;

/// All mistakes of meaning in `config`.
pub(super) fn check(config: &Config, locator: &Locator) -> Vec<Mistake> {
    let mut check = Check {
        config,
        locator,
        found: Vec::new(),
    };
    check.workspace();
    check.tenant();
    check.identities();
    check.environments();
    check.repositories();
    check.profiles();
    check.groups();
    check.personas();
    check.found
}

struct Check<'c> {
    config: &'c Config,
    locator: &'c Locator,
    found: Vec<Mistake>,
}

impl Check<'_> {
    fn workspace(&mut self) {
        let general = &self.config.workspace;
        let profiles = general.default_profile.as_deref();
        self.refers(profiles, "profiles", &["workspace", "default_profile"]);
        let persona = general.default_persona.as_deref();
        self.refers(persona, "personas", &["workspace", "default_persona"]);
        let development = general.development.as_deref();
        self.refers(development, "environments", &["workspace", "development"]);
        self.refers(
            self.config.agent.persona.as_deref(),
            "personas",
            &["agent", "persona"],
        );
    }

    fn tenant(&mut self) {
        let tenant = &self.config.tenant;
        if tenant.emulated && tenant.id.is_some() {
            self.contradiction(
                &["tenant", "id"],
                "an emulated tenant has its id from its definition",
                "expected either `emulated = true` or `id`",
            );
        }
        let needs_one = !self.config.environments.is_empty() || !self.config.hosts.is_empty();
        if needs_one && !tenant.emulated && tenant.id.is_none() {
            self.found.push(Mistake {
                code: "ALM-W005",
                message: "nothing says which tenant this is".into(),
                span: self.locator.key(&["tenant"]),
                expected: "expected `emulated = true`, or the tenant's `id`".into(),
                help: Some("write `[tenant]` with one of the two".into()),
            });
        }
    }

    fn identities(&mut self) {
        for (name, identity) in self.config.identities.iter() {
            let Identity {
                application,
                user,
                token,
                secret,
                ..
            } = identity;
            let kinds = [application.is_some(), user.is_some(), token.is_some()];
            match kinds.iter().filter(|&&given| given).count() {
                1 => {}
                0 => self.contradiction(
                    &["identities", name],
                    &format!("identity `{name}` does not say who signs in"),
                    "expected one of `application`, `user` and `token`",
                ),
                _ => self.contradiction(
                    &["identities", name],
                    &format!("identity `{name}` says twice who signs in"),
                    "expected only one of `application`, `user` and `token`",
                ),
            }
            if application.is_some() && secret.is_none() {
                self.contradiction(
                    &["identities", name, "application"],
                    &format!("application `{name}` has no secret"),
                    "expected `secret = { env = \"…\" }` or `secret = { file = \"…\" }` beside it",
                );
            }
        }
    }

    fn environments(&mut self) {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for (name, environment) in self.config.environments.iter() {
            self.refers(
                Some(&environment.identity),
                "identities",
                &["environments", name, "identity"],
            );
            let host = environment.url.host_str().unwrap_or_default().to_owned();
            if let Some(first) = seen.insert(host, name) {
                self.double(
                    &["environments", name, "url"],
                    &format!("environments `{first}` and `{name}` have the same address"),
                );
            }
        }
        for (name, _) in self.config.policy.environments.iter() {
            self.refers_key(name, "environments", &["policy", "environments", name]);
        }
    }

    fn repositories(&mut self) {
        for (name, host) in self.config.hosts.iter() {
            self.refers(
                Some(&host.identity),
                "identities",
                &["hosts", name, "identity"],
            );
        }
        for (name, repository) in self.config.repositories.iter() {
            self.refers(
                Some(&repository.host),
                "hosts",
                &["repositories", name, "host"],
            );
            let kind = self
                .config
                .hosts
                .get(&repository.host)
                .map(|host| host.kind);
            if kind == Some(HostKind::AzureDevops) && repository.project.is_none() {
                self.found.push(Mistake {
                    code: "ALM-W005",
                    message: format!("repository `{name}` has no `project`"),
                    span: self.locator.key(&["repositories", name]),
                    expected: "expected the Azure DevOps project that it is in".into(),
                    help: None,
                });
            }
        }
    }

    fn profiles(&mut self) {
        for (name, profile) in self.config.profiles.iter() {
            self.refers(
                Some(&profile.repository),
                "repositories",
                &["profiles", name, "repository"],
            );
            let mut stages = HashSet::new();
            for (index, stage) in profile.stages.iter().enumerate() {
                let index = index.to_string();
                let at = |key| ["profiles", name, "stages", index.as_str(), key];
                if !stages.insert(stage.name.as_str()) {
                    self.double(
                        &at("name"),
                        &format!("profile `{name}` has two stages called `{}`", stage.name),
                    );
                }
                self.refers(Some(&stage.environment), "environments", &at("environment"));
                if let Some(before) = &stage.prerequisite {
                    let known: Vec<&str> = profile
                        .stages
                        .iter()
                        .map(|stage| stage.name.as_str())
                        .collect();
                    if !known.contains(&before.as_str()) {
                        self.unknown(before, "stage", &known, &at("prerequisite"));
                    }
                }
            }
            self.circle(name);
        }
        for (name, choice) in self.config.solutions.iter() {
            let profile = choice.profile.as_deref();
            self.refers(profile, "profiles", &["solutions", name, "profile"]);
            let environment = choice.environment.as_deref();
            self.refers(
                environment,
                "environments",
                &["solutions", name, "environment"],
            );
        }
    }

    /// Reports the first circle of prerequisites of a profile, at the stage that closes it.
    fn circle(&mut self, profile_name: &str) {
        let Some(profile) = self.config.profiles.get(profile_name) else {
            return;
        };
        for (index, start) in profile.stages.iter().enumerate() {
            let mut way = vec![start.name.as_str()];
            let mut at = start;
            while let Some(before) = at.prerequisite.as_deref() {
                if before == start.name {
                    way.push(before);
                    let index = index.to_string();
                    self.found.push(Mistake {
                        code: "ALM-W011",
                        message: format!(
                            "the stages of profile `{profile_name}` wait for each other"
                        ),
                        span: self.locator.value(&[
                            "profiles",
                            profile_name,
                            "stages",
                            &index,
                            "prerequisite",
                        ]),
                        expected: way.join(" waits for "),
                        help: Some("leave one `prerequisite` out".into()),
                    });
                    return;
                }
                let Some(next) = profile.stage(before) else {
                    break;
                };
                // A circle that does not go through `start` is reported from one of its own.
                if way.contains(&before) {
                    break;
                }
                way.push(before);
                at = next;
            }
        }
    }

    fn groups(&mut self) {
        for (name, members) in self.config.groups.iter() {
            for (index, member) in members.iter().enumerate() {
                self.person(member, &["groups", name, &index.to_string()]);
            }
        }
    }

    /// The value at `path` must be the sign-in name of a person, or the identity of one.
    fn person(&mut self, name: &str, path: &[&str]) {
        if name.contains('@') {
            return;
        }
        self.refers(Some(name), "identities", path);
        let identity = self.config.identities.get(name);
        if identity.is_some_and(|identity| identity.user.is_none()) {
            self.found.push(Mistake {
                code: "ALM-W012",
                message: format!("identity `{name}` is not a person"),
                span: self.locator.value(path),
                expected: "expected a sign-in name, or an identity with `user`".into(),
                help: None,
            });
        }
    }

    /// Whoever acts for the persona by default must be one of the people whose it is.
    fn own_person(&mut self, name: &str, persona: &PersonaRules) {
        let identity = persona.identity.as_deref();
        let Some((own, identity)) = identity.and_then(|own| {
            let identity = self.config.identities.get(own)?;
            Some((own, identity))
        }) else {
            return;
        };
        let is_own = |listed: &String| {
            let user = identity.user.as_deref();
            listed == own || user.is_some_and(|user| user.eq_ignore_ascii_case(listed))
        };
        let mut members = persona.groups.iter().flat_map(|group| {
            let members = self.config.groups.get(group);
            members.into_iter().flatten()
        });
        let everybodys = persona.people.is_empty() && persona.groups.is_empty();
        if !everybodys && !persona.people.iter().any(is_own) && !members.any(is_own) {
            self.contradiction(
                &["personas", name, "identity"],
                &format!("`{own}` acts for persona `{name}` and is not among its people"),
                "expected one of its `people`, or a member of its `groups`",
            );
        }
    }

    fn personas(&mut self) {
        for (name, persona) in self.config.personas.iter() {
            let identity = persona.identity.as_deref();
            self.refers(identity, "identities", &["personas", name, "identity"]);
            for (index, person) in persona.people.iter().enumerate() {
                self.person(person, &["personas", name, "people", &index.to_string()]);
            }
            for (index, group) in persona.groups.iter().enumerate() {
                let at = ["personas", name, "groups", &index.to_string()];
                self.refers(Some(group), "groups", &at);
            }
            self.own_person(name, persona);
            for (index, profile) in persona.profiles.iter().flatten().enumerate() {
                let index = index.to_string();
                self.refers(
                    Some(profile),
                    "profiles",
                    &["personas", name, "profiles", &index],
                );
            }
            for environment in persona.environments.names().filter(|name| *name != "*") {
                let at = ["personas", name, "environments", environment];
                self.refers_key(environment, "environments", &at);
            }
            for repository in persona.repositories.names().filter(|name| *name != "*") {
                let at = ["personas", name, "repositories", repository];
                self.refers_key(repository, "repositories", &at);
            }
            for (script, replacement) in &persona.replace {
                if script == replacement {
                    self.contradiction(
                        &["personas", name, "replace", script],
                        &format!("`{script}` cannot replace itself"),
                        "expected the name of another script",
                    );
                }
            }
        }
    }

    /// The value at `path` must be the name of an entry of `section`.
    fn refers(&mut self, name: Option<&str>, section: &str, path: &[&str]) {
        let Some(name) = name else { return };
        if !self.known(section, name) {
            let known = self.names(section);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let span = self.locator.value(path);
            self.unknown_at(name, singular(section), &known, span);
        }
    }

    /// The key at `path` must be the name of an entry of `section`.
    fn refers_key(&mut self, name: &str, section: &str, path: &[&str]) {
        if !self.known(section, name) {
            let known = self.names(section);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let span = self.locator.key(path);
            self.unknown_at(name, singular(section), &known, span);
        }
    }

    /// Asked of the file, not of the configuration, so that an entry with a mistake of form counts.
    fn known(&self, section: &str, name: &str) -> bool {
        self.locator.key(&[section, name]).is_some()
    }

    fn names(&self, section: &str) -> Vec<String> {
        self.locator.keys_under(section)
    }

    fn unknown(&mut self, name: &str, noun: &str, known: &[&str], path: &[&str]) {
        let span = self.locator.value(path);
        self.unknown_at(name, noun, known, span);
    }

    fn unknown_at(
        &mut self,
        name: &str,
        noun: &str,
        known: &[&str],
        span: Option<std::ops::Range<usize>>,
    ) {
        let expected = match known {
            [] => format!("there is no {noun} yet"),
            known => {
                let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                format!("known: {}", list.join(", "))
            }
        };
        self.found.push(Mistake {
            code: "ALM-W009",
            message: format!("there is no {noun} called `{name}`"),
            span,
            expected,
            help: nearest(name, known.iter().copied())
                .map(|near| format!("did you mean `{near}`?")),
        });
    }

    fn double(&mut self, path: &[&str], message: &str) {
        self.found.push(Mistake {
            code: "ALM-W010",
            message: message.into(),
            span: self.locator.value(path),
            expected: "this is the second".into(),
            help: None,
        });
    }

    fn contradiction(&mut self, path: &[&str], message: &str, expected: &str) {
        self.found.push(Mistake {
            code: "ALM-W012",
            message: message.into(),
            span: self.locator.key(path),
            expected: expected.into(),
            help: None,
        });
    }
}

fn singular(section: &str) -> &str {
    match section {
        "identities" => "identity",
        "repositories" => "repository",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}
